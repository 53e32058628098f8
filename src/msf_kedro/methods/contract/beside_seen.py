"""Clips and seen classes in one space, where clips of one class lie together."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from msf_kedro.methods.contract.space import COMPONENTS, Space
from msf_kedro.methods.contract.task import apart


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
    classes = int(labels.max()) + 1
    spaces = [(Space.fit(learned, labels, classes), others)]
    if measured is not None:
        moved = Space.fit(measured, labels, classes, components=COMPONENTS)
        spaces.append((moved, others_measured))
    return side_by_side(spaces)


def side_by_side(
    spaces: list[tuple[Space, Float[Tensor, "m _"]]],
) -> tuple[Float[Tensor, "m P"], Float[Tensor, "S P"]]:
    """Clips and the seen classes in several spaces that weigh the same, of unit norm.

    Args:
        spaces: each with the clips' values there.
    """
    placed = torch.cat([space.place(values) for space, values in spaces], 1)
    means = torch.cat([space.seen() for space, _ in spaces], 1)
    return F.normalize(placed, dim=-1), F.normalize(means, dim=-1)
