"""What measures the evidence of clips, fitted once to a phase's seen classes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch.nn.functional as F
from jaxtyping import Float
from scipy.special import logsumexp
from torch import Tensor

from msf_kedro.methods.contract.beside_seen import side_by_side
from msf_kedro.methods.contract.space import COMPONENTS, Space
from msf_kedro.methods.contract.task import Task, apart
from msf_kedro.methods.contract.wording import Wording
from msf_kedro.methods.ridge import ridge_maps
from msf_kedro.texts.fusion import Texts

SCORES = ("odds", "energy", "nearest", "gap", "text_gap", "movement_gap")
TO_TEXT = 1.0  # regularisation from the networks' features to texts, see `ridge_maps`


@dataclass(frozen=True)
class Witness:
    """What scores are computed with; fitted to the training clips of a phase's seen classes.

    Attributes:
        kinematics: how many of the features, the last ones, are kinematics.
        kinds: text kinds, in their order.
        wording: what texts are compared with.
        seen: vectors of the seen classes' texts.
        feature_mean: of the networks' features.
        to_text: from these, centred, to texts.
        learned: the space of the networks' features.
        moved: the space of the kinematics; None where there are none.
    """

    kinematics: int
    kinds: list[str]
    wording: Wording
    seen: Float[Tensor, "S E"]
    feature_mean: Float[Tensor, " D"]
    to_text: Float[Tensor, "D E"]
    learned: Space
    moved: Space | None

    @classmethod
    def fit(cls, task: Task) -> "Witness":
        """From training clips and texts of seen classes."""
        learned, measured = apart(task.features.double(), task.kinematics)
        wording = Wording.fit(task.seen)
        seen = wording.vectors(task.seen)
        feature_mean = learned.mean(0)
        targets = seen[task.labels]
        (to_text,) = ridge_maps("evidence", learned - feature_mean, targets, [TO_TEXT])
        moved = None
        if measured is not None:
            moved = Space.fit(measured, task.labels, len(seen), components=COMPONENTS)
            moved = moved.foretelling(seen)
        return cls(
            kinematics=task.kinematics,
            kinds=list(task.seen.kinds),
            wording=wording,
            seen=seen,
            feature_mean=feature_mean,
            to_text=to_text,
            learned=Space.fit(learned, task.labels, len(seen)).foretelling(seen),
            moved=moved,
        )

    @property
    def scores(self) -> list[str]:
        """The names of the scores, in their order."""
        return [name for name in SCORES if self.moved or name != "movement_gap"]

    def measure(
        self,
        features: Float[Tensor, "n D"],
        seen_logits: Float[np.ndarray, "n S"],
        unseen: Texts,
        asked: list[int] | None = None,
    ) -> Float[np.ndarray, "n F"]:
        """The scores of any clips, a column each.

        Args:
            features: as those of the task.
            seen_logits: of all seen classes, in their order.
            unseen: texts of the classes that are not seen.
            asked: places of the seen classes that a clip may be of; all of them unless given.
        """
        asked = list(range(len(self.seen))) if asked is None else asked
        learned, measured = apart(features.double(), self.kinematics)
        words = self.wording.vectors(unseen.of(self.kinds))
        likeness = words @ self.seen.mT
        as_text = F.normalize((learned - self.feature_mean) @ self.to_text, dim=-1)
        near, foretold = self.learned.cosines(learned, likeness)
        columns = {
            "odds": _odds(seen_logits, asked),
            "energy": logsumexp(seen_logits[:, asked], axis=1),
            "nearest": _largest(near[:, asked]),
            "gap": _largest(near[:, asked]) - _largest(foretold),
            "text_gap": _largest(as_text @ self.seen[asked].mT) - _largest(as_text @ words.mT),
        }
        if self.moved is not None:
            near, foretold = self.moved.cosines(measured, likeness)
            columns["movement_gap"] = _largest(near[:, asked]) - _largest(foretold)
        return np.stack([columns[name] for name in self.scores], axis=1).astype(np.float64)

    def beside_seen(
        self, features: Float[Tensor, "n D"]
    ) -> tuple[Float[Tensor, "n P"], Float[Tensor, "S P"]]:
        """Any clips, and the means of the seen classes' clips, in one space, of unit norm.

        Args:
            features: as those of the task.
        """
        learned, measured = apart(features.double(), self.kinematics)
        moved = [] if self.moved is None else [(self.moved, measured)]
        return side_by_side([(self.learned, learned), *moved])

    def state(self) -> dict[str, Any]:
        """Plain values and tensors, which `of_state` reads."""
        return self.values() | self.tensors()

    def values(self) -> dict[str, Any]:
        """The plain values of its state."""
        return {"kinematics": self.kinematics, "kinds": self.kinds}

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of its state."""
        own = {name: getattr(self, name) for name in ("seen", "feature_mean", "to_text")}
        moved = {} if self.moved is None else self.moved.state("moved")
        return own | self.wording.state("wording") | self.learned.state("learned") | moved

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> "Witness":
        """What `state` gave."""
        own = {k: v for k, v in state.items() if "." not in k}
        spaces = {name: Space.of_state(state, name) for name in ("learned", "moved")}
        return cls(**own, **spaces, wording=Wording.of_state(state, "wording"))


def _largest(values: Float[Tensor, "n K"]) -> Float[np.ndarray, " n"]:
    return values.amax(1).numpy()


def _odds(logits: Float[np.ndarray, "n S"], asked: list[int]) -> Float[np.ndarray, " n"]:
    """Log-odds of the most probable class asked for, against all other seen ones."""
    best = np.asarray(asked)[logits[:, asked].argmax(1)]
    rows = np.arange(len(logits))
    others = logits.astype(np.float64)
    others[rows, best] = -np.inf
    return logits[rows, best] - logsumexp(others, axis=1)
