"""The contract of all methods: a task goes in, scores over its unseen classes come out."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from msf_kedro.texts.encoders import fuse


@dataclass(frozen=True)
class Task:
    """What a method may see of one phase; everything on the CPU.

    Attributes:
        features: of the training clips, which are of seen classes.
        labels: of each its row in the seen texts.
        seen: per text kind (LB, AD, MD, verb, noun) the encoder's raw outputs, seen classes.
        unseen: the same of the unseen classes.
        clips: features of the clips to score.
    """

    features: Float[Tensor, "n D"]
    labels: Int[Tensor, " n"]
    seen: dict[str, Float[Tensor, "S E"]]
    unseen: dict[str, Float[Tensor, "U E"]]
    clips: Float[Tensor, "m D"]

    def __post_init__(self):
        if self.seen.keys() != self.unseen.keys():
            raise ValueError(
                f"task: text kinds {sorted(self.seen)} of the seen classes,"
                f" {sorted(self.unseen)} of the unseen ones; expected the same"
            )
        classes = min((len(texts) for texts in self.seen.values()), default=0)
        if len(self.labels) == 0:
            raise ValueError("task: no training clips, expected at least one")
        if not 0 <= self.labels.min() <= self.labels.max() < classes:
            raise ValueError(
                f"task: labels from {self.labels.min()} to {self.labels.max()}, expected rows of"
                f" the {classes} seen texts"
            )

    def texts(self, kinds: Iterable[str]) -> tuple[Float[Tensor, "S Q"], Float[Tensor, "U Q"]]:
        """Some kinds' texts of the seen and of the unseen classes, fused.

        Raises:
            ValueError: no kind is asked for, or one that the task does not have.
        """
        kinds = tuple(kinds)
        missing = [kind for kind in kinds if kind not in self.seen]
        if missing or not kinds:
            raise ValueError(
                f"task: text kinds {kinds} are asked for, expected some of {sorted(self.seen)}"
            )
        seen, unseen = (
            torch.from_numpy(fuse(texts[kind].numpy() for kind in kinds))
            for texts in (self.seen, self.unseen)
        )
        return seen, unseen


@dataclass(frozen=True)
class Scores:
    """What a method says of the clips.

    Attributes:
        logits: over the unseen classes, of every candidate, seed and clip.
        candidates: names of the `Y` models among which the protocol chooses: cycles of MSF,
            CADA-VAE and SynSE, check-points of ReViSE and JPoSE, regularisations of ridge.
        temperatures: the soft-max temperatures to choose from on calibration clips; only 1 where
            the logits are those of a trained soft-max classifier.
    """

    logits: Float[Tensor, "Y R m U"]
    candidates: tuple[str, ...]
    temperatures: tuple[float, ...]

    def __post_init__(self):
        if len(self.candidates) != len(self.logits):
            raise ValueError(
                f"scores: logits of {len(self.logits)} candidates, expected one for each of"
                f" {self.candidates}"
            )
        if not self.temperatures or min(self.temperatures) <= 0:
            raise ValueError(
                f"scores: temperatures is {self.temperatures}, expected numbers above 0"
            )


def choose_temperature(
    logits: Float[Tensor, "m U"], labels: Int[Tensor, " m"], temperatures: Iterable[float]
) -> float:
    """The temperature of smallest negative log-likelihood, averaged over clips; ties: the first.

    Probabilities are `softmax(logits / temperature)`.
    """
    losses = {t: F.cross_entropy(logits / t, labels).item() for t in temperatures}
    return min(losses, key=losses.__getitem__)


def require_positive(section: str, config: object, *fields: str) -> None:
    """Raise a ValueError where one of a config's numbers is not above 0."""
    for field in fields:
        if getattr(config, field) <= 0:
            raise ValueError(f"{section}.{field} is {getattr(config, field)}, expected above 0")
