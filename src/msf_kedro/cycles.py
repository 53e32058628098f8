"""Which of the alignment's cycles a protocol uses (the check-point selection)."""

import pandas as pd

from msf_kedro.splits import PHASES, ZSSAR_TEST

PROTOCOLS = ("strict", "paper")


def choose_cycles(phases: dict[str, tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """The cycle of every protocol, phase and seed.

    `strict` takes the cycle that does best on the calibration phase, on its unseen classes' clips
    of training subjects, in both phases. `paper` takes in each phase the one that does best on
    the phase's unseen test clips: it selects on test labels, as the release does. Ties go to the
    earliest cycle. Without calibration-unseen clips of training subjects there is no `strict`.

    Args:
        phases: for each phase its unseen probabilities (columns `cycle`, `seed`, `name`,
            `class_*`) and its roles.

    Returns:
        `protocol`, `phase`, `seed`, `cycle`, and the `accuracy` that chose it.
    """
    roles, parts = phases["calibration"][1], ("train", "held_out")
    chosen = []
    if (roles.side.eq("unseen") & roles.part.isin(parts)).any():
        strict = _best(*phases["calibration"], parts=parts)
        chosen = [strict.assign(protocol="strict", phase=phase) for phase in PHASES]
    for phase in PHASES:
        best = _best(*phases[phase], parts=ZSSAR_TEST)
        chosen.append(best.assign(protocol="paper", phase=phase))
    columns = ["protocol", "phase", "seed", "cycle", "accuracy"]
    return pd.concat(chosen, ignore_index=True)[columns]


def _best(probs: pd.DataFrame, roles: pd.DataFrame, parts: tuple[str, ...]) -> pd.DataFrame:
    """Per seed the cycle of largest accuracy on the unseen clips of some parts."""
    clips = roles[(roles.side == "unseen") & roles.part.isin(parts)].set_index("name").action
    scored = probs[probs.name.isin(clips.index)]
    right = best_class(scored) == scored.name.map(clips).to_numpy()
    accuracy = right.groupby([scored.seed, scored.cycle]).mean().rename("accuracy").reset_index()
    return accuracy.loc[accuracy.groupby("seed").accuracy.idxmax()]


def best_class(table: pd.DataFrame) -> pd.Series:
    """The class number of the largest `class_*` column of each row."""
    columns = class_columns(table)
    numbers = pd.Index([int(column.removeprefix("class_")) for column in columns])
    return pd.Series(numbers[table[columns].to_numpy().argmax(axis=1)], index=table.index)


def class_columns(table: pd.DataFrame) -> list[str]:
    """The columns `class_*` of a table of logits or probabilities."""
    return [column for column in table.columns if column.startswith("class_")]
