"""A linear variational auto-encoder, replicated (MSF stage 2, as released)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from msf_kedro.models.replicated import ReplicatedLinear

GAIN = 0.5  # of the Xavier-uniform weights, as released


class VAE(nn.Module):
    """One linear map to `mu`, one to `logvar`, one back, with a ReLU behind it if asked for."""

    def __init__(
        self, inputs: int, latent: int, generators: list[torch.Generator], relu_output: bool
    ):
        super().__init__()
        self.to_mu = ReplicatedLinear(inputs, latent, generators, GAIN)
        self.to_logvar = ReplicatedLinear(inputs, latent, generators, GAIN)
        self.from_latent = ReplicatedLinear(latent, inputs, generators, GAIN)
        self.relu_output = relu_output

    def encode(
        self, x: Float[Tensor, "R B D"]
    ) -> tuple[Float[Tensor, "R B Z"], Float[Tensor, "R B Z"]]:
        return self.to_mu(x), self.to_logvar(x)

    def decode(self, z: Float[Tensor, "R B Z"]) -> Float[Tensor, "R B D"]:
        x = self.from_latent(z)
        return x.relu() if self.relu_output else x


def kl_divergence(
    mu: Float[Tensor, "*R B Z"], logvar: Float[Tensor, "*R B Z"]
) -> Float[Tensor, "*R"]:
    """KL(N(mu, sigma^2) || N(0, 1)), summed over latent dimensions, averaged over the batch."""
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(-1).mean(-1)
