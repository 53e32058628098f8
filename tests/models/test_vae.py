"""The replicated linear VAE and its KL divergence."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal
from torch.distributions import kl_divergence as reference

from msf_kedro.models.vae import GAIN, VAE, kl_divergence


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
    assert kl_divergence(torch.zeros(5, 3), torch.zeros(5, 3)) == 0


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
