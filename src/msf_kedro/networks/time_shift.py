"""Shifting every channel in time by a learnt real number of frames.

Written as a matrix product over time, with a matrix for each channel that is zero off a band: its
zeros cost less than reading the frames twice. Many frames go through in blocks, as all blocks share
one part of the band.
"""

import math
from collections.abc import Iterator
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor, nn

DENSE = 64  # frames; up to here the whole matrix is the fastest
BLOCK = 32  # output frames of a block


class TimeShift(nn.Module):
    """Shift every channel in time by a learnt real number of frames.

    Linear interpolation of the two neighbouring frames, zeros outside; output frame `t` samples
    `stride·t + shift` (and half a frame more where the stride is 2). The gradient of a shift is
    replaced by its sign times 0.01 (0.0001 where it is zero).
    """

    def __init__(self, channels: int, stride: int = 1):
        super().__init__()
        self.shift = nn.Parameter(torch.empty(channels).uniform_(-1, 1))
        self.stride = stride

    def forward(self, x: Float[Tensor, "C V B T"]) -> Float[Tensor, "C V B U"]:
        return _Shift.apply(x.flatten(1, 2), self.shift, self.stride).view(*x.shape[:3], -1)


class _Shift(torch.autograd.Function):
    """One shift by itself; convolutions join it with more."""

    @staticmethod
    def forward(ctx, rows, shift, stride):
        band = weights(shift, rows.shape[2], stride)
        ctx.save_for_backward(rows, shift, band)
        ctx.stride = stride
        return product(rows, band, stride)

    @staticmethod
    def backward(ctx, grad):
        rows, shift, band = ctx.saved_tensors
        of_rows, of_band = gradients(rows, band, ctx.stride, grad)
        return of_rows, shift_gradient(of_band, shift, rows.shape[2], ctx.stride), None


def weights(shift: Float[Tensor, " C"], frames: int, stride: int) -> Float[Tensor, "C S K"]:
    """Weights of input frames in output frames; of many frames those of one block."""
    reach = 0 if frames <= DENSE else _reach(shift, frames, stride)
    distance = _distances(frames, reach, stride, shift.device, shift.dtype) - shift[:, None, None]
    return distance.abs_().neg_().add_(1).clamp_min_(0)


def shift_gradient(
    of_weights: Float[Tensor, "C S K"], shift: Float[Tensor, " C"], frames: int, stride: int
) -> Float[Tensor, " C"]:
    """The gradient with which a shift is trained, from that of its weights."""
    width, outputs = of_weights.shape[1:]
    reach = 0 if frames <= DENSE else (width - 1 - stride * (outputs - 1)) // 2
    distance = _distances(frames, reach, stride, shift.device, shift.dtype) - shift[:, None, None]
    rising = distance.sign()
    rising.mul_(distance.abs_() <= 1)
    grad = rising.mul_(of_weights).sum((1, 2))
    return torch.where(grad == 0, 1e-4, grad.sign_() * 1e-2)


def coverage(band: Float[Tensor, "C S K"], frames: int, stride: int) -> Float[Tensor, "C U"]:
    """What a shift makes of ones: less where it samples beyond the first or last frame."""
    if frames <= DENSE:
        return band.sum(1)
    parts = [band[:, taps, : outputs.stop - outputs.start].sum(1)
             for outputs, _, taps in _blocks(frames, band, stride)]  # fmt: skip
    return torch.cat(parts, 1)


def add_coverage_gradient(
    of_band: Float[Tensor, "C S K"], of_coverage: Float[Tensor, "C U"], frames: int, stride: int
) -> None:
    """Add to the gradient of the weights what comes from their coverage."""
    if frames <= DENSE:
        of_band.add_(of_coverage[:, None])
        return
    for outputs, _, taps in _blocks(frames, of_band, stride):
        of_band[:, taps, : outputs.stop - outputs.start].add_(of_coverage[:, None, outputs])


def product(
    rows: Float[Tensor, "C R T"], band: Float[Tensor, "C S K"], stride: int
) -> Float[Tensor, "C R U"]:
    """Rows shifted by the weights."""
    band, frames = band.to(rows.dtype), rows.shape[2]
    if frames <= DENSE:
        return torch.bmm(rows, band)
    out = rows.new_empty(*rows.shape[:2], -(-frames // stride))
    for outputs, inputs, taps in _blocks(frames, band, stride):
        part = band[:, taps, : outputs.stop - outputs.start]
        torch.bmm(rows[:, :, inputs], part, out=out[:, :, outputs])
    return out


def gradients(
    rows: Float[Tensor, "C R T"],
    band: Float[Tensor, "C S K"],
    stride: int,
    grad: Float[Tensor, "C R U"],
) -> tuple[Float[Tensor, "C R T"], Float[Tensor, "C S K"]]:
    """Gradients of rows and weights, from that of their product."""
    band, frames = band.to(rows.dtype), rows.shape[2]
    if frames <= DENSE:
        return torch.bmm(grad, band.transpose(1, 2)), torch.bmm(rows.transpose(1, 2), grad)
    of_rows, of_band = torch.zeros_like(rows), torch.zeros_like(band)
    for outputs, inputs, taps in _blocks(frames, band, stride):
        part, below = band[:, taps, : outputs.stop - outputs.start], grad[:, :, outputs]
        of_rows[:, :, inputs].baddbmm_(below, part.transpose(1, 2))
        of_part = of_band[:, taps, : outputs.stop - outputs.start]
        of_part.baddbmm_(rows[:, :, inputs].transpose(1, 2), below)
    return of_rows, of_band


def _reach(shift: Tensor, frames: int, stride: int) -> int:
    """How many frames before and after an output frame's own can be in it."""
    # Beyond the frames lie zeros only. In this order NaN gives a reach too, and then NaN.
    largest = shift.detach().abs().max().item() + (0.5 if stride == 2 else 0.0)
    return max(1, math.ceil(min(frames, largest)))


@lru_cache(64)
@torch.inference_mode(False)
def _distances(
    frames: int, reach: int, stride: int, device: torch.device, dtype: torch.dtype
) -> Float[Tensor, "S K"]:
    """How far input frames, from `-reach` on, lie behind where unshifted outputs sample."""
    outputs = BLOCK if reach else -(-frames // stride)
    width = stride * (BLOCK - 1) + 2 * reach + 1 if reach else frames
    sampled = stride * torch.arange(outputs, device=device) + (0.5 if stride == 2 else 0.0)
    return (torch.arange(width, device=device)[:, None] - reach - sampled).to(dtype)


def _blocks(frames: int, band: Tensor, stride: int) -> Iterator[tuple[slice, slice, slice]]:
    """For each block its output frames, the input frames they need, and the rows of the band."""
    width, block = band.shape[1:]
    reach = (width - 1 - stride * (block - 1)) // 2
    outputs = -(-frames // stride)
    for start in range(0, outputs, block):
        first = stride * start - reach
        inputs = slice(max(0, first), min(frames, first + width))
        taps = slice(inputs.start - first, inputs.stop - first)
        yield slice(start, min(outputs, start + block)), inputs, taps
