"""Ridge regression from skeleton features to text features: the anchor that needs no training.

Closed form. A clip's predicted text is compared with the classes' texts by cosine. Features and
texts are centred on the training clips' mean and the seen classes' mean.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from msf_kedro.methods.contract.task import Scores, Task

TEXTS = ("LB", "AD", "MD")  # any choice of them


@dataclass(frozen=True)
class RidgeConfig:
    """What ridge chooses from on calibration clips.

    Attributes:
        regularisations: candidates, relative to the mean eigenvalue of the features' covariance,
            so that they do not depend on the features' scale.
        temperatures: of the soft-max over cosines.
    """

    regularisations: list[float]
    temperatures: list[float]

    def __post_init__(self):
        for field in ("regularisations", "temperatures"):
            if not getattr(self, field) or min(getattr(self, field)) <= 0:
                raise ValueError(
                    f"ridge.{field} is {getattr(self, field)}, expected numbers above 0"
                )


def scores(
    name: str,
    task: Task,
    texts: tuple[str, ...],
    seeds: list[int],
    config: RidgeConfig,
    device: torch.device,
) -> Scores:
    """Ridge on a task: its candidates are the regularisations. Every seed has the same scores.

    Args:
        name: for errors.
        texts: the text kinds that are fused.
        seeds: counted only, as nothing is drawn.
        device: for the other methods' sake; the CPU solves this in double precision.

    Raises:
        ValueError: the task lacks a text kind, or all training clips are the same.
    """
    seen, unseen = (part.double() for part in task.texts(texts))
    features, clips = task.features.double(), task.clips.double()
    centre, text_centre = features.mean(0), seen.mean(0)
    targets = (seen - text_centre)[task.labels]
    maps = ridge_maps(name, features - centre, targets, config.regularisations)
    predicted = F.normalize((clips - centre) @ maps, dim=-1)
    cosines = (predicted @ F.normalize(unseen - text_centre, dim=-1).mT).float()
    logits = cosines[:, None].expand(-1, len(seeds), -1, -1)
    names = tuple(f"regularisation {number:g}" for number in config.regularisations)
    return Scores(logits, names, tuple(config.temperatures))


def ridge_maps(
    name: str,
    features: Float[Tensor, "n D"],
    targets: Float[Tensor, "n E"],
    regularisations: list[float],
) -> Float[Tensor, "Y D E"]:
    """The linear map of every regularisation `r`: it minimises |X W - T|^2 / n + r m |W|^2.

    `m` is the mean eigenvalue of X' X / n. All come from one eigendecomposition.

    Raises:
        ValueError: all features are 0.
    """
    values, vectors = torch.linalg.eigh(features.mT @ features / len(features))
    mean = values.mean()
    if mean <= 0:
        raise ValueError(f"{name}: ridge needs training clips that differ, all features are alike")
    projected = vectors.mT @ (features.mT @ targets / len(features))
    penalties = mean * torch.tensor(regularisations, dtype=values.dtype)
    return vectors @ (projected / (values + penalties[:, None])[..., None])
