"""Classes as means of clips, and the means of further classes, from what texts have in common."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def class_means(
    values: Float[Tensor, "n D"], labels: Int[Tensor, " n"], classes: int
) -> Float[Tensor, "S D"]:
    """The mean of every class's clips; a class without a clip has the mean of all."""
    sums = values.new_zeros(classes, values.shape[1]).index_add(0, labels, values)
    counts = torch.bincount(labels, minlength=classes)[:, None]
    return torch.where(counts > 0, sums / counts.clamp(min=1), values.mean(0))


def whitening(
    values: Float[Tensor, "n D"], labels: Int[Tensor, " n"], means: Tensor, shrinkage: float
) -> Float[Tensor, "D D"]:
    """The map that makes the spread within classes equal in all directions.

    Args:
        means: of the classes.
        shrinkage: the share, from 0 to 1, of equal spread that is mixed into the one found, as few
            clips tell little of it.
    """
    within = values - means[labels]
    covariance = within.mT @ within / len(within)
    spread = covariance.diagonal().mean().clamp(min=torch.finfo(values.dtype).tiny)
    covariance *= 1 - shrinkage
    covariance.diagonal().add_(shrinkage * spread)
    variances, axes = torch.linalg.eigh(covariance)
    return axes * variances.clamp(min=1e-9 * spread).rsqrt()


def principal(
    values: Float[Tensor, "n K"], components: int
) -> tuple[Float[Tensor, " K"], Float[Tensor, "K P"]]:
    """Mean and principal axes of values that are brought to unit variance first.

    There are fewer axes than asked for where the values spread along fewer.
    """
    mean, spread = values.mean(0), values.std(0, correction=0)
    scale = torch.where(spread > 1e-6 * spread.max(), 1 / spread, 0)  # the centre stays in place
    scaled = (values - mean) * scale
    variances, axes = torch.linalg.eigh(scaled.mT @ scaled)  # the smallest first
    axes = axes[:, variances >= 1e-12 * variances[-1]].flip(1)
    return mean, scale[:, None] * axes[:, :components]


def dual_weights(
    seen: Float[Tensor, "S E"], means: Float[Tensor, "S D"], regularisation: float
) -> Float[Tensor, "S D"]:
    """Weights `A` of ridge regression from texts to class means: a class's mean is `t seen' A`.

    From texts to clips, and not the other way round, few classes' means are every clip's nearest
    (hubs); it is solved among the classes, as they are fewer than a text's dimensions.

    Args:
        seen: texts of the seen classes, centred.
        means: of the seen classes' clips, centred.
        regularisation: relative to the mean eigenvalue of `seen seen'`.
    """
    likeness = seen @ seen.mT
    penalty = regularisation * likeness.diagonal().mean()
    return torch.linalg.solve(likeness + penalty * torch.eye(len(seen)).to(likeness), means)
