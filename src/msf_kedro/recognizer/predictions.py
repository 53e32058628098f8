"""What became of clips."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from msf_kedro.recognizer.model import SEEN, UNSEEN

DIGITS = range(2, 7)  # of a gate's numbers


@dataclass(frozen=True)
class Prediction:
    """What became of one clip.

    Attributes:
        name: of the clip.
        side: `seen` or `unseen`: of which classes the clip is taken to be; None if it was refused.
        score: how sure the gate is that the clip is of a seen class, from 0 to 1; None where
            nothing was to decide, as only classes of one side were asked for.
        threshold: from which score on a clip is called seen.
        seen: seen class → probability among those asked for, the largest first.
        unseen: the same of unseen and described classes.
        refused: why the clip could not be looked at.
    """

    name: str
    side: str | None = None
    score: float | None = None
    threshold: float | None = None
    seen: dict[str, float] | None = None
    unseen: dict[str, float] | None = None
    refused: str | None = None

    @property
    def classes(self) -> dict[str, float]:
        """Class → probability among those of the clip's side, the largest first."""
        chosen = {SEEN: self.seen, UNSEEN: self.unseen}.get(self.side or "")
        return chosen or {}

    @property
    def label(self) -> str | None:
        """The class that the clip is taken to be of."""
        return next(iter(self.classes), None)

    @property
    def probability(self) -> float | None:
        """Of this class, among those of its side."""
        return next(iter(self.classes.values()), None)

    @property
    def gate(self) -> str:
        """The gate's decision in short, such as `0.61 ≥ 0.55`; empty where there was none.

        With as many digits as tell the two numbers apart.
        """
        if self.score is None or self.threshold is None:
            return ""
        pairs = [(f"{self.score:.{n}f}", f"{self.threshold:.{n}f}") for n in DIGITS]
        score, threshold = next((pair for pair in pairs if len({*pair}) > 1), pairs[0])
        return f"{score} {'≥' if self.side == SEEN else '<'} {threshold}"

    def top(self, number: int = 3) -> list[tuple[str, float]]:
        """The most probable classes of the clip's side."""
        return list(self.classes.items())[:number]

    def __str__(self) -> str:
        if self.refused:
            return f"{self.name}: refused, {self.refused}"
        gate = f", gate {self.gate}" if self.gate else ""
        classes = ", ".join(f"{label} {probability:.0%}" for label, probability in self.top())
        return f"{self.name}: {classes} ({self.side}{gate})"


class Predictions(list[Prediction]):
    """Predictions of clips, in the clips' order."""

    def __str__(self) -> str:
        return self.table()

    def table(self, top: int = 3) -> str:
        """A table for people: what each clip shows, and behind it why others were refused."""
        rows = []
        for prediction in self:
            if not prediction.refused:
                classes = [f"{label} {share:.0%}" for label, share in prediction.top(top)]
                row = {"clip": prediction.name, "class": classes[0], "side": prediction.side}
                row |= {"gate": prediction.gate} if prediction.gate else {}
                rows.append(row | {f"{n}.": text for n, text in enumerate(classes[1:], 2)})
        lines = [pd.DataFrame(rows).fillna("").to_string(index=False)] if rows else []
        refused = [str(prediction) for prediction in self if prediction.refused]
        return "\n".join([*lines, *refused])

    def to_frame(self, top: int = 3) -> pd.DataFrame:
        """A table with a row for every clip.

        Args:
            top: how many classes it holds of each clip.

        Returns:
            `clip`, `label`, `probability`, `side`, `score`, `threshold`, then `label_2`,
            `probability_2` and so on, and `refused`; missing where there is none.
        """
        rows = []
        for prediction in self:
            row: dict[str, Any] = {"clip": prediction.name}
            (label, probability), *others = [*prediction.top(top), *[(None, None)] * top][:top]
            row |= {"label": label, "probability": probability, "side": prediction.side}
            row |= {"score": prediction.score, "threshold": prediction.threshold}
            for place, (label, probability) in enumerate(others, 2):
                row |= {f"label_{place}": label, f"probability_{place}": probability}
            rows.append(row | {"refused": prediction.refused})
        numbers = [f"probability_{place}" for place in range(2, top + 1)]
        numbers += ["probability", "score", "threshold"]
        columns = ["clip", "label", "probability", "side", "score", "threshold"]
        columns += [f"{n}_{place}" for place in range(2, top + 1) for n in ("label", "probability")]
        table = pd.DataFrame(rows, columns=[*columns, "refused"])
        kinds = {column: "float64" if column in numbers else "str" for column in table}
        return table.astype(kinds)
