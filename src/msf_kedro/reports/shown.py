"""Which of a run's protocols, gates and seeds a report shows, and its classes by name."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from msf_kedro.zero_shot.protocols import PROTOCOLS


@dataclass(frozen=True)
class Shown:
    """What a report shows of a run.

    Attributes:
        metrics: the run's report, see `evaluation.report`.
    """

    metrics: dict[str, Any]

    @cached_property
    def protocol(self) -> str:
        """The strict protocol, where the run has it."""
        return next(name for name in PROTOCOLS if name in self.metrics)

    @property
    def protocols(self) -> list[str]:
        return [name for name in PROTOCOLS if name in self.metrics]

    @property
    def run(self) -> dict[str, Any]:
        return self.metrics["run"]

    @property
    def beside(self) -> "Shown | None":
        """The same of the second method, where the run has one."""
        second = self.metrics.get("beside")
        return Shown(second) if second else None

    @property
    def gate(self) -> str:
        return self.run["gate"]

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Those of the protocol and, where the table tells gates apart, of the gate."""
        gate = next((name for name in ("gate", "kind") if name in table), None)
        mine = table.protocol == self.protocol
        return table[mine & (table[gate] == self.gate) if gate else mine]

    def first(self, table: pd.DataFrame) -> pd.DataFrame:
        """The same, of the first seed only."""
        mine = self.rows(table)
        return mine[mine.seed == mine.seed.min()]

    def of(self) -> str:
        """The protocol and the gate, in words."""
        return f"protocol {self.protocol}, gate {self.gate}"


@dataclass(frozen=True)
class Classes:
    """The classes among which clips were classified, seen ones first.

    Attributes:
        seen: label by class id.
        unseen: label by class id.
    """

    seen: dict[int, str]
    unseen: dict[int, str]

    @classmethod
    def of(cls, predictions: pd.DataFrame, class_texts: pd.DataFrame) -> "Classes":
        """Those that test clips belong to, or were taken for."""
        labels = class_texts.set_index("class_id").label
        sides = {}
        for side in ("seen", "unseen"):
            own = predictions.class_id[predictions.side == side]
            ids = sorted({*own, *predictions[f"{side}_prediction"]})
            sides[side] = {int(n): str(labels.get(n, f"class {n}")).strip() for n in ids}
        return cls(**sides)

    @cached_property
    def labels(self) -> dict[int, str]:
        return self.seen | self.unseen
