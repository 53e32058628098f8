"""Shift-GCN: a graph convolution network that shifts joints and frames instead of summing them.

Activations are `(B, C, V, T)` with time innermost, where `B` runs over the bodies that are there:
a shift then moves contiguous rows, and an absent body costs nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from msf_kedro.configuration import configuration
from msf_kedro.networks.padded_shift_gcn import PaddedShiftGCN
from msf_kedro.released.checkpoint import convert

CHANNELS = 3  # coordinates of a joint; 2 of poses in an image
PERSONS = 2  # bodies per clip with batch-norm statistics of their own
WIDE_REACH = 3  # frames; up to here a convolution is the fastest time shift


@configuration
class ShiftGCNConfig:
    """Architecture of one Shift-GCN.

    Attributes:
        widths: channels of each unit; the last is the width `D` of the features.
        strided_units: the units (counted from 1) that halve the number of frames.
    """

    widths: Annotated[list[PositiveInt], Field(min_length=1)]
    strided_units: list[int]

    def __post_init__(self):
        if any(not 2 <= unit <= len(self.widths) for unit in self.strided_units):
            raise ValueError(
                f"strided_units is {self.strided_units}, expected units from 2 to"
                f" {len(self.widths)}, the number of widths"
            )


class _Permute(torch.autograd.Function):
    """Reorder rows by a permutation; the gradient is a gather as well, not a scatter."""

    @staticmethod
    def forward(ctx, rows, order, inverse):
        ctx.save_for_backward(inverse)
        return rows.index_select(1, order)

    @staticmethod
    def backward(ctx, grad):
        (inverse,) = ctx.saved_tensors
        return grad.contiguous().index_select(1, inverse), None, None


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
        self.register_buffer("inverse", torch.argsort(order), persistent=False)

    def forward(self, x: Float[Tensor, "B C V T"]) -> Float[Tensor, "B C V T"]:
        return _Permute.apply(x.flatten(1, 2), self.order, self.inverse).view_as(x)


class TimeShift(nn.Module):
    """Shift every channel in time by a learnt real number of frames.

    Linear interpolation of the two neighbouring frames, zeros outside; output frame `t` samples
    `stride·t + shift` (and half a frame more where the stride is 2). Written as a depth-wise
    convolution with a two-tap kernel, whose width follows the largest shift; where that is wide
    and the shifts are not being trained, as two gathers, which are then faster.
    """

    def __init__(self, channels: int, stride: int = 1):
        super().__init__()
        self.shift = nn.Parameter(torch.empty(channels).uniform_(-1, 1))
        self.stride = stride

    def forward(self, x: Float[Tensor, "B C V T"]) -> Float[Tensor, "B C V U"]:
        position = _SignGradient.apply(self.shift) + (0.5 if self.stride == 2 else 0.0)
        largest = position.detach().abs().max().item()
        # Beyond the frames lie zeros only. In this order NaN gives a width too, and then NaN.
        reach = max(1, math.ceil(min(x.shape[3], largest)))
        if reach > WIDE_REACH and not position.requires_grad:
            return _sample(x, position, self.stride)
        taps = torch.arange(-reach, reach + 1, device=x.device)
        kernel = (1 - (taps - position[:, None]).abs()).clamp_min(0).to(x.dtype)[:, None, None]
        return F.conv2d(x, kernel, stride=(1, self.stride), padding=(0, reach), groups=x.shape[1])


def _sample(
    x: Float[Tensor, "B C V T"], position: Float[Tensor, " C"], stride: int
) -> Float[Tensor, "B C V U"]:
    """Frame `t` of each channel from `stride·t + position`, between its neighbouring frames."""
    frames = x.shape[3]
    before = position.floor()
    later = (position - before)[:, None]
    first = before.long()[:, None] + torch.arange(0, frames, stride, device=x.device)

    def weighted(frame: Tensor, weight: Tensor) -> Tensor:
        weight = (weight * ((frame >= 0) & (frame < frames))).to(x.dtype)
        index = frame.clamp(0, frames - 1)[:, None].expand(*x.shape[:3], -1)
        return x.gather(3, index).mul_(weight[:, None])

    return weighted(first, 1 - later).add_(weighted(first + 1, later))


class JointBatchNorm(nn.Module):
    """Batch norm with statistics for every channel of every joint."""

    def __init__(self, channels: int, joints: int):
        super().__init__()
        self.norm = nn.BatchNorm1d(channels * joints)

    def forward(self, x: Float[Tensor, "B C V T"]) -> Float[Tensor, "B C V T"]:
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

    def forward(self, x: Float[Tensor, "B C V T"]) -> Float[Tensor, "B D V T"]:
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

    def forward(self, x: Float[Tensor, "B C V T"]) -> Float[Tensor, "B C V U"]:
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

    def forward(self, x: Float[Tensor, "B C V T"]) -> Float[Tensor, "B D V U"]:
        out = self.temporal(self.spatial(x))
        return F.relu(out + self.residual(x) if self.has_residual else out)


class ShiftGCN(nn.Module):
    """Skeleton features and seen-class logits of clips (Cheng et al., CVPR 2020; MSF stage 1).

    Attributes:
        architecture: plain values that, with the number of classes, rebuild the network.
    """

    def __init__(self, config: ShiftGCNConfig, joints: int, classes: int, channels: int = CHANNELS):
        super().__init__()
        self.architecture = asdict(config) | {"joints": joints, "channels": channels}
        self.norms = nn.ModuleList(JointBatchNorm(channels, joints) for _ in range(PERSONS))
        inputs = (channels, *config.widths[:-1])
        self.units = nn.ModuleList(
            Unit(before, width, joints, 2 if number in config.strided_units else 1, number > 1)
            for number, (before, width) in enumerate(zip(inputs, config.widths, strict=True), 1)
        )
        self.classifier = nn.Linear(config.widths[-1], classes)
        nn.init.normal_(self.classifier.weight, 0, math.sqrt(2.0 / classes))

    @classmethod
    def from_state(
        cls, architecture: Mapping[str, Any], classes: int, state: Mapping[str, Tensor]
    ) -> "ShiftGCN":
        """The network of this `architecture` (see the attribute), with a saved state."""
        sizes = {name: architecture[name] for name in ("joints", "channels")}
        config = {name: value for name, value in architecture.items() if name not in sizes}
        network = cls(ShiftGCNConfig(**config), classes=classes, **sizes)
        network.load_state_dict(state)
        return network

    @classmethod
    def from_released(cls, state_dict: Mapping[str, Any]) -> PaddedShiftGCN:
        """The network of a released checkpoint, in evaluation mode.

        Calling it takes clips in the release's layout, `(N, 3, T, 25, 2)`, to logits and features.

        Raises:
            ValueError: this is not such a state dict; names keys, what was found and expected.
        """
        return PaddedShiftGCN(cls.from_state(*convert(state_dict)))

    def forward(
        self, bodies: Float[Tensor, "B C V T"], clip: Int[Tensor, " B"], person: Int[Tensor, " B"]
    ) -> tuple[Float[Tensor, "N K"], Float[Tensor, "N D"]]:
        """Logits and features of a batch of clips.

        Args:
            bodies: the bodies of all clips, one after another.
            clip: for each body its clip's place in the batch, from 0, ascending.
            person: for each body its place in the clip, 0 or 1.
        """
        of_bodies = self.body_features(bodies, person)
        counts = torch.bincount(clip)
        total = of_bodies.new_zeros(len(counts), of_bodies.shape[1]).index_add(0, clip, of_bodies)
        features = total / counts[:, None]
        return self.classifier(features), features

    def body_features(
        self, bodies: Float[Tensor, "B C V T"], person: Int[Tensor, " B"]
    ) -> Float[Tensor, "B D"]:
        """Features of bodies, each by itself; `person` is its place in its clip, 0 or 1."""
        x = self._normalise(bodies, person)
        for unit in self.units:
            x = unit(x)
        return x.mean(dim=(2, 3))

    def _normalise(self, bodies: Tensor, person: Tensor) -> Tensor:
        """Batch norm with statistics of its own for first and for second bodies."""
        if not person.any():
            return self.norms[0](bodies)
        out = torch.empty_like(bodies)
        for place, norm in enumerate(self.norms):
            chosen = person == place
            out[chosen] = norm(bodies[chosen]).to(out.dtype)
        return out


def _pointwise(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=(1, stride)), nn.BatchNorm2d(outputs))
