"""Shift-GCN written plainly, with ordinary layers and their gradients; `(B, C, V, T)` throughout.

The project's network has the same state, and must do the same.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _SignGradient(torch.autograd.Function):
    """Identity whose gradient is replaced by its sign times 0.01 (0.0001 where it is zero)."""

    @staticmethod
    def forward(ctx, shift):
        return shift.view_as(shift)

    @staticmethod
    def backward(ctx, grad):
        return torch.where(grad == 0, torch.full_like(grad, 1e-4), grad.sign() * 1e-2)


class JointShift(nn.Module):
    """Non-local shift: slot `(c, v)` takes `(c, (v + direction·c) mod V)`."""

    def __init__(self, channels: int, joints: int, direction: int):
        super().__init__()
        channel = torch.arange(channels)[:, None]
        source = (torch.arange(joints)[None] + direction * channel) % joints
        order = (channel * joints + source).flatten()
        self.register_buffer("order", order, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1, 2)[:, self.order].view_as(x)


class TimeShift(nn.Module):
    """Shift every channel in time by a learnt real number of frames.

    Written as a depth-wise convolution with a two-tap kernel.
    """

    def __init__(self, channels: int, stride: int = 1):
        super().__init__()
        self.shift = nn.Parameter(torch.empty(channels).uniform_(-1, 1))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        position = _SignGradient.apply(self.shift) + (0.5 if self.stride == 2 else 0.0)
        reach = max(1, math.ceil(min(x.shape[3], position.detach().abs().max().item())))
        taps = torch.arange(-reach, reach + 1)
        kernel = (1 - (taps - position[:, None]).abs()).clamp_min(0).to(x.dtype)[:, None, None]
        return F.conv2d(x, kernel, stride=(1, self.stride), padding=(0, reach), groups=x.shape[1])


class JointBatchNorm(nn.Module):
    """Batch norm with statistics for every channel of every joint."""

    def __init__(self, channels: int, joints: int):
        super().__init__()
        self.norm = nn.BatchNorm1d(channels * joints)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.flatten(1, 2)).view_as(x)


class SpatialShiftConv(nn.Module):
    """Shift joints, mask, mix channels, shift back: the graph convolution of Shift-GCN."""

    def __init__(self, inputs: int, outputs: int, joints: int):
        super().__init__()
        self.shift_in = JointShift(inputs, joints, direction=1)
        self.mask = nn.Parameter(torch.zeros(inputs, joints))
        self.weight = nn.Parameter(torch.randn(inputs, outputs) / math.sqrt(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.shift_out = JointShift(outputs, joints, direction=-1)
        self.norm = JointBatchNorm(outputs, joints)
        self.down = _pointwise(inputs, outputs) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        mixed = self.shift_in(x) * (torch.tanh(self.mask) + 1)[..., None]
        mixed = F.conv2d(mixed, self.weight.t()[:, :, None, None], self.bias)
        return F.relu(self.norm(self.shift_out(mixed)) + self.down(x))


class TemporalShiftConv(nn.Module):
    """Shift frames, mix channels, shift frames again: the temporal convolution of Shift-GCN."""

    def __init__(self, channels: int, stride: int):
        super().__init__()
        self.norm_in = nn.BatchNorm2d(channels)
        self.shift_in = TimeShift(channels)
        self.mix = nn.Conv2d(channels, channels, 1)
        self.shift_out = TimeShift(channels, stride)
        self.norm_out = nn.BatchNorm2d(channels)
        nn.init.kaiming_normal_(self.mix.weight, mode="fan_out")

    def forward(self, x: Tensor) -> Tensor:
        mixed = F.relu(self.mix(self.shift_in(self.norm_in(x))))
        return self.norm_out(self.shift_out(mixed))


class Unit(nn.Module):
    """A spatial, then a temporal shift convolution, with a residual around both."""

    def __init__(self, inputs: int, outputs: int, joints: int, stride: int, residual: bool):
        super().__init__()
        self.spatial = SpatialShiftConv(inputs, outputs, joints)
        self.temporal = TemporalShiftConv(outputs, stride)
        self.has_residual = residual
        changes_shape = inputs != outputs or stride != 1
        self.residual = (
            _pointwise(inputs, outputs, stride) if residual and changes_shape else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        out = self.temporal(self.spatial(x))
        return F.relu(out + self.residual(x) if self.has_residual else out)


class PlainShiftGCN(nn.Module):
    """The network of plain units, made like the project's."""

    def __init__(self, widths: list[int], strided_units: list[int], joints: int, classes: int):
        super().__init__()
        self.norms = nn.ModuleList(JointBatchNorm(3, joints) for _ in range(2))
        inputs = (3, *widths[:-1])
        self.units = nn.ModuleList(
            Unit(before, width, joints, 2 if number in strided_units else 1, number > 1)
            for number, (before, width) in enumerate(zip(inputs, widths, strict=True), 1)
        )
        self.classifier = nn.Linear(widths[-1], classes)

    def forward(self, bodies: Tensor, clip: Tensor, person: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.empty_like(bodies)
        for place, norm in enumerate(self.norms):
            if (person == place).any():
                x[person == place] = norm(bodies[person == place])
        for unit in self.units:
            x = unit(x)
        of_bodies = x.mean(dim=(2, 3))
        features = torch.stack([of_bodies[clip == n].mean(0) for n in range(int(clip[-1]) + 1)])
        return self.classifier(features), features


def _pointwise(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=(1, stride)), nn.BatchNorm2d(outputs))
