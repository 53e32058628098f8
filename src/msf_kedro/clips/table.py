"""A table that says of every clip what it shows, in place of clip names that say it."""

import csv
import io
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from keyword import iskeyword

Value = int | str

NAME, ACTION = "clip", "action"
MAX_ROWS, MAX_LENGTH = 1_000_000, 500  # clips, and characters of a cell
NAMES = r"[^\W\d]\w{0,99}"  # of columns, as conditions on them have them
SHOWN = 3


@dataclass(frozen=True)
class ClipTable:
    """What a table says of clips.

    Attributes:
        columns: names of the columns but `clip`, `action` among them.
        rows: clip name → values of the columns, in their order; a column's are all numbers or
            all texts, an action's are numbers.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[Value, ...]]

    def of(self, names: Collection[str]) -> "ClipTable":
        """The rows of some clips."""
        return ClipTable(self.columns, {name: self.rows[name] for name in names})

    def check_clips(self, names: Collection[str]) -> None:
        """Raise a ValueError where there are other clips than rows; says which."""
        without_row = sorted(set(names) - self.rows.keys())
        without_clip = sorted(self.rows.keys() - set(names))
        if without_row:
            raise ValueError(
                f"the clip table has no row for {len(without_row)} of {len(names)} raw clips,"
                f" such as {_some(without_row)}; add their rows, or put the clips elsewhere"
            )
        if without_clip:
            raise ValueError(
                f"{len(without_clip)} of {len(self.rows)} rows of the clip table name no raw clip,"
                f" such as {_some(without_clip)}; clips are named as their files, without suffix"
            )


def read_clip_table(content: bytes, name: str, own: Collection[str]) -> ClipTable:
    """Read a table from CSV: UTF-8, a header with `clip` and `action`, and a row a clip.

    A column whose cells are all whole numbers holds numbers, any other one texts.

    Args:
        content: the file's.
        name: what to call the file in errors.
        own: names that no column may have.

    Raises:
        ValueError: it is no such table; names the file and, where it has one, the line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: byte {error.start + 1} is not UTF-8; save it as CSV") from error
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header, cells = [], {}
    try:
        for row in filter(None, lines):
            if not header:
                header = _header(row, name, own)
                continue
            where = f"{name}: line {lines.line_num}"
            clip = _check_row(row, header, where)
            if clip in cells:
                raise ValueError(f"{where}: clip {clip!r} comes more than once")
            if len(cells) == MAX_ROWS:
                raise ValueError(f"{where}: more than {MAX_ROWS:,} clips")
            cells[clip] = row
    except csv.Error as error:
        raise ValueError(f"{name}: line {lines.line_num}: {error}; expected CSV") from error
    if not cells:
        raise ValueError(f"{name}: no row, expected a header and a row for every clip")
    return _typed(header, cells, name)


def _typed(header: list[str], cells: dict[str, list[str]], name: str) -> ClipTable:
    columns = {}
    for place, column in enumerate(header):
        if column == NAME:
            continue
        values = [row[place].strip() for row in cells.values()]
        if all(re.fullmatch("-?[0-9]{1,18}", value) for value in values):
            values = [*map(int, values)]
        elif column == ACTION:
            wrong = next(value for value in values if not re.fullmatch("[0-9]{1,18}", value))
            raise ValueError(f"{name}: action {wrong[:40]!r}, expected the number of a class")
        columns[column] = values
    rows = zip(*columns.values(), strict=True)
    return ClipTable(tuple(columns), dict(zip(cells, rows, strict=True)))


def _header(row: list[str], name: str, own: Collection[str]) -> list[str]:
    header = [column.strip() for column in row]
    missing = [column for column in (NAME, ACTION) if column not in header]
    if missing or len(set(header)) < len(header):
        raise ValueError(
            f"{name}: columns {str(header)[:200]}, expected {NAME}, {ACTION} and others, each once"
        )
    wrong = [c for c in header if c in own or iskeyword(c) or not re.fullmatch(NAMES, c)]
    if wrong:
        raise ValueError(
            f"{name}: column {wrong[0][:100]!r}, expected letters, digits and _, and none of"
            f" {', '.join(own)}"
        )
    return header


def _check_row(row: list[str], header: list[str], where: str) -> str:
    """The clip that a row is of."""
    if len(row) != len(header):
        raise ValueError(f"{where}: {len(row)} cells, expected {len(header)} as in the header")
    if long := [cell for cell in row if len(cell) > MAX_LENGTH]:
        raise ValueError(f"{where}: a cell of {len(long[0]):,} characters, accepted {MAX_LENGTH}")
    clip = row[header.index(NAME)].strip()
    if not clip:
        raise ValueError(f"{where}: the clip has no name")
    return clip


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + ", …" * (len(names) > SHOWN)
