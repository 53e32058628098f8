"""Which clips and classes play which role: seen or unseen, training or held out or test."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool

from msf_kedro.zero_shot.expression import check_condition, select_rows

PHASES = ("calibration", "test")
PARTS = ("train", "held_out", "test")
MAX_NUMBERS = 10_000  # that a range may stand for
# Released features may hold other test clips for either job; their parts are named for it.
ZSSAR_TEST = ("test", "zssar_test")
GZSSAR_TEST = ("test", "gzssar_test")


@dataclass(frozen=True)
class SplitConfig:
    """One class split.

    Attributes:
        unseen: classes `U` that only texts describe.
        calibration_unseen: seen classes that play the unseen ones in the calibration phase.
    """

    unseen: list[int]
    calibration_unseen: list[int]

    def __post_init__(self):
        for field in ("unseen", "calibration_unseen"):
            classes = getattr(self, field)
            if len(classes) < 2:
                raise ValueError(f"split: {field} is {classes}, expected at least two classes")
            if len(set(classes)) < len(classes):
                raise ValueError(f"split: {field} names a class twice: {sorted(classes)}")
        both = sorted(set(self.unseen) & set(self.calibration_unseen))
        if both:
            raise ValueError(
                f"split: classes {both} are both unseen and calibration_unseen; the calibration"
                " phase must not use unseen classes"
            )


@dataclass(frozen=True)
class PartsConfig:
    """Which clips train, as conditions on the clip table's columns (`zero_shot.expression`).

    Attributes:
        train: clips of the training subjects; all others are test clips.
        calibration_held_out: training subjects' clips that the calibration phase's Shift-GCN
            does not train on; they monitor it, and the strict protocol fits the gate on them.
        test_held_out: the same for the test phase, where they only monitor.
    """

    train: str
    calibration_held_out: str
    test_held_out: str

    def __post_init__(self):
        for field in ("train", "calibration_held_out", "test_held_out"):
            with _named(field, getattr(self, field)):
                check_condition(str(getattr(self, field)))


def get_split(splits: dict[str, dict], name: str) -> SplitConfig:
    """The class split of that name.

    Raises:
        ValueError: there is none of that name, or it is not a split.
    """
    if name not in splits:
        raise ValueError(f"unknown class split {name!r}; this study has {', '.join(splits)}")
    try:
        return SplitConfig(**splits[name])
    except TypeError as error:
        raise ValueError(
            f"class split {name!r}: {error}; expected unseen and calibration_unseen"
        ) from error


def parse_classes(text: str) -> list[int]:
    """Class numbers from ranges such as `1-3, 6, 10-12`; see `parse_numbers`."""
    return parse_numbers(text, "classes")


def parse_numbers(text: str | int, name: str) -> list[int]:
    """Numbers from ranges such as `1-3, 6, 10-12`, in ascending order.

    Args:
        name: what to call them in errors.

    Raises:
        ValueError: a part is no number or upward range, a number comes twice, or there are more
            than anyone has classes or seeds.
    """
    numbers = []
    for part in str(text).split(","):
        match = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", part.strip())
        if not match:
            raise ValueError(f"{name}: {part.strip()[:40]!r} is no number or range such as 1-60")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"{name}: the range {part.strip()!r} runs backwards")
        if len(numbers) + last - first >= MAX_NUMBERS:
            raise ValueError(
                f"{name}: {str(text)[:40]!r} is more than {MAX_NUMBERS:,} numbers, expected fewer"
            )
        numbers += range(first, last + 1)
    if len(set(numbers)) < len(numbers) or not numbers:
        raise ValueError(f"{name}: {str(text)[:40]!r} is empty or names a number twice")
    return sorted(numbers)


def assign_roles(
    clips: pd.DataFrame, classes: list[int], split: SplitConfig, parts: PartsConfig, phase: str
) -> pd.DataFrame:
    """The role of every kept clip in one phase.

    Returns:
        A row per clip, in their order: `name`, `class_id`, `side` (seen, unseen, excluded) and
        `part` (train, held_out, test).

    Raises:
        ValueError: the split does not fit the classes, an expression names a column that is not
            there, or a role has no clip.
    """
    check_split(split, classes)
    roles = roles_of(clips, split, parts, phase)
    for problem in lacking_clips(roles, classes, split, phase):
        raise ValueError(problem)
    return roles


def roles_of(
    clips: pd.DataFrame, split: SplitConfig, parts: PartsConfig, phase: str
) -> pd.DataFrame:
    """What `assign_roles` gives, whether or not every class has the clips that it needs.

    Raises:
        ValueError: an expression names a column that is not there.
    """
    unseen, excluded = _sides(split, phase)
    held_out = parts.test_held_out if phase == "test" else parts.calibration_held_out
    roles = clips[["name", "action"]].set_axis(["name", "class_id"], axis=1).reset_index(drop=True)
    roles["class_id"] = roles.class_id.astype("int64")
    roles["side"] = [
        "excluded" if c in excluded else "unseen" if c in unseen else "seen" for c in roles.class_id
    ]
    train = _select(clips, "train", parts.train)
    held = train & _select(clips, f"{phase}_held_out", held_out)
    roles["part"] = "test"
    roles.loc[train, "part"] = "train"
    roles.loc[held, "part"] = "held_out"
    return roles


def lacking_clips(
    roles: pd.DataFrame, classes: list[int], split: SplitConfig, phase: str
) -> Iterator[str]:
    """What lacks the clips that it needs, each in a sentence: classes, and what is held out."""
    unseen, excluded = _sides(split, phase)
    counts = roles.groupby(["class_id", "part"]).size().unstack(fill_value=0)
    counts = counts.reindex(index=classes, columns=list(PARTS), fill_value=0)
    for class_id in sorted(set(classes) - excluded):
        side = "unseen" if class_id in unseen else "seen"
        needs = ["test"] if side == "unseen" and phase == "test" else ["train", "test"]
        found = {part: int(count) for part, count in counts.loc[class_id].items()}
        for part in needs:
            if not found[part]:
                yield (
                    f"{phase} phase: {side} class {class_id} has no {part} clip ({found}); check"
                    " the raw clips and parameters 'parts'"
                )
    if not (roles.side.eq("seen") & roles.part.eq("held_out")).any():
        yield f"{phase} phase: parts.{phase}_held_out selects no training clip of a seen class"


def seen_classes(roles: pd.DataFrame) -> list[int]:
    """The phase's seen classes, ascending: the order of all seen logits."""
    return sorted(roles.loc[roles.side == "seen", "class_id"].unique().tolist())


def unseen_classes(roles: pd.DataFrame) -> list[int]:
    """The phase's unseen classes, ascending: the order of all unseen probabilities."""
    return sorted(roles.loc[roles.side == "unseen", "class_id"].unique().tolist())


def trained_clips(roles: pd.DataFrame) -> Bool[np.ndarray, " n"]:
    """Which clips methods are trained on."""
    return (roles.side.eq("seen") & roles.part.eq("train")).to_numpy(dtype=bool)


def scored_clips(roles: pd.DataFrame) -> pd.Index:
    """Names of the clips that methods score: all that take part and were not trained on.

    Sorted, as on some processors a product's rounding depends on a row's place.
    """
    return _names(roles[_are_scored(roles)])


def gated_clips(roles: pd.DataFrame) -> pd.Index:
    """Names of those that a gate judges, as they have seen logits: all but those of ZSSAR alone."""
    return _names(roles[_are_scored(roles) & roles.part.ne("zssar_test").to_numpy(dtype=bool)])


def _are_scored(roles: pd.DataFrame) -> Bool[np.ndarray, " n"]:
    return ~trained_clips(roles) & roles.side.ne("excluded").to_numpy(dtype=bool)


def _names(roles: pd.DataFrame) -> pd.Index:
    return pd.Index(roles.name.sort_values(), name="name")


def check_texts(classes: list[int], described: list[int]) -> None:
    """Raise a ValueError that names the classes without texts."""
    missing = sorted(set(classes) - set(described))
    if missing:
        raise ValueError(f"class texts: no row for classes {missing}; add them to the table")


def check_split(split: SplitConfig, classes: list[int]) -> None:
    """Raise a ValueError where a split names other classes than the study's, or leaves none."""
    named = {*split.unseen, *split.calibration_unseen}
    unknown = sorted(named - set(classes))
    if unknown:
        raise ValueError(f"split: classes {unknown} are not among the study's classes {classes}")
    if len(set(classes) - named) < 2:
        raise ValueError(f"split: fewer than two of {len(classes)} classes are left as seen")


def _select(clips: pd.DataFrame, name: str, expression: str) -> Bool[np.ndarray, " n"]:
    """Which rows an expression selects, in the clips' order."""
    with _named(name, expression):
        return select_rows(clips, expression)


@contextmanager
def _named(name: str, expression: str) -> Iterator[None]:
    """Say of an error which of the parts it is about."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"parts.{name}: {str(expression)[:60]!r}: {error}") from error


def _sides(split: SplitConfig, phase: str) -> tuple[set[int], set[int]]:
    """The classes that are unseen in a phase, and those that are left out of it."""
    if phase == "test":
        return set(split.unseen), set()
    return set(split.calibration_unseen), set(split.unseen)
