"""Clips and seen classes in one space, where clips of one class lie together."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from msf_kedro.methods.contract.prototypes import class_means, principal, whitened
from msf_kedro.methods.contract.task import apart

SHRINKAGE, COMPONENTS = 0.5, 60  # as of `msf_plus`


def beside_seen(
    features: Float[Tensor, "n D"],
    labels: Int[Tensor, " n"],
    clips: Float[Tensor, "m D"],
    kinematics: int = 0,
) -> tuple[Float[Tensor, "m P"], Float[Tensor, "S P"]]:
    """Any clips, and the means of the seen classes' clips, of unit norm.

    The networks' features and the kinematics, each whitened within the seen classes, weigh the
    same.

    Args:
        features: of training clips of the seen classes.
        labels: of each its class, from 0.
        clips: features of other clips.
        kinematics: how many of the features, the last ones, are kinematics.
    """
    (learned, measured), (others, others_measured) = (
        apart(values.double(), kinematics) for values in (features, clips)
    )
    placed = [_placed(learned, labels, others)]
    if measured is not None:
        origin, axes = principal(measured, COMPONENTS)
        own, theirs = ((values - origin) @ axes for values in (measured, others_measured))
        placed.append(_placed(own, labels, theirs))
    return tuple(F.normalize(torch.cat(parts, 1), dim=-1) for parts in zip(*placed, strict=True))


def _placed(
    values: Float[Tensor, "n D"], labels: Int[Tensor, " n"], clips: Float[Tensor, "m D"]
) -> tuple[Float[Tensor, "m D"], Float[Tensor, "S D"]]:
    """Clips and the classes' means, whitened, seen from the mean of these, of unit norm."""
    classes = int(labels.max()) + 1
    origin, axes = whitened(values, labels, classes, SHRINKAGE)
    means = class_means((values - origin) @ axes, labels, classes)
    centre = means.mean(0)
    return tuple(F.normalize(found - centre, dim=-1) for found in ((clips - origin) @ axes, means))
