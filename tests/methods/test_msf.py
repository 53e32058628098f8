"""MSF's loss against slow loops."""

import pytest
import torch
from support.toy import make

from msf_kedro.methods.msf import Msf, Pair

SCHEDULES = {"kl_slope": 0.01, "cross_from": 3, "latent": 3, "inputs": "raw"}


def slow_loss(pair, r, skeletons, texts, noise, weights):
    """The figures of one replica, from single numbers."""

    def linear(layer, x):
        return [
            sum(x[i] * layer.weight[r, i, o].item() for i in range(len(x)))
            + layer.bias[r, 0, o].item()
            for o in range(layer.weight.shape[2])
        ]

    def decode(vae, z):
        return [max(0.0, v) if vae.relu_output else v for v in linear(vae.from_latent, z)]

    def error(output, target):
        return sum((o - t) ** 2 for o, t in zip(output, target, strict=True)) / len(target)

    figures = dict.fromkeys(["reconstruction", "kl_skeleton", "kl_text", "cross"], 0.0)
    size = len(skeletons)
    for b in range(size):
        x, latents = {"skeleton": skeletons[b].tolist(), "text": texts[b].tolist()}, {}
        for side, vae in (("skeleton", pair.skeleton), ("text", pair.text)):
            mu, logvar = linear(vae.to_mu, x[side]), linear(vae.to_logvar, x[side])
            draws = noise[0 if side == "skeleton" else 1, b].tolist()
            draws = draws * len(mu) if len(draws) == 1 else draws
            sigma = torch.tensor(logvar).div(2).exp().tolist()
            latents[side] = [m + s * e for m, s, e in zip(mu, sigma, draws, strict=True)]
            kl = sum(m**2 + s**2 - 1 - v for m, s, v in zip(mu, sigma, logvar, strict=True)) / 2
            figures[f"kl_{side}"] += kl / size
        for own, other in (("skeleton", "text"), ("text", "skeleton")):
            vae = getattr(pair, own)
            figures["reconstruction"] += error(decode(vae, latents[own]), x[own]) / size
            figures["cross"] += error(decode(vae, latents[other]), x[own]) / size
    weight_s, weight_t, weight_cross = weights
    figures["loss"] = (
        figures["reconstruction"]
        + weight_s * figures["kl_skeleton"]
        + weight_t * figures["kl_text"]
        + weight_cross * figures["cross"]
    )
    return figures


@pytest.mark.parametrize("noise", ["dimension", "sample"])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(
    ("cycle", "step", "weights"), [(1, 2, (0.01, 0, 0)), (2, 5, (0.04, 0.03, 1))]
)
def test_the_loss_equals_a_slow_loop(noise, relu, cycle, step, weights):
    config = make("msf", **SCHEDULES, noise=noise, relu_outputs=relu)
    pair = Pair([6, 8], [torch.Generator().manual_seed(seed) for seed in (1, 2)], config)
    generator = torch.Generator().manual_seed(0)
    for parameter in pair.parameters():  # biases too
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    skeletons, texts = (
        torch.rand(2, 4, 6, generator=generator),
        torch.randn(2, 4, 8, generator=generator),
    )
    draws = torch.randn(2, 2, 4, config.noise_width, generator=generator)
    assert config.noise_width == (3 if noise == "dimension" else 1)
    found = Msf.loss(pair, skeletons, texts, draws, cycle, step, config)
    assert ("cross" in found) == bool(weights[2])
    for r in range(2):
        expected = slow_loss(pair, r, skeletons[r], texts[r], draws[r], weights)
        for key, value in found.items():
            assert value[r].item() == pytest.approx(expected[key], rel=1e-4), key


def test_the_papers_cross_reconstruction_is_a_norm():
    config = make("msf", **SCHEDULES, cross_error="norm")
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    pair = Pair([6, 8], generators, config)
    skeletons, texts = (torch.rand(2, 4, width, generator=generators[0]) for width in (6, 8))
    found = Msf.loss(pair, skeletons, texts, torch.zeros(2, 2, 4, 3), 1, 5, config)
    rebuilt = (
        (skeletons, pair.skeleton.decode(pair.text.encode(texts)[0])),
        (texts, pair.text.decode(pair.skeleton.encode(skeletons)[0])),
    )
    for r in range(2):
        errors = [torch.dist(a[r, b], x[r, b]).item() for x, a in rebuilt for b in range(4)]
        assert found["cross"][r].item() == pytest.approx(sum(errors) / 4, rel=1e-5)
