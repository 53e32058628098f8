"""CADA-VAE's warm-ups and its four terms."""

import dataclasses

import pytest
import torch
from support.toy import ALIGNMENT, CADA_VAE, CLASSIFIER

from msf_kedro.methods import cada_vae
from msf_kedro.methods.cada_vae import cada_vae_loss, weight
from msf_kedro.methods.msf import Alignment, alignment_loss
from msf_kedro.networks.vae import wasserstein_distance

CPU = torch.device("cpu")
WEIGHTS = {"kl": 0.01, "cross": 2.0, "distribution": 0.5}


def problem(noise: int = 12) -> tuple:
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    pair = Alignment(6, 8, generators, ALIGNMENT)
    generator = torch.Generator().manual_seed(0)
    skeletons, texts, draws = (
        torch.randn(2, *shape, generator=generator) for shape in ((5, 6), (5, 8), (2, 5, noise))
    )
    return pair, skeletons, texts, draws


@pytest.mark.parametrize(
    ("progress", "expected"),
    [(0.0, 0), (0.21, 0), (0.48, 2.37 / 2), (0.75, 2.37), (0.99, 2.37)],
)
def test_a_warm_up_grows_from_its_start_to_its_end(progress, expected):
    config = dataclasses.replace(CADA_VAE, cross_weight=2.37, cross_from=0.21, cross_until=0.75)
    assert weight(config, "cross", progress) == pytest.approx(expected)


def test_a_warm_up_of_no_length_is_a_step():
    config = dataclasses.replace(CADA_VAE, kl_weight=0.3, kl_from=0.5, kl_until=0.5)
    assert [weight(config, "kl", progress) for progress in (0.49, 0.5)] == [0, 0.3]


def test_warm_ups_are_of_their_own():
    """At a tenth of the toy's cycle KL has begun, distribution begins, cross has not."""
    found = {term: weight(CADA_VAE, term, 0.15) for term in cada_vae.TERMS}
    assert found == pytest.approx({"kl": 0.15e-3, "cross": 0.0, "distribution": 0.05})


@pytest.mark.parametrize("noise", [12, 1])
def test_the_loss_is_msfs_with_the_distribution_term(noise):
    """Reconstructions, cross reconstructions and KL terms are computed as in MSF's loss."""
    pair, skeletons, texts, draws = problem(noise)
    found = cada_vae_loss(pair, skeletons, texts, draws, WEIGHTS)
    late = dataclasses.replace(ALIGNMENT, cross_from=0)
    reference = alignment_loss(pair, skeletons, texts, draws, 1, 5, late)
    for term in ("reconstruction", "cross"):
        torch.testing.assert_close(found[term], reference[term])
    torch.testing.assert_close(found["kl"], reference["kl_skeleton"] + reference["kl_text"])
    posteriors = (*pair.skeleton.encode(skeletons), *pair.text.encode(texts))
    torch.testing.assert_close(found["distribution"], wasserstein_distance(*posteriors))
    expected = found["reconstruction"] + sum(WEIGHTS[term] * found[term] for term in WEIGHTS)
    torch.testing.assert_close(found["loss"], expected)


def test_the_distribution_term_draws_the_encoders_together_only():
    pair, skeletons, texts, draws = problem()
    cada_vae_loss(pair, skeletons, texts, draws, WEIGHTS)["distribution"].sum().backward()
    moved = {name for name, p in pair.named_parameters() if p.grad is not None}
    assert {name.rsplit(".", 1)[0] for name in moved} == {
        f"{side}.{layer}" for side in ("skeleton", "text") for layer in ("to_mu", "to_logvar")
    }


def test_the_weights_matter(toy):
    """Posteriors of skeletons and texts lie closer where distribution alignment counts."""
    distances = []
    for distribution_weight in (0.0, 3.0):
        config = dataclasses.replace(CADA_VAE, distribution_weight=distribution_weight)
        rows = []
        real = cada_vae.cada_vae_loss

        def spy(*args, rows=rows, real=real):
            figures = real(*args)
            rows.append(figures["distribution"].item())
            return figures

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cada_vae, "cada_vae_loss", spy)
            short = dataclasses.replace(ALIGNMENT, cycles=1)
            cada_vae.scores("toy", toy[0], ("LB",), [1], short, CLASSIFIER, config, CPU)
        distances.append(sum(rows[-20:]) / 20)
    assert distances[1] < 0.7 * distances[0]


@pytest.mark.parametrize("term", cada_vae.TERMS)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight": -0.1}, "weight is -0.1, expected at least 0"),
        ({"from": 0.9, "until": 0.8}, "from is 0.9, .*until is 0.8, expected shares"),
        ({"from": -0.1}, "from is -0.1, .*expected shares"),
    ],
)
def test_useless_weights_and_warm_ups_are_refused(term, changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CADA_VAE, **{f"{term}_{key}": v for key, v in changes.items()})
