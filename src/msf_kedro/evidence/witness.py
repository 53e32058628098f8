"""What measures the evidence of clips, fitted once to a phase's seen classes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from msf_kedro.methods.contract.beside_seen import side_by_side
from msf_kedro.methods.contract.space import COMPONENTS, Space
from msf_kedro.methods.contract.task import Task, apart
from msf_kedro.methods.contract.wording import Wording
from msf_kedro.texts.fusion import Texts

SCORES = ("nearest", "gap", "movement_gap")


@dataclass(frozen=True)
class Witness:
    """What scores are computed with; fitted to the training clips of a phase's seen classes.

    Attributes:
        kinematics: how many of the features, the last ones, are kinematics.
        kinds: text kinds, in their order.
        wording: what texts are compared with.
        seen: vectors of the seen classes' texts.
        learned: the space of the networks' features.
        moved: the space of the kinematics; None where there are none.
    """

    kinematics: int
    kinds: list[str]
    wording: Wording
    seen: Float[Tensor, "S E"]
    learned: Space
    moved: Space | None

    @classmethod
    def fit(cls, task: Task) -> "Witness":
        """From training clips and texts of seen classes."""
        learned, measured = apart(task.features.double(), task.kinematics)
        wording = Wording.fit(task.seen)
        seen = wording.vectors(task.seen)
        moved = None
        if measured is not None:
            moved = Space.fit(measured, task.labels, len(seen), components=COMPONENTS)
            moved = moved.foretelling(seen)
        return cls(
            kinematics=task.kinematics,
            kinds=list(task.seen.kinds),
            wording=wording,
            seen=seen,
            learned=Space.fit(learned, task.labels, len(seen)).foretelling(seen),
            moved=moved,
        )

    @property
    def scores(self) -> list[str]:
        """The names of the scores, in their order."""
        return [name for name in SCORES if self.moved or name != "movement_gap"]

    def measure(
        self, features: Float[Tensor, "n D"], unseen: Texts, asked: list[int] | None = None
    ) -> Float[np.ndarray, "n F"]:
        """The scores of any clips, a column each.

        Args:
            features: as those of the task.
            unseen: texts of the classes that are not seen.
            asked: places of the seen classes that a clip may be of; all of them unless given.
        """
        asked = list(range(len(self.seen))) if asked is None else asked
        learned, measured = apart(features.double(), self.kinematics)
        likeness = self.wording.vectors(unseen.of(self.kinds)) @ self.seen.mT
        near, foretold = self.learned.cosines(learned, likeness)
        nearest = _largest(near[:, asked])
        columns = [nearest, nearest - _largest(foretold)]
        if self.moved is not None:
            near, foretold = self.moved.cosines(measured, likeness)
            columns.append(_largest(near[:, asked]) - _largest(foretold))
        return np.stack(columns, axis=1).astype(np.float64)

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
        moved = {} if self.moved is None else self.moved.state("moved")
        return {
            "seen": self.seen,
            **self.wording.state("wording"),
            **self.learned.state("learned"),
            **moved,
        }

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> "Witness":
        """What `state` gave."""
        own = {k: v for k, v in state.items() if "." not in k}
        spaces = {name: Space.of_state(state, name) for name in ("learned", "moved")}
        return cls(**own, **spaces, wording=Wording.of_state(state, "wording"))


def _largest(values: Float[Tensor, "n K"]) -> Float[np.ndarray, " n"]:
    return values.amax(1).numpy()
