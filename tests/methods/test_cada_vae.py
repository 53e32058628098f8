"""CADA-VAE's warm-ups and its four terms."""

import pytest
import torch
from support.toy import CPU, make

from msf_kedro.methods.cada_vae import TERMS, CadaVae
from msf_kedro.methods.msf import Msf, Pair
from msf_kedro.networks.vae import wasserstein_distance

WEIGHTS = {"kl": 0.01, "cross": 2.0, "distribution": 0.5}
FULL = make(  # every weight is reached
    "cada_vae",
    **{f"{term}_weight": weight for term, weight in WEIGHTS.items()},
    **{f"{term}_from": 0.0 for term in WEIGHTS},
    **{f"{term}_until": 0.0 for term in WEIGHTS},
)


def problem(noise: int = 12) -> tuple:
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    generator = torch.Generator().manual_seed(0)
    skeletons, texts, draws = (
        torch.randn(2, *shape, generator=generator) for shape in ((5, 6), (5, 8), (2, 5, noise))
    )
    return Pair([6, 8], generators, FULL), skeletons, texts, draws


@pytest.mark.parametrize(
    ("progress", "expected"), [(0.0, 0), (0.21, 0), (0.48, 2.37 / 2), (0.75, 2.37), (0.99, 2.37)]
)
def test_a_warm_up_grows_from_its_start_to_its_end(progress, expected):
    config = make("cada_vae", cross_weight=2.37, cross_from=0.21, cross_until=0.75)
    assert config.weight("cross", progress) == pytest.approx(expected)


def test_a_warm_up_of_no_length_is_a_step():
    config = make("cada_vae", kl_weight=0.3, kl_from=0.5, kl_until=0.5)
    assert [config.weight("kl", progress) for progress in (0.49, 0.5)] == [0, 0.3]


def test_warm_ups_are_of_their_own():
    """At 15 % of the toy's cycle KL has begun, distribution is half-way, cross has not begun."""
    config = make("cada_vae")
    found = {term: config.weight(term, 0.15) for term in TERMS}
    assert found == pytest.approx({"kl": 0.15e-3, "cross": 0.0, "distribution": 0.05})


@pytest.mark.parametrize("noise", [12, 1])
def test_the_loss_is_msfs_with_the_distribution_term(noise):
    """Reconstructions, cross reconstructions and KL terms are computed as in MSF's loss."""
    pair, skeletons, texts, draws = problem(noise)
    found = CadaVae.loss(pair, skeletons, texts, draws, 1, 5, FULL)
    reference = Msf.loss(pair, skeletons, texts, draws, 1, 5, make("msf", cross_from=0))
    for term in ("reconstruction", "cross"):
        torch.testing.assert_close(found[term], reference[term])
    torch.testing.assert_close(found["kl"], reference["kl_skeleton"] + reference["kl_text"])
    posteriors = (*pair.skeleton.encode(skeletons), *pair.text.encode(texts))
    torch.testing.assert_close(found["distribution"], wasserstein_distance(*posteriors))
    expected = found["reconstruction"] + sum(WEIGHTS[term] * found[term] for term in WEIGHTS)
    torch.testing.assert_close(found["loss"], expected)


def test_weights_follow_the_share_of_the_cycle_in_every_cycle():
    pair, *inputs = problem()
    config = make("cada_vae", steps=100)
    for cycle in (1, 7):
        found = CadaVae.loss(pair, *inputs, cycle, 15, config)
        expected = found["reconstruction"] + 0.15e-3 * found["kl"] + 0.05 * found["distribution"]
        torch.testing.assert_close(found["loss"], expected)


def test_the_distribution_term_draws_the_encoders_together_only():
    pair, *inputs = problem()
    CadaVae.loss(pair, *inputs, 1, 5, FULL)["distribution"].sum().backward()
    moved = {name for name, p in pair.named_parameters() if p.grad is not None}
    assert {name.rsplit(".", 1)[0] for name in moved} == {
        f"{side}.{layer}" for side in ("skeleton", "text") for layer in ("to_mu", "to_logvar")
    }


def test_the_weights_matter(toy):
    """Posteriors of skeletons and texts lie closer where distribution alignment counts."""
    task = toy.task("LB")
    apart, close = (
        CadaVae.fit(task, [1], make("cada_vae", distribution_weight=weight, steps=100), CPU)
        for weight in (0.0, 3.0)
    )
    assert close[1][-1]["distribution"] < 0.7 * apart[1][-1]["distribution"]
