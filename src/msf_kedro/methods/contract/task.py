"""What a method may see: clips and texts of seen classes."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from msf_kedro.texts.fusion import Texts


@dataclass(frozen=True)
class Task:
    """Training clips and texts of the seen classes; everything on the CPU.

    Attributes:
        features: of the training clips.
        kinematics: how many of the features, the last ones, are kinematics.
        labels: of each its row in the seen texts.
        seen: texts of the seen classes, of the kinds that the method gets.
        layout: the joint layout of the clips.
    """

    features: Float[Tensor, "n D"]
    labels: Int[Tensor, " n"]
    seen: Texts
    layout: str
    kinematics: int = 0

    def __post_init__(self):
        classes = len(self.seen.class_ids)
        if len(self.labels) == 0:
            raise ValueError("task: no training clips, expected at least one")
        if not 0 <= self.labels.min() <= self.labels.max() < classes:
            raise ValueError(
                f"task: labels from {self.labels.min()} to {self.labels.max()}, expected rows of"
                f" the {classes} seen texts"
            )


def apart(
    features: Float[Tensor, "n D"], kinematics: int
) -> tuple[Float[Tensor, "n _"], Float[Tensor, "n _"] | None]:
    """The networks' features, and the kinematics, the last ones, if there are some."""
    if not kinematics:
        return features, None
    return features[:, :-kinematics], features[:, -kinematics:]
