"""Batch norms as the rows of a matrix, a row for each channel, to be joined with what follows."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d
PIECE = 4096  # values; longer rows are summed piece by piece, which keeps single precision


class Statistics(NamedTuple):
    """What a batch norm subtracts from each row, and multiplies it with before its own weight."""

    mean: Float[Tensor, " R"]
    inverse: Float[Tensor, " R"]


def statistics(
    rows: Float[Tensor, "R L"], norm: BatchNorm, bias: Float[Tensor, " R"] | None = None
) -> Statistics:
    """Those of the batch in training, which the norm keeps count of; otherwise the kept ones.

    Args:
        bias: that the rows still lack; it only moves the mean.
    """
    if not norm.training:
        mean = norm.running_mean if bias is None else norm.running_mean - bias
        return Statistics(mean, (norm.running_var + norm.eps).rsqrt_())
    mean, variance = moments(rows)
    keep_count(norm, mean if bias is None else mean + bias, variance, rows.shape[1])
    return Statistics(mean, variance.add_(norm.eps).rsqrt_())


def moments(rows: Float[Tensor, "R L"]) -> tuple[Float[Tensor, " R"], Float[Tensor, " R"]]:
    """Mean and variance of every row."""
    length = rows.shape[1]
    kind = torch.promote_types(rows.dtype, torch.float32)
    mean = rows.mean(1, dtype=kind)
    if length > PIECE:
        pieces = next(n for n in range(-(-length // PIECE), length + 1) if length % n == 0)
        norms = torch.linalg.vector_norm(rows.view(len(rows), pieces, -1), dim=2, dtype=kind)
        square = torch.linalg.vector_norm(norms, dim=1).square_()
    else:
        square = torch.linalg.vector_norm(rows, dim=1, dtype=kind).square_()
    return mean, square.div_(length).addcmul_(mean, mean, value=-1).clamp_min_(0)


def keep_count(
    norm: BatchNorm, mean: Float[Tensor, " R"], variance: Float[Tensor, " R"], values: int
) -> None:
    """Move the running statistics of a batch norm towards those of a batch.

    Args:
        variance: of the `values` of a row, without Bessel's correction.
    """
    norm.num_batches_tracked.add_(1)
    norm.running_mean.lerp_(mean, norm.momentum)
    bessel = values / max(1, values - 1)
    norm.running_var.mul_(1 - norm.momentum).add_(variance, alpha=bessel * norm.momentum)


def add_relu(
    rows: Float[Tensor, "R L"],
    found: Statistics,
    weight: Float[Tensor, " R"],
    bias: Float[Tensor, " R"],
    residual: Float[Tensor, "R L"] | None,
) -> Float[Tensor, "R L"]:
    """ReLU of the batch norm plus a residual, if there is one."""
    scale = weight * found.inverse
    offset = torch.addcmul(bias, found.mean, scale, value=-1)
    scale, offset = scale.to(rows.dtype)[:, None], offset.to(rows.dtype)[:, None]
    out = rows * scale if residual is None else torch.addcmul(residual, rows, scale)
    return out.add_(offset).relu_()


def add_relu_gradients(
    grad: Float[Tensor, "R L"],
    rows: Float[Tensor, "R L"],
    found: Statistics,
    weight: Float[Tensor, " R"],
    of_batch: bool,
) -> tuple[Float[Tensor, "R L"], Float[Tensor, " R"], Float[Tensor, " R"]]:
    """Gradients of the rows, the weight and the bias of a batch norm.

    Args:
        grad: of the norm's output.
        of_batch: whether the statistics are those of the rows.
    """
    mean, inverse = found
    scale = weight * inverse
    product = grad * rows
    of_bias = grad.sum(1, dtype=mean.dtype)
    of_weight = product.sum(1, dtype=mean.dtype).addcmul_(mean, of_bias, value=-1).mul_(inverse)
    if not of_batch:
        return torch.mul(grad, scale.to(grad.dtype)[:, None], out=product), of_weight, of_bias
    slope = (scale * inverse).mul_(of_weight).div_(-rows.shape[1])
    constant = (scale * of_bias).div_(-rows.shape[1]).addcmul_(slope, mean, value=-1)
    slope, scale, constant = (part.to(rows.dtype)[:, None] for part in (slope, scale, constant))
    of_rows = torch.mul(rows, slope, out=product).addcmul_(grad, scale).add_(constant)
    return of_rows, of_weight, of_bias
