"""Replicas: many models trained together are the same as each trained alone."""

import pytest
import torch
from torch import nn

from msf_kedro.networks.replicated import ReplicatedLinear


def make(*seeds: int, inputs: int = 5, outputs: int = 3, gain: float = 1.0) -> ReplicatedLinear:
    return ReplicatedLinear(
        inputs, outputs, [torch.Generator().manual_seed(seed) for seed in seeds], gain
    )


def trained(layer: ReplicatedLinear, x: torch.Tensor, y: torch.Tensor) -> ReplicatedLinear:
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(20):
        optimizer.zero_grad()
        (layer(x) - y).square().mean(dim=(1, 2)).sum().backward()
        optimizer.step()
    return layer


def test_every_replica_is_a_linear_layer():
    layer, x = make(1, 2), torch.randn(2, 4, 5)
    layer.bias.data.normal_()
    for replica in range(2):
        expected = nn.functional.linear(
            x[replica], layer.weight[replica].t(), layer.bias[replica, 0]
        )
        torch.testing.assert_close(layer(x)[replica], expected)


def test_a_replica_does_not_depend_on_the_others():
    group, alone = make(1, 2, 3), make(3)
    assert torch.equal(group.weight[2], alone.weight[0])
    assert not torch.equal(group.weight[0], group.weight[1])
    x, y = torch.randn(3, 8, 5), torch.randn(3, 8, 3)
    trained(group, x, y)
    trained(alone, x[2:], y[2:])
    for name in ("weight", "bias"):
        torch.testing.assert_close(getattr(group, name)[2:], getattr(alone, name))
    assert not torch.equal(make(3).weight, alone.weight)


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_weights_are_xavier_uniform_and_biases_zero(gain):
    layer = make(0, inputs=80, outputs=50, gain=gain)
    linear = nn.Linear(80, 50)
    nn.init.xavier_uniform_(linear.weight, gain)
    bound = gain * (6 / 130) ** 0.5
    assert 0.99 * bound < layer.weight.abs().max() <= bound
    assert layer.weight.mean().abs() < 0.05 * bound
    assert layer.weight.std().item() == pytest.approx(linear.weight.std().item(), rel=0.05)
    assert not layer.bias.any()
