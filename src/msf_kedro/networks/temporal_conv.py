"""The temporal convolution of Shift-GCN."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from msf_kedro.networks import norms, time_shift
from msf_kedro.networks.norms import Statistics
from msf_kedro.networks.time_shift import TimeShift


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

    def forward(
        self, x: Float[Tensor, "C V B T"], residual: Float[Tensor, "C L"] | None
    ) -> Float[Tensor, "C V B U"]:
        """ReLU of the convolved frames plus the residual."""
        norms_ = self.norm_in, self.norm_out
        out = _Convolve.apply(
            x.flatten(1, 2),
            residual,
            self.shift_in.shift,
            self.shift_out.shift,
            self.mix.weight,
            self.mix.bias,
            *(part for norm in norms_ for part in (norm.weight, norm.bias)),
            norms_,
            self.shift_out.stride,
        )
        return out.view(*x.shape[:3], -1)


class _Convolve(torch.autograd.Function):
    """All of it, with a gradient of its own.

    The first batch norm's scale goes into the first shift and its offset behind the mixing, where
    it differs between frames only if the shift takes in zeros from outside.
    """

    @staticmethod
    def forward(ctx, x, residual, shift_in, shift_out, weight, bias, *affine_norms_stride):
        weight_in, bias_in, weight_out, bias_out, (norm_in, norm_out), stride = affine_norms_stride
        channels, _, frames = x.shape
        found = norms.statistics(x.view(channels, -1), norm_in)
        scale = weight_in * found.inverse
        band = time_shift.weights(shift_in, frames, 1)
        shifted = time_shift.product(x, band * scale[:, None, None], 1)
        ones = time_shift.coverage(band, frames, 1)
        constant = torch.addcmul(bias_in, found.mean, scale, value=-1)[:, None]
        matrix = weight.view(channels, channels)
        offset = torch.addmm(bias[:, None], matrix, constant * ones)
        mixed = torch.mm(matrix.to(x.dtype), shifted.view(channels, -1)).view(x.shape)
        mixed.add_(offset.to(x.dtype)[:, None]).relu_()
        band_out = time_shift.weights(shift_out, frames, stride)
        rows = time_shift.product(mixed, band_out, stride).view(channels, -1)
        found_out = norms.statistics(rows, norm_out)
        out = norms.add_relu(rows, found_out, weight_out, bias_out, residual)
        ctx.save_for_backward(x, shifted, mixed, rows, out, shift_in, shift_out, weight, weight_in,
                              weight_out, band, band_out, ones, constant,
                              *found, *found_out)  # fmt: skip
        ctx.stride, ctx.of_batch, ctx.has_residual = stride, norm_in.training, residual is not None
        return out

    @staticmethod
    def backward(ctx, grad):
        (x, shifted, mixed, rows, out, shift_in, shift_out, weight, weight_in, weight_out, band,
         band_out, ones, constant, mean, inverse, *found_out) = ctx.saved_tensors  # fmt: skip
        channels, length, frames = x.shape
        grad = torch.ops.aten.threshold_backward(grad, out, 0)
        of_rows, of_weight_out, of_bias_out = norms.add_relu_gradients(
            grad, rows, Statistics(*found_out), weight_out, ctx.of_batch
        )
        of_mixed, of_band_out = time_shift.gradients(
            mixed, band_out, ctx.stride, of_rows.view(channels, length, -1)
        )
        torch.ops.aten.threshold_backward.grad_input(of_mixed, mixed, 0, grad_input=of_mixed)
        # The mixing of the shifted frames, and of the first norm's offset
        of_offset = of_mixed.new_ones(channels, 1, length).bmm(of_mixed)[:, 0].to(weight.dtype)
        of_mixed, matrix = of_mixed.view(channels, -1), weight.view(channels, channels)
        of_weight = torch.mm(of_mixed, shifted.view(channels, -1).t()).to(weight.dtype)
        of_weight.addmm_(of_offset, (constant * ones).t())
        of_shifted = torch.mm(matrix.to(x.dtype).t(), of_mixed).view(x.shape)
        of_product = torch.mm(matrix.t(), of_offset)
        of_constant = (of_product * ones).sum(1)
        # The first shift, scaled by the first norm
        scale = weight_in * inverse
        of_x, of_band = time_shift.gradients(x, band * scale[:, None, None], 1, of_shifted)
        of_band = of_band.to(weight.dtype)
        of_scale = (of_band * band).sum((1, 2)).addcmul_(of_constant, mean, value=-1)
        of_band.mul_(scale[:, None, None])
        time_shift.add_coverage_gradient(of_band, of_product.mul_(constant), frames, 1)
        if ctx.of_batch:
            slope = (of_scale * weight_in).mul_(inverse.pow(3)).div_(-length * frames)
            level = (of_constant * scale).div_(-length * frames).addcmul_(slope, mean, value=-1)
            slope, level = (part.to(x.dtype)[:, None, None] for part in (slope, level))
            of_x.addcmul_(x, slope).add_(level)
        return (
            of_x,
            grad if ctx.has_residual else None,
            time_shift.shift_gradient(of_band, shift_in, frames, 1),
            time_shift.shift_gradient(of_band_out.to(weight.dtype), shift_out, frames, ctx.stride),
            of_weight.view(weight.shape),
            of_offset.sum(1),
            of_scale.mul_(inverse),
            of_constant,
            of_weight_out,
            of_bias_out,
            None,
            None,
        )
