"""Many small models of one shape, trained together: a leading axis `R` counts the replicas."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ReplicatedLinear(nn.Module):
    """`R` independent linear maps in one batched product.

    Weights are Xavier-uniform with the given gain, biases zero. Each replica draws its weights
    from a generator of its own, so it does not depend on the others.
    """

    def __init__(
        self, inputs: int, outputs: int, generators: list[torch.Generator], gain: float = 1.0
    ):
        super().__init__()
        bound = gain * (6 / (inputs + outputs)) ** 0.5
        draws = [torch.rand(inputs, outputs, generator=generator) for generator in generators]
        self.weight = nn.Parameter((2 * torch.stack(draws) - 1) * bound)
        self.bias = nn.Parameter(torch.zeros(len(generators), 1, outputs))

    def forward(self, x: Float[Tensor, "R B I"]) -> Float[Tensor, "R B O"]:
        return torch.baddbmm(self.bias, x, self.weight)
