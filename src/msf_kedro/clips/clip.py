"""One raw clip: its name, whether it can be used, its row in the clip table.

Worker processes import this file: without PyTorch and pandas they start quickly and stay small.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from msf_kedro.clips.layouts import Layout
from msf_kedro.clips.limits import Limits
from msf_kedro.clips.normalise import NormaliseConfig, check_clip, normalise
from msf_kedro.clips.table import ClipTable, Value

OTHER_CLASS = "not a class of this study"
LISTED = "listed as without skeleton"
MAX_DIGITS = 9  # of a number in a clip's name
OWN_COLUMNS = ("name", "frames", "bodies", "kept", "reason")

LoadClip = Callable[[Limits], np.ndarray]
Row = dict[str, str | int | bool | None]


@dataclass(frozen=True)
class ClipsConfig:
    """How clips are named, how large they may be and how many bad ones are accepted.

    Attributes:
        name_pattern: regular expression with named groups that matches a whole clip name; each
            group becomes an integer column of the clip table, and `action` must be among them.
        layout: name of the joint layout.
        max_rejected: largest accepted share of clips that cannot be used, from 0 to 1.
        max_frames: most frames of a clip; larger ones are set aside before memory is taken.
        max_bodies: most bodies of a frame.
        max_bytes: largest file, also once decompressed.
        units: of the coordinates, where they are not the layout's.
    """

    name_pattern: str
    layout: str
    max_rejected: float
    max_frames: int
    max_bodies: int
    max_bytes: int
    units: str | None = None

    def __post_init__(self):
        try:
            groups = self.groups
        except re.error as error:
            raise ValueError(f"clips.name_pattern {self.name_pattern!r}: {error}") from error
        if "action" not in groups:
            raise ValueError(f"clips.name_pattern {self.name_pattern!r} has no group 'action'")
        taken = sorted(set(groups) & set(OWN_COLUMNS))
        if taken:
            raise ValueError(f"clips.name_pattern: groups {taken} are columns of the clip table")
        if not 0 <= self.max_rejected <= 1:
            raise ValueError(f"clips.max_rejected is {self.max_rejected}, expected 0 to 1")
        for field in ("max_frames", "max_bodies", "max_bytes"):
            if getattr(self, field) < 1:
                raise ValueError(f"clips.{field} is {getattr(self, field)}, expected 1 or more")

    @property
    def limits(self) -> Limits:
        """What a clip may be."""
        return Limits(self.max_frames, self.max_bodies, self.max_bytes)

    @property
    def groups(self) -> list[str]:
        """The pattern's named groups, in order."""
        return list(re.compile(self.name_pattern).groupindex)


@dataclass(frozen=True)
class Recipe:
    """What is done to every clip.

    Attributes:
        classes: the study's action numbers; clips of other actions are left out unread.
        listed: names of clips known to hold no skeleton; they are left out unread.
        clips: how to read clip names.
        layout: the clips' joints.
        normalise: how clips become tensors.
        table: what clips show, if their names do not say it.
    """

    classes: list[int]
    listed: frozenset[str]
    clips: ClipsConfig
    layout: Layout
    normalise: NormaliseConfig
    table: ClipTable | None = None

    @property
    def told(self) -> list[str]:
        """The columns that names or the table give, in order."""
        return self.clips.groups if self.table is None else list(self.table.columns)

    @property
    def columns(self) -> list[str]:
        """The columns of the clip table, in order."""
        return [OWN_COLUMNS[0], *self.told, *OWN_COLUMNS[1:]]

    @property
    def body(self) -> tuple[int, int, int]:
        """The shape of a normalised body: channels, joints, frames."""
        return self.layout.dimensions, len(self.layout.joints), self.normalise.window


def prepare_clip(
    name: str, load: LoadClip, recipe: Recipe
) -> tuple[Row, Float[np.ndarray, "B C V W"] | None]:
    """A clip's row and, if it can be used, its normalised bodies."""
    row, unread = read_name(name, recipe)
    if unread:
        return row | {"reason": unread}, None
    try:
        clip = load(recipe.clips.limits)
    except Exception as error:  # a damaged file can make a reader raise anything
        return row | {"reason": f"unreadable: {error.__cause__ or error}"}, None
    reason = check_clip(clip, recipe.layout, recipe.normalise)
    if reason:
        return row | {"reason": reason}, None
    bodies = normalise(clip, recipe.layout, recipe.normalise)
    return row | {"frames": clip.shape[1], "bodies": len(bodies), "kept": True}, bodies


def read_name(name: str, recipe: Recipe) -> tuple[Row, str | None]:
    """The row of a clip before it is read and, if it need not be read, the reason."""
    row = dict.fromkeys(recipe.columns) | {"frames": 0, "bodies": 0, "kept": False}
    row["name"] = name
    told, reason = told_of(name, recipe.clips.name_pattern, recipe.table)
    row |= told
    if reason:
        return row, reason
    if row["action"] not in recipe.classes:
        return row, OTHER_CLASS
    return row, LISTED if name in recipe.listed else None


def told_of(
    name: str, pattern: str, table: ClipTable | None = None
) -> tuple[dict[str, Value], str | None]:
    """What the table or else its name says of a clip, and the reason why that is not all."""
    if table is not None:
        if name not in table.rows:
            return {}, "the clip table has no row for it"
        return dict(zip(table.columns, table.rows[name], strict=True)), None
    told: dict[str, Value] = {}
    match = re.fullmatch(pattern, name)
    if not match:
        return told, "the name does not match clips.name_pattern"
    for group, text in match.groupdict().items():
        if not (text or "").isdecimal() or len(text) > MAX_DIGITS:
            what = "not a number" if len(text or "") <= MAX_DIGITS else "expected 9 digits at most"
            return told, f"group {group} of the name is {text!r}, {what}"
        told[group] = int(text)
    return told, None


def listed_clips(
    lists: Mapping[str, list[str]], name_pattern: str, table: ClipTable | None = None
) -> frozenset[str]:
    """The clip names in lists of clips without a skeleton (list → lines); the rest is headings.

    Args:
        name_pattern: what a clip name is, where no table names the clips.

    Raises:
        ValueError: a list names no clip.
    """
    listed = set()
    for place, lines in lists.items():
        if table is None:
            names = {line for line in lines if re.fullmatch(name_pattern, line)}
            known = f"as clips.name_pattern {name_pattern!r} has it"
        else:
            names, known = table.rows.keys() & set(lines), "of the clip table"
        if not names:
            raise ValueError(
                f"{place}: none of its {len(lines)} lines is a clip name {known}; give the owners'"
                " list, one name a line, or none"
            )
        listed |= names
    return frozenset(listed)
