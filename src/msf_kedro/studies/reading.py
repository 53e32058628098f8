"""A sample of a study's clips, or all of them, read without being kept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from msf_kedro.clips.clip import LISTED, OTHER_CLASS, LoadClip, Recipe, Row, prepare_clip, read_name

SHOWN = 3


@dataclass(frozen=True)
class Sample:
    """What became of the clips that were read.

    Attributes:
        frames: of every clip that can be used.
        bodies: of the same.
        reasons: clip → why it cannot be used.
    """

    frames: list[int] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many clips were read."""
        return len(self.reasons) + len(self.frames)

    @property
    def share(self) -> float:
        """Of the clips that cannot be used."""
        return len(self.reasons) / max(1, self.count)


def spread(names: Sequence[str], most: int) -> list[str]:
    """At most so many names, evenly over all."""
    count = min(most, len(names))
    return [names[place * len(names) // count] for place in range(count)]


def of_each_class(classes: Mapping[str, int], most: int) -> list[str]:
    """Names of clips, so many of each class that there are `most`, but two of each at least.

    Args:
        classes: clip name → number of its class.
    """
    of_class: dict[int, list[str]] = {}
    for name in sorted(classes):
        of_class.setdefault(classes[name], []).append(name)
    each = max(2, most // max(1, len(of_class)))
    return [name for number in sorted(of_class) for name in spread(of_class[number], each)]


def rows_of_names(names: Sequence[str], recipe: Recipe) -> tuple[list[Row], dict[str, list[str]]]:
    """What is known of clips before they are read: of those of the study, and of the others.

    Returns:
        The rows of clips to read; and reason → the clips that are not read for it.
    """
    rows, unread = [], {}
    for name in names:
        row, reason = read_name(name, recipe)
        if reason is None:
            rows.append(row)
        else:
            unread.setdefault(reason, []).append(name)
    return rows, unread


def read_sample(raw: Mapping[str, LoadClip], names: Sequence[str], recipe: Recipe) -> Sample:
    """Read and normalise clips, one after the other."""
    sample = Sample()
    for name in names:
        row, _ = prepare_clip(name, raw[name], recipe)
        if row["kept"]:
            sample.frames.append(row["frames"])
            sample.bodies.append(row["bodies"])
        else:
            sample.reasons[name] = row["reason"]
    return sample


def bad_names(unread: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Of clips that are not read, those whose names do not say what they show."""
    return {r: names for r, names in unread.items() if r not in (OTHER_CLASS, LISTED)}


def tell_names(unnamed: Mapping[str, list[str]]) -> list[str]:
    """Why clips' names do not say what they show, in sentences."""
    return [
        f"{len(names)} clips, such as {some(names)}: {reason}"
        if len(names) > 1
        else f"clip {names[0]}: {reason}"
        for reason, names in unnamed.items()
    ]


def unusable(sample: Sample) -> list[str]:
    """Why clips cannot be used, the commonest reason first, in sentences."""
    counts = Counter(_without_name(name, reason) for name, reason in sample.reasons.items())
    first = {_without_name(name, reason): name for name, reason in reversed(sample.reasons.items())}
    return [
        f"{count} of {sample.count} clips that were read, such as {first[reason]}: {reason}"
        for reason, count in counts.most_common()
    ]


def describe(rows: Sequence[Row], unread: Mapping[str, list[str]], sample: Sample) -> list[str]:
    """What is there, in lines."""
    table = pd.DataFrame(rows)
    lines = [f"{len(table)} clips of {table.action.nunique()} classes"]
    if others := {reason: len(names) for reason, names in unread.items()}:
        lines[0] += "; " + ", ".join(f"{count}: {reason}" for reason, count in others.items())
    for column in table.columns.drop(["name", "action", "frames", "bodies", "kept", "reason"]):
        values = sorted(table[column].unique().tolist())
        shown = ", ".join(map(str, values[:10])) + ", …" * (len(values) > 10)
        lines.append(f"{column}: {shown}")
    counts = table.action.value_counts()
    lines.append(f"clips of a class: {span(counts)}")
    if sample.frames:
        frames = pd.Series(sample.frames)
        several = sum(count > 1 for count in sample.bodies)
        lines.append(
            f"of {len(frames)} clips that were read: {span(frames)} frames,"
            f" {frames.median():g} in the median, {several} with two bodies"
        )
    return lines


def span(numbers: pd.Series) -> str:
    """The smallest and the largest of some numbers."""
    low, high = numbers.min(), numbers.max()
    return f"{low} to {high}" if low < high else str(low)


def some(names: Sequence[str]) -> str:
    """The first few of some names."""
    return ", ".join(names[:SHOWN]) + ", …" * (len(names) > SHOWN)


def _without_name(name: str, reason: str) -> str:
    """A reason that several clips can share."""
    start, colon, rest = reason.partition(f"{name}.")
    return start + rest.partition(": ")[2] if colon else reason
