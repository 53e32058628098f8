"""The replicated linear VAE and its KL divergence."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal
from torch.distributions import kl_divergence as reference

from msf_kedro.networks.vae import GAIN, VAE, kl_divergence, mean_square, wasserstein_distance


def make(relu_output: bool = False) -> VAE:
    return VAE(7, 4, [torch.Generator().manual_seed(seed) for seed in (1, 2)], relu_output)


@given(st.integers(0, 1000), st.sampled_from([(6, 3), (2, 6, 3), (2, 5, 6, 3)]))
def test_kl_is_that_of_torch_distributions(seed, shape):
    generator = torch.Generator().manual_seed(seed)
    mu, logvar = torch.randn(2, *shape, generator=generator)
    expected = reference(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum(-1).mean(-1)
    found = kl_divergence(mu, logvar)
    torch.testing.assert_close(found, expected)
    assert (found > 0).all()


def test_kl_of_a_standard_normal_is_nil():
    """Up to the last digit of exp(0), in each of three dimensions."""
    found = kl_divergence(torch.zeros(5, 3), torch.zeros(5, 3))
    assert found.abs() <= 3 * torch.finfo(torch.float32).eps


def test_wasserstein_distance_is_that_of_full_covariances():
    """|mu1 - mu2|^2 + tr(S1 + S2 - 2 (S2^1/2 S1 S2^1/2)^1/2), of diagonal S."""
    mu, other_mu, logvar, other_logvar = torch.randn(4, 2, 5, 3)
    found = wasserstein_distance(mu, logvar, other_mu, other_logvar)
    traces = logvar.exp() + other_logvar.exp() - 2 * (logvar.exp() * other_logvar.exp()).sqrt()
    squares = (mu - other_mu).square().sum(-1) + traces.sum(-1)
    torch.testing.assert_close(found, squares.sqrt().mean(-1))


def test_wasserstein_distance_in_one_dimension():
    """Quantile by quantile: the root of the mean squared difference of sorted samples."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 200_000, generator=generator).sort().values
    sampled = (1 + 2 * a - (3 + 0.5 * b)).square().mean().sqrt()
    sigmas = torch.tensor([2.0, 0.5]).log().mul(2).reshape(2, 1, 1)
    found = wasserstein_distance(torch.ones(1, 1), sigmas[0], torch.full((1, 1), 3.0), sigmas[1])
    assert found.item() == pytest.approx(sampled.item(), rel=0.01)


def test_wasserstein_distance_of_the_same_is_nil_and_its_gradient_finite():
    mu, logvar = torch.randn(2, 3, 4).unbind()
    mu.requires_grad_()
    value = wasserstein_distance(mu, logvar, mu.detach().clone(), logvar)
    value.backward()
    assert value.item() < 1e-5
    assert mu.grad.isfinite().all()


def test_mean_square_is_of_each_replica():
    output = torch.tensor([[[1.0, 2.0]], [[0.0, 0.0]]])
    torch.testing.assert_close(mean_square(output, torch.zeros(2, 1, 2)), torch.tensor([2.5, 0.0]))


@pytest.mark.parametrize("shape", [(5, 3), (2, 5, 3)])
def test_gradients_are_those_of_plain_formulations(shape):
    """Every replica's, each with a factor of its own."""
    draw = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, *shape, generator=draw, dtype=torch.float64)
    factor = torch.rand(shape[:-2], generator=draw, dtype=torch.float64) + 1

    def plain_square(output, target):
        return (output - target).square().mean((-2, -1))

    def plain_divergence(mu, logvar):
        return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(-1).mean(-1)

    ways = {mean_square: plain_square, kl_divergence: plain_divergence}
    for ours, plain in ways.items():
        found = []
        for way in (ours, plain):
            first = one.clone().requires_grad_()
            second = other.clone().requires_grad_(ours is kl_divergence)  # a target gets none
            value = way(first, second)
            (value * factor).sum().backward()
            found.append(
                [part for part in (value.detach(), first.grad, second.grad) if part is not None]
            )
        torch.testing.assert_close(*found, rtol=1e-12, atol=1e-14)


def test_encoder_and_decoder_are_linear_maps():
    vae = make()
    x, z = torch.randn(2, 3, 7), torch.randn(2, 3, 4)
    mu, logvar = vae.encode(x)
    for replica in range(2):
        for found, layer in ((mu, vae.to_mu), (logvar, vae.to_logvar)):
            torch.testing.assert_close(found[replica], x[replica] @ layer.weight[replica])
        decoded = z[replica] @ vae.from_latent.weight[replica]
        torch.testing.assert_close(vae.decode(z)[replica], decoded)
    assert not torch.allclose(mu, logvar)


def test_relu_follows_the_decoder_where_asked_for():
    z = torch.randn(2, 50, 4)
    plain, rectified = make().decode(z), make(relu_output=True).decode(z)
    assert (plain < 0).any()
    assert torch.equal(rectified, plain.clamp_min(0))


@pytest.mark.parametrize("layer", ["to_mu", "to_logvar", "from_latent"])
def test_weights_are_xavier_uniform_with_gain_one_half(layer):
    vae = VAE(60, 40, [torch.Generator().manual_seed(0)], False)
    weight, bound = getattr(vae, layer).weight, 0.5 * (6 / 100) ** 0.5
    assert GAIN == 0.5
    assert 0.98 * bound < weight.abs().max() <= bound
