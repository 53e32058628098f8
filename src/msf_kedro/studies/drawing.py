"""Class splits, drawn, and which clips train, by what is known of them."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from msf_kedro.clips.table import ACTION, ClipTable
from msf_kedro.zero_shot.gate import check_folds
from msf_kedro.zero_shot.protocols import gate_clips
from msf_kedro.zero_shot.splits import PHASES, PartsConfig, SplitConfig, lacking_clips, roles_of

PEOPLE = ("subject", "person", "performer", "actor", "participant", "user")
TIMES = ("take", "trial", "repetition", "replication", "execution", "instance")
FEWEST = 2  # unseen classes of a split, and calibration_unseen ones, and others
MOST_SPLITS = 3
SHARE = 0.2  # of the classes that are unseen
LISTED = 12  # values that a condition lists; more in a row are named by their ends


def draw_splits(classes: Sequence[int], seed: int) -> dict[str, dict[str, list[int]]]:
    """Class splits: a fifth of the classes, at least two, is unseen, and as many in calibration.

    Classes are shuffled and cut into groups; a split's calibration classes are the unseen ones of
    the next.

    Raises:
        ValueError: there are fewer than six classes.
    """
    if len(classes) < 3 * FEWEST:
        raise ValueError(
            f"{len(classes)} classes, expected six or more: two unseen, two that play unseen ones"
            " while the gate is fitted, and two others"
        )
    count = max(FEWEST, round(SHARE * len(classes)))
    shuffled = np.random.default_rng(seed).permutation(np.array(classes)).tolist()
    groups = [sorted(shuffled[n : n + count]) for n in range(0, len(shuffled), count)]
    groups = [group for group in groups if len(group) == count]
    return {
        f"split_{n + 1}": {"unseen": group, "calibration_unseen": groups[(n + 1) % len(groups)]}
        for n, group in enumerate(groups[:MOST_SPLITS])
    }


def as_frame(table: ClipTable) -> pd.DataFrame:
    """What is known of clips as a table with a column `name`."""
    frame = pd.DataFrame(table.rows.values(), columns=list(table.columns))
    return frame.assign(name=list(table.rows))


def propose_parts(
    clips: pd.DataFrame, splits: dict[str, dict[str, list[int]]], folds: int
) -> tuple[PartsConfig, list[str]] | None:
    """The parts of which the fewest things are wrong, and what is wrong with them.

    By subject where a column is of people, else by take, else by any other column. Training clips
    are held out by subject, by take within a subject, or by take.

    Args:
        clips: `name`, `action` and columns that conditions can name.
        folds: `gate.folds`.

    Returns:
        None where no column could tell training clips from others.
    """
    classes = sorted(clips[ACTION].unique().tolist())
    chosen = [SplitConfig(**split) for split in splits.values()]
    found: tuple[PartsConfig, list[str]] | None = None
    for parts in _candidates(clips):
        wrong = what_lacks(clips, classes, chosen, parts, folds)
        if found is None or len(wrong) < len(found[1]):
            found = parts, wrong
        if not wrong:
            break
    return found


def what_lacks(
    clips: pd.DataFrame,
    classes: list[int],
    splits: Sequence[SplitConfig],
    parts: PartsConfig,
    folds: int,
) -> list[str]:
    """Classes and parts without the clips that they need, each once, in sentences.

    Args:
        clips: those of the classes, `name`, `action` and columns that conditions can name.
        folds: `gate.folds`.

    Raises:
        ValueError: a condition names a column that is not there.
    """
    found: list[str] = []
    for split in splits:
        for phase in PHASES:
            roles = roles_of(clips, split, parts, phase)
            found += lacking_clips(roles, classes, split, phase)
            if phase == "calibration":
                found += _too_few(roles, folds)
    return list(dict.fromkeys(found))


def _too_few(roles: pd.DataFrame, folds: int) -> list[str]:
    """What is wrong with the number of clips that the gate is fitted on."""
    seen, unseen = gate_clips(roles, "strict")
    try:
        check_folds(folds, int(seen.sum()), int(unseen.sum()))
    except ValueError as error:
        return [str(error)]
    return []


def _candidates(clips: pd.DataFrame) -> Iterator[PartsConfig]:
    columns = [c for c in clips.columns if c not in ("name", ACTION) and clips[c].nunique() > 1]
    people = [c for c in PEOPLE if c in columns]
    times = [c for c in TIMES if c in columns]
    rest = [c for c in columns if c not in people + times]
    for column in [*people, *times, *rest]:
        values = sorted(clips[column].unique().tolist())
        training = values[: (len(values) + 1) // 2] if column in times else values[::2]
        train, last = _among(column, training), _among(column, training[-1:])
        others = [c for c in (*times, *people, *rest) if c != column]
        theirs, trained = (clips[clips[column].isin(v)] for v in (training[-1:], training))
        within = [f"{last} and {_last(theirs, c)}" for c in others]
        whole = [(last, end) for end in within] + [(last, last)]
        part = [(end, end) for end in within]
        spread = [(f"{train} and {_last(trained, c)}",) * 2 for c in others]
        several = len(training) > 1
        pairs = [*whole, *part] if len(training) > 2 else [*part, *whole]
        for calibration, test in [*(pairs if several else ()), *spread] or pairs:
            yield PartsConfig(train, calibration, test)


def _last(clips: pd.DataFrame, column: str) -> str:
    """That a column has the largest of its values."""
    return _among(column, [max(clips[column].unique().tolist())])


def _among(column: str, values: Sequence[int | str]) -> str:
    """A condition that a column has one of some values, in ascending order."""
    if len(values) == 1:
        return f"{column} == {values[0]!r}"
    if len(values) > LISTED and list(values) == list(range(values[0], values[-1] + 1)):
        return f"{values[0]} <= {column} <= {values[-1]}"
    return f"{column} in {list(values)}"
