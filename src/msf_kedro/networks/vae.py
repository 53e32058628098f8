"""A linear variational auto-encoder, replicated (MSF stage 2, as released)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import Function
from torch.linalg import vector_norm

from msf_kedro.networks.replicated import ReplicatedLinear

GAIN = 0.5  # of the Xavier-uniform weights, as released


class VAE(nn.Module):
    """One linear map to `mu`, one to `logvar`, and one back, followed by a ReLU if asked for."""

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


def draw(
    mu: Float[Tensor, "*R #B Z"], logvar: Float[Tensor, "*R #B Z"], noise: Float[Tensor, "*R B W"]
) -> Float[Tensor, "*R B Z"]:
    """Samples of N(mu, sigma^2) from standard normal noise: `Z` numbers per sample, or one."""
    return torch.addcmul(mu, (0.5 * logvar).exp(), noise)


def mean_square(
    output: Float[Tensor, "*R B D"], target: Float[Tensor, "*R B D"]
) -> Float[Tensor, "*R"]:
    """Mean squared error of every replica; targets get no gradient."""
    return _MeanSquare.apply(output, target)


def kl_divergence(
    mu: Float[Tensor, "*R B Z"], logvar: Float[Tensor, "*R B Z"]
) -> Float[Tensor, "*R"]:
    """KL(N(mu, sigma^2) || N(0, 1)), summed over latent dimensions, averaged over the batch."""
    return _Divergence.apply(mu, logvar)


class _MeanSquare(Function):
    """With a gradient of its own, which passes over the errors once."""

    @staticmethod
    def forward(ctx, output, target):
        error = output - target
        ctx.save_for_backward(error)
        norm = vector_norm(vector_norm(error, dim=-1), dim=-1)
        return norm.square_().div_(error.shape[-2] * error.shape[-1])

    @staticmethod
    def backward(ctx, gradient):
        (error,) = ctx.saved_tensors
        rows, width = error.shape[-2:]
        return error * (gradient * (2 / (rows * width)))[..., None, None], None


class _Divergence(Function):
    """With a gradient of its own, which passes over means and variances once."""

    @staticmethod
    def forward(ctx, mu, logvar):
        ctx.save_for_backward(mu, logvar)
        terms = logvar.exp().addcmul_(mu, mu).sub_(logvar).sub_(1)
        return terms.sum(-1).mean(-1).mul_(0.5)

    @staticmethod
    def backward(ctx, gradient):
        mu, logvar = ctx.saved_tensors
        share = (gradient / mu.shape[-2])[..., None, None]
        return mu * share, logvar.exp().sub_(1).mul_(0.5 * share)


def wasserstein_distance(
    mu: Float[Tensor, "*R B Z"],
    logvar: Float[Tensor, "*R B Z"],
    other_mu: Float[Tensor, "*R B Z"],
    other_logvar: Float[Tensor, "*R B Z"],
) -> Float[Tensor, "*R"]:
    """2-Wasserstein distance of diagonal Gaussians, averaged over the batch (CADA-VAE, eq. 6)."""
    sigmas = (0.5 * logvar).exp() - (0.5 * other_logvar).exp()
    squares = (mu - other_mu).square().sum(-1) + sigmas.square().sum(-1)
    return squares.clamp_min(1e-12).sqrt().mean(-1)  # the root has no gradient at 0
