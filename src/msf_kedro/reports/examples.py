"""Clips that are worth watching: some that were recognised, and the commonest mistakes."""

from dataclasses import dataclass

import pandas as pd

RIGHT, WRONG = 6, 6


@dataclass(frozen=True)
class Example:
    """A test clip and what became of it.

    Attributes:
        name: of the clip.
        class_id: what it shows.
        predicted: what it was taken for.
        beside: a clip of the class that it was taken for; None where it is right.
        of: how many test clips of its class were taken for the same class, and how many there are.
    """

    name: str
    class_id: int
    predicted: int
    beside: str | None
    of: tuple[int, int]


def examples(predictions: pd.DataFrame) -> tuple[list[Example], list[Example]]:
    """Right ones, of unseen classes before seen ones, and the commonest mistakes.

    Args:
        predictions: of one protocol, gate and seed. A class has one clip among the right ones, and
            so has a pair of classes among the mistakes; the first by name.
    """
    table = predictions.sort_values("name")
    pairs = table.groupby(["side", "class_id", "predicted"])
    counts = pairs.agg(clips=("name", "size"), name=("name", "first")).reset_index()
    counts["of"] = counts.class_id.map(table.class_id.value_counts())
    counts["share"] = counts.clips / counts.of
    counts = counts.sort_values(["side", "share", "name"], ascending=[False, False, True])
    right = counts[counts.class_id == counts.predicted]
    unseen = right[right.side == "unseen"].head(RIGHT - 1)
    seen = right[right.side == "seen"].head(RIGHT - len(unseen))
    wrong = counts[counts.class_id != counts.predicted]
    wrong = wrong.sort_values(["share", "name"], ascending=[False, True], kind="stable")
    chosen = pd.concat([wrong[wrong.side == side].head(RIGHT // 2) for side in ("unseen", "seen")])
    first = table.drop_duplicates("class_id").set_index("class_id").name
    return _examples(pd.concat([unseen, seen]), None), _examples(chosen, first)


def _examples(rows: pd.DataFrame, beside: pd.Series | None) -> list[Example]:
    return [
        Example(
            row.name,
            int(row.class_id),
            int(row.predicted),
            None if beside is None else beside.get(row.predicted),
            (int(row.clips), int(row.of)),
        )
        for row in rows.itertuples(index=False)
    ]
