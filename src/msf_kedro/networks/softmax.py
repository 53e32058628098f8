"""The error of many linear soft-max classifiers at once, and its gradient in the same pass."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd import Function

PIECE = 2**22  # values of samples at a time: logits and gradient of a piece stay in the cache


def cross_entropy(
    weight: Float[Tensor, "R Z K"],
    bias: Float[Tensor, "R 1 K"],
    samples: Float[Tensor, "R n Z"],
    relu: bool,
) -> tuple[Float[Tensor, " R"], Float[Tensor, " R"]]:
    """Mean cross-entropy of every classifier, and the share of samples that it gets right.

    Samples are sorted by class, as many of each, and get no gradient. The gradient is written out,
    and computed while a piece of the samples is at hand: with many classes and samples, autograd's
    passes over logits and samples take longer than the matrix products.

    Args:
        relu: whether a ReLU follows the logits.
    """
    return _CrossEntropy.apply(weight, bias, samples, relu)


class _CrossEntropy(Function):
    @staticmethod
    def forward(ctx, weight, bias, samples, relu):
        at_once = max(1, PIECE // samples[0].numel())
        pieces = [tensor.split(at_once) for tensor in (weight, bias, samples)]
        found = [_piece(*piece, relu) for piece in zip(*pieces, strict=True)]
        error, right, *gradients = (torch.cat(parts) for parts in zip(*found, strict=True))
        ctx.save_for_backward(*gradients)
        ctx.mark_non_differentiable(right)
        return error, right

    @staticmethod
    def backward(ctx, of_error, of_right):
        of_weight, of_bias = ctx.saved_tensors
        factor = of_error[:, None, None]
        return of_weight * factor, of_bias * factor, None, None


def _piece(weight, bias, samples, relu) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Error, share that is right, and the error's gradients by weight and bias."""
    # Classes first, as rows are long then; the product of a transposed weight can take long.
    logits = torch.baddbmm(bias.mT, weight.mT.contiguous(), samples.mT)
    logits = logits.to(weight.dtype)
    logits = logits.relu_() if relu else logits
    flat = logits <= 0 if relu else None
    right = _right(logits, relu).to(weight.dtype).mean((1, 2))
    logits.sub_(logits.amax(1, keepdim=True))
    own_logits = _own(logits).mean((1, 2))
    probs = logits.exp_()
    total = probs.sum(1, keepdim=True)
    error = total.log().mean((1, 2)) - own_logits
    gradient = probs.div_(total)
    _own(gradient).sub_(1)
    gradient = gradient.masked_fill_(flat, 0) if relu else gradient
    of_weight, of_bias = torch.bmm(gradient, samples).mT, gradient.sum(2)[:, None]
    return error, right, of_weight / samples.shape[1], of_bias / samples.shape[1]


def _own(values: Float[Tensor, "R K n"]) -> Float[Tensor, "R p K"]:
    """A view of what samples have at their own class: a column for each class."""
    return values.unflatten(2, (values.shape[1], -1)).diagonal(dim1=1, dim2=2)


def _right(logits: Float[Tensor, "R K n"], relu: bool) -> Bool[Tensor, "R p K"]:
    """Whose own class has the largest logit; of equal ones the first counts, as after a ReLU."""
    own, classes = _own(logits), logits.shape[1]
    if relu:
        best = logits.argmax(1).unflatten(1, (classes, -1)).mT
        return best == torch.arange(classes, device=logits.device)
    return own == logits.amax(1).unflatten(1, (classes, -1)).mT  # a third of an argmax's time
