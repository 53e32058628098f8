"""The graph convolution of Shift-GCN, and the 1x1 convolution beside it."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from msf_kedro.networks import norms
from msf_kedro.networks.norms import Statistics


class JointShift(nn.Module):
    """Non-local shift: slot `(c, v)` takes `(c, (v + direction·c) mod V)`.

    The graph convolution multiplies joint by joint, so joints come first between its two shifts:
    direction 1 takes channels first to joints first, -1 takes joints first to channels first.
    """

    def __init__(self, channels: int, joints: int, direction: int):
        super().__init__()
        channel, joint = torch.arange(channels)[:, None], torch.arange(joints)[None]
        source = (joint + direction * channel) % joints
        if direction == 1:
            order = (channel * joints + source).t().flatten()
        else:
            order = (source * channels + channel).flatten()
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("inverse", torch.argsort(order), persistent=False)

    def forward(self, x: Float[Tensor, "P Q L"]) -> Float[Tensor, "Q P L"]:
        return x.flatten(0, 1).index_select(0, self.order).view(x.shape[1], x.shape[0], x.shape[2])


class JointBatchNorm(nn.Module):
    """Batch norm with statistics for every channel of every joint."""

    def __init__(self, channels: int, joints: int):
        super().__init__()
        self.norm = nn.BatchNorm1d(channels * joints)

    def forward(self, x: Float[Tensor, "C V B T"]) -> Float[Tensor, "C V B T"]:
        return self.norm(x.flatten(0, 1).flatten(1).t()).t().contiguous().view(x.shape)


class Pointwise(nn.Sequential):
    """A 1x1 convolution and its batch norm, of every `stride`-th frame."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__(nn.Conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs))
        self.stride = stride

    def forward(self, x: Float[Tensor, "C V B T"]) -> Float[Tensor, "D L"]:
        """The convolved and normalised frames, joints and bodies behind one another."""
        conv, norm = self
        rows = x[..., :: self.stride].reshape(len(x), -1)
        return _MixAndNormalise.apply(rows, conv.weight, conv.bias, norm.weight, norm.bias, norm)


class _MixAndNormalise(torch.autograd.Function):
    """A matrix product and the batch norm behind it, as one product.

    The statistics of the mixed rows follow from the mean and covariance of the rows.
    """

    @staticmethod
    def forward(ctx, rows, weight, bias, norm_weight, norm_bias, norm):
        matrix = weight.view(weight.shape[:2])
        if norm.training:
            centre = rows.mean(1, dtype=weight.dtype)
            precise = rows.to(weight.dtype)
            covariance = torch.mm(precise, precise.t()).div_(rows.shape[1])
            covariance.addr_(centre, centre, alpha=-1)
            mean, spread = matrix @ centre, matrix @ covariance
            variance = (spread * matrix).sum(1).clamp_min_(0)
            norms.keep_count(norm, mean + bias, variance, rows.shape[1])
            inverse = variance.add_(norm.eps).rsqrt_()
        else:
            centre = spread = None
            mean, inverse = norm.running_mean - bias, (norm.running_var + norm.eps).rsqrt_()
        scale = norm_weight * inverse
        offset = torch.addcmul(norm_bias, mean, scale, value=-1)
        ctx.save_for_backward(rows, weight, norm_weight, mean, inverse, centre, spread)
        scaled = matrix * scale[:, None]
        return torch.addmm(offset.to(rows.dtype)[:, None], scaled.to(rows.dtype), rows)

    @staticmethod
    def backward(ctx, grad):
        rows, weight, norm_weight, mean, inverse, centre, spread = ctx.saved_tensors
        matrix = weight.view(weight.shape[:2])
        scale = norm_weight * inverse
        of_scaled = torch.mm(grad, rows.t()).to(weight.dtype)
        of_bias = grad.sum(1, dtype=weight.dtype)
        of_scale = (of_scaled * matrix).sum(1).addcmul_(mean, of_bias, value=-1)
        of_weight, of_norm_weight = of_scaled.mul_(scale[:, None]), of_scale * inverse
        of_rows = torch.mm((matrix * scale[:, None]).to(rows.dtype).t(), grad)
        of_mean = -scale * of_bias
        if spread is None:
            of_own_bias = -of_mean
        else:
            of_own_bias = torch.zeros_like(of_mean)  # it leaves with the mean
            of_variance = of_scale.mul_(norm_weight).mul_(inverse.pow(3)).mul_(-0.5)
            of_weight.addcmul_(spread, of_variance[:, None], value=2).addr_(of_mean, centre)
            of_covariance = (matrix.t() * of_variance) @ matrix
            of_covariance.mul_(2 / rows.shape[1])
            level = (of_mean @ matrix).div_(rows.shape[1]).sub_(of_covariance @ centre)
            of_rows.addmm_(of_covariance.to(rows.dtype), rows).add_(level.to(rows.dtype)[:, None])
        return of_rows, of_weight.view(weight.shape), of_own_bias, of_norm_weight, of_bias, None


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
        self.down = Pointwise(inputs, outputs) if inputs != outputs else nn.Identity()

    def forward(self, x: Float[Tensor, "C V B T"]) -> Float[Tensor, "D V B T"]:
        norm = self.norm.norm
        out = _Convolve.apply(
            x.flatten(2),
            self.down(x).reshape(len(norm.weight), -1),
            self.mask,
            self.weight,
            self.bias,
            norm.weight,
            norm.bias,
            norm,
            self.shift_in,
            self.shift_out,
        )
        return out.view(-1, *x.shape[1:])


class _Convolve(torch.autograd.Function):
    """All but the residual's convolution, with a gradient of its own; masks are in the weights."""

    @staticmethod
    def forward(ctx, x, residual, mask, weight, bias, norm_weight, norm_bias, *norm_and_shifts):
        norm, shift_in, shift_out = norm_and_shifts
        factor = torch.tanh(mask).add_(1).t()
        masked = (factor[:, :, None] * weight).to(x.dtype)  # (V, C, D)
        shifted = shift_in(x)
        rows = shift_out(torch.bmm(masked.transpose(1, 2), shifted)).flatten(0, 1)
        found = norms.statistics(rows, norm, bias.repeat_interleave(len(factor)))
        out = norms.add_relu(rows, found, norm_weight, norm_bias, residual)
        ctx.save_for_backward(shifted, masked, factor, weight, rows, out, norm_weight, *found)
        ctx.of_batch, ctx.shifts = norm.training, (shift_in, shift_out)
        return out

    @staticmethod
    def backward(ctx, grad):
        shifted, masked, factor, weight, rows, out, norm_weight, *found = ctx.saved_tensors
        shift_in, shift_out = ctx.shifts
        grad = torch.ops.aten.threshold_backward(grad, out, 0)
        of_rows, of_norm_weight, of_norm_bias = norms.add_relu_gradients(
            grad, rows, Statistics(*found), norm_weight, ctx.of_batch
        )
        joints = len(factor)
        of_mixed = of_rows.index_select(0, shift_out.inverse).view(joints, -1, rows.shape[1])
        of_x = torch.bmm(masked, of_mixed).flatten(0, 1).index_select(0, shift_in.inverse)
        of_masked = torch.bmm(shifted, of_mixed.transpose(1, 2)).to(weight.dtype)
        by_channel = of_masked.transpose(0, 1)  # (C, V, D)
        of_weight = torch.bmm(factor.t()[:, None], by_channel)[:, 0]
        of_factor = torch.bmm(by_channel, weight[:, :, None])[:, :, 0]
        of_mask = of_factor.mul_((factor - 1).square_().neg_().add_(1).t())
        of_bias = torch.zeros_like(weight[0])  # in training it leaves with the mean
        if not ctx.of_batch:
            of_bias = (of_norm_bias * norm_weight * found[1]).view(-1, joints).sum(1)
        of_x = of_x.view(-1, joints, rows.shape[1])
        return (of_x, grad, of_mask, of_weight, of_bias, of_norm_weight, of_norm_bias,
                None, None, None)  # fmt: skip
