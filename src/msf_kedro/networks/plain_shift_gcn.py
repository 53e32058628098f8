"""Shift-GCN in evaluation mode as plain tensor operations, for programs that trace a network.

It has no branch on data, no gradient and no batch statistics: a network's state becomes constants.
Slower than `ShiftGCN`, which it gives the same answers as.
"""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from msf_kedro.networks.shift_gcn import PERSONS, ShiftGCN

EPSILON = nn.BatchNorm2d(1).eps


class PlainShiftGCN(nn.Module):
    """Features of bodies, and logits of clips' features.

    Args:
        network: whose state it has, on the CPU.
        frames: the largest number that a body will have.
    """

    def __init__(self, network: ShiftGCN, frames: int):
        super().__init__()
        architecture = network.architecture
        state = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
        joints, widths = architecture["joints"], architecture["widths"]
        norms = [_affine(state, f"norms.{person}.norm.") for person in range(PERSONS)]
        scale, offset = (
            torch.stack(part).unflatten(1, (-1, joints)) for part in zip(*norms, strict=True)
        )
        self.register_buffer("scale", scale[..., None])
        self.register_buffer("offset", offset[..., None])
        self.units = nn.ModuleList(
            _Unit(
                {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)},
                joints,
                2 if number in architecture["strided_units"] else 1,
                number > 1,
                frames,
            )
            for number, start in ((n, f"units.{n - 1}.") for n in range(1, len(widths) + 1))
        )
        self.register_buffer("weight", state["classifier.weight"])
        self.register_buffer("bias", state["classifier.bias"])

    def forward(
        self, bodies: Float[Tensor, "B C V T"], person: Int[Tensor, " B"]
    ) -> Float[Tensor, "B D"]:
        """Features of bodies; `person` is each one's place in its clip, 0 or 1."""
        x = bodies * self.scale[person] + self.offset[person]
        for unit in self.units:
            x = unit(x)
        return x.mean(dim=(2, 3))

    def classify(self, features: Float[Tensor, "N D"]) -> Float[Tensor, "N K"]:
        """Logits of the seen classes."""
        return F.linear(features, self.weight, self.bias)


class _Unit(nn.Module):
    def __init__(
        self, state: Mapping[str, Tensor], joints: int, stride: int, residual: bool, frames: int
    ):
        super().__init__()
        inputs, outputs = state["spatial.weight"].shape
        self.joints, self.stride, self.has_residual = joints, stride, residual
        constants = {
            "order_in": _joint_order(inputs, joints, 1),
            "order_out": _joint_order(outputs, joints, -1),
            "mask": (torch.tanh(state["spatial.mask"]) + 1)[..., None],
            "weight": state["spatial.weight"].t()[:, :, None, None],
            "bias": state["spatial.bias"],
            "kernel_in": _kernel(state["temporal.shift_in.shift"], frames),
            "mix_weight": state["temporal.mix.weight"],
            "mix_bias": state["temporal.mix.bias"],
            "kernel_out": _kernel(
                state["temporal.shift_out.shift"] + (0.5 if stride == 2 else 0.0), frames
            ),
        }
        for name, start in (("before", "temporal.norm_in."), ("after", "temporal.norm_out.")):
            for what, part in zip(("scale", "offset"), _affine(state, start), strict=True):
                constants[f"{name}_{what}"] = part[:, None, None]
        for what, part in zip(
            ("scale", "offset"), _affine(state, "spatial.norm.norm."), strict=True
        ):
            constants[f"spatial_{what}"] = part.view(outputs, joints, 1)
        for name, constant in constants.items():
            self.register_buffer(name, constant.contiguous())
        self.down = _Pointwise(state, "spatial.down.", 1)
        self.residual = _Pointwise(state, "residual.", stride)

    def forward(self, x: Float[Tensor, "B C V T"]) -> Float[Tensor, "B D V U"]:
        mixed = F.conv2d(self._gather(x, self.order_in) * self.mask, self.weight, self.bias)
        mixed = self._gather(mixed, self.order_out) * self.spatial_scale + self.spatial_offset
        out = F.relu(mixed + self.down(x))
        out = _shift(out * self.before_scale + self.before_offset, self.kernel_in, 1)
        out = F.relu(F.conv2d(out, self.mix_weight, self.mix_bias))
        out = _shift(out, self.kernel_out, self.stride) * self.after_scale + self.after_offset
        return F.relu(out + self.residual(x) if self.has_residual else out)

    def _gather(self, x: Tensor, order: Tensor) -> Tensor:
        return x.flatten(1, 2).index_select(1, order).unflatten(1, (-1, self.joints))


class _Pointwise(nn.Module):
    """A 1x1 convolution with its batch norm; the identity where the state has none."""

    def __init__(self, state: Mapping[str, Tensor], start: str, stride: int):
        super().__init__()
        self.stride, self.is_there = stride, f"{start}0.weight" in state
        if self.is_there:
            scale, offset = _affine(state, f"{start}1.")
            weight = state[f"{start}0.weight"].flatten(1)[:, :, None, None]
            self.register_buffer("weight", weight * scale[:, None, None, None])
            self.register_buffer("bias", offset + scale * state[f"{start}0.bias"])

    def forward(self, x: Float[Tensor, "B C V T"]) -> Float[Tensor, "B D V U"]:
        if not self.is_there:
            return x
        return F.conv2d(x, self.weight, self.bias, stride=(1, self.stride))


def _joint_order(channels: int, joints: int, direction: int) -> Int[Tensor, " CV"]:
    """Slot `(c, v)` takes `(c, (v + direction·c) mod V)`."""
    channel = torch.arange(channels)[:, None]
    source = (torch.arange(joints)[None] + direction * channel) % joints
    return (channel * joints + source).flatten()


def _affine(state: Mapping[str, Tensor], start: str) -> tuple[Tensor, Tensor]:
    """Scale and offset of a batch norm in evaluation mode."""
    scale = state[f"{start}weight"] * (state[f"{start}running_var"] + EPSILON).rsqrt()
    return scale, state[f"{start}bias"] - scale * state[f"{start}running_mean"]


def _kernel(position: Float[Tensor, " C"], frames: int) -> Float[Tensor, "C 1 1 R"]:
    """Weights of the frames around one: of the two next to a channel's position."""
    reach = max(1, math.ceil(min(frames, position.abs().max().item())))
    taps = torch.arange(-reach, reach + 1)
    return (1 - (taps - position[:, None]).abs()).clamp_min(0)[:, None, None]


def _shift(x: Float[Tensor, "B C V T"], kernel: Tensor, stride: int) -> Float[Tensor, "B C V U"]:
    padding = (0, kernel.shape[-1] // 2)
    return F.conv2d(x, kernel, stride=(1, stride), padding=padding, groups=kernel.shape[0])
