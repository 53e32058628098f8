"""Which of the alignment's cycles a protocol uses (the check-point selection)."""

import numpy as np
import pandas as pd
from jaxtyping import Float

from msf_kedro.zero_shot.splits import PHASES, ZSSAR_TEST

PROTOCOLS = ("strict", "paper")
TRAINING_SUBJECTS = ("train", "held_out")


def count_right(
    probs: Float[np.ndarray, "n U"], classes: list[int], clips: pd.DataFrame
) -> pd.DataFrame:
    """How many unseen clips of each part are classified right: `part`, `clips`, `right`.

    Args:
        probs: probabilities, or logits, over the unseen classes.
        classes: of the columns.
        clips: `action` and `part` of each row.
    """
    right = np.array(classes)[probs.argmax(axis=1)] == clips.action.to_numpy()
    counts = pd.Series(right).groupby(clips.part.to_numpy()).agg(["size", "sum"])
    return counts.set_axis(["clips", "right"], axis=1).rename_axis("part").reset_index()


def choose_cycles(counts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The cycle of every protocol, phase and seed.

    `strict` takes the cycle that does best on the calibration phase, on its unseen classes' clips
    of training subjects, in both phases; where there are no such clips, there is no `strict`.
    `paper` takes in each phase the one that does best on the phase's unseen test clips: it selects
    on test labels, as the release does. Ties go to the earliest cycle.

    Args:
        counts: for both phases, or only calibration, the right unseen clips (`cycle`, `seed`,
            `part`, `clips`, `right`).

    Returns:
        `protocol`, `phase`, `seed`, `cycle`, and the `accuracy` that chose it.
    """
    phases, chosen = [phase for phase in PHASES if phase in counts], []
    if counts["calibration"].part.isin(TRAINING_SUBJECTS).any():
        strict = _best(counts["calibration"], TRAINING_SUBJECTS)
        chosen += [strict.assign(protocol="strict", phase=phase) for phase in phases]
    for phase in phases:
        best = _best(counts[phase], ZSSAR_TEST)
        chosen.append(best.assign(protocol="paper", phase=phase))
    columns = ["protocol", "phase", "seed", "cycle", "accuracy"]
    return pd.concat(chosen, ignore_index=True)[columns]


def chosen_runs(cycles: pd.DataFrame, phase: str) -> pd.DataFrame:
    """The `cycle` and `seed` of every run that some protocol chose in a phase, each once."""
    runs = cycles.loc[cycles.phase == phase, ["cycle", "seed"]].drop_duplicates()
    return runs.sort_values(["cycle", "seed"])


def _best(counts: pd.DataFrame, parts: tuple[str, ...]) -> pd.DataFrame:
    """Per seed the cycle of largest accuracy over some parts together."""
    mine = counts[counts.part.isin(parts)].groupby(["seed", "cycle"])[["right", "clips"]].sum()
    accuracy = (mine.right / mine.clips).rename("accuracy").reset_index()
    return accuracy.loc[accuracy.groupby("seed").accuracy.idxmax()]


def best_class(table: pd.DataFrame) -> pd.Series:
    """The class number of the largest `class_*` column of each row."""
    columns = class_columns(table)
    numbers = pd.Index([int(column.removeprefix("class_")) for column in columns])
    return pd.Series(numbers[table[columns].to_numpy().argmax(axis=1)], index=table.index)


def class_columns(table: pd.DataFrame) -> list[str]:
    """The columns `class_*` of a table of logits or probabilities."""
    return [column for column in table.columns if column.startswith("class_")]
