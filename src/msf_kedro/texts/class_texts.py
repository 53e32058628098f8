"""The table of class texts: CSV bytes to a table, and what a usable table is."""

import csv
import io
import re
from collections.abc import Collection, Iterator

import pandas as pd
from pandas.api.types import is_integer_dtype

COLUMNS = ("class_id", "label", "verb", "noun", "action_description", "motion_description")
MAX_ROWS, MAX_LENGTH = 10_000, 5_000  # classes, and characters of a text
SHOWN = 10


def read_class_texts(content: bytes, name: str) -> pd.DataFrame:
    """Read a table from CSV: UTF-8, with or without a byte order mark, a header and a row a class.

    Every cell but those of `class_id` is a text, also `7` and `None`.

    Args:
        content: the file's.
        name: what to call the file in errors.

    Raises:
        ValueError: it is no such table; names the file and, where it has one, the row.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name}: byte {error.start + 1} is {content[error.start]:#04x}, not UTF-8; save the"
            " table as CSV in UTF-8"
        ) from error
    if "\0" in text:
        raise ValueError(f"{name}: it holds NUL characters; save the table as CSV in UTF-8")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header, rows = None, []
    try:
        for row in lines:
            if not row:
                continue
            if header is None:
                header = row
            else:
                _check_row(row, header, len(rows), f"{name}: line {lines.line_num}")
                rows.append(row)
    except csv.Error as error:
        raise ValueError(f"{name}: line {lines.line_num}: {error}; expected CSV") from error
    table = pd.DataFrame(rows, columns=header or [], dtype="str")
    if "class_id" in table:
        table["class_id"] = table.class_id.astype("int64")
    check_class_texts(table, name)
    return table


def check_class_texts(table: pd.DataFrame, name: str = "class texts") -> None:
    """Raise a ValueError where the class text table, called `name`, is not usable."""
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise ValueError(f"{name}: columns {missing} are missing; expected {list(COLUMNS)}")
    if not 0 < len(table) <= MAX_ROWS:
        raise ValueError(
            f"{name}: {len(table):,} rows, expected one for each class, at most {MAX_ROWS:,}"
        )
    if not is_integer_dtype(table.class_id):
        raise ValueError(
            f"{name}: column class_id holds {table.class_id.dtype} values, expected whole numbers"
        )
    if table.class_id.duplicated().any():
        twice = table.class_id[table.class_id.duplicated()].tolist()
        raise ValueError(f"{name}: class_id {twice[:SHOWN]} comes more than once")
    columns_of: dict[str, list[str]] = {}
    for column in COLUMNS[1:]:
        for problem in _bad_texts(table, column, name):
            columns_of.setdefault(problem, []).append(column)
    wrong = [_of_columns(columns, problem) for problem, columns in columns_of.items()]
    if wrong:
        raise ValueError(f"{name}: {'; '.join(wrong)}")


def several_of(table: pd.DataFrame, classes: Collection[int]) -> list[str]:
    """Labels that more than one of the classes has."""
    labels = table.label[table.class_id.isin(classes)].str.strip()
    return labels[labels.duplicated()].unique().tolist()


def _check_row(row: list[str], header: list[str], before: int, place: str) -> None:
    if len(set(header)) < len(header):
        raise ValueError(f"{place}: the header above names a column twice: {str(header)[:200]}")
    if before == MAX_ROWS:
        raise ValueError(f"{place}: more than {MAX_ROWS:,} rows, expected a row for each class")
    if len(row) != len(header):
        raise ValueError(
            f"{place}: {len(row)} cells, expected {len(header)} as in the header; put a text that"
            " holds commas in quotes"
        )
    for column, cell in zip(header, row, strict=True):
        if column == "class_id" and not re.fullmatch(r" *[0-9]{1,9} *", cell):
            raise ValueError(f"{place}: class_id is {cell[:40]!r}, expected a whole number")


def _bad_texts(table: pd.DataFrame, column: str, name: str) -> Iterator[str]:
    """What is wrong with one column: a text for every class, none of them endless."""
    texts = dict(zip(table.class_id.tolist(), table[column].tolist(), strict=True))
    other = [text for text in texts.values() if not isinstance(text, str) and not pd.isna(text)]
    if other:
        raise ValueError(
            f"{name}: column {column} holds {str(other[0])[:40]!r}, which is no text; read the"
            " table as msf_kedro.datasets.ClassTextsDataset"
        )
    words = {class_id: "" if pd.isna(text) else text.strip() for class_id, text in texts.items()}
    if empty := [class_id for class_id, text in words.items() if not text]:
        yield f"is empty for classes {_some(empty)}"
    if long := [class_id for class_id, text in words.items() if len(text) > MAX_LENGTH]:
        yield f"has more than {MAX_LENGTH:,} characters for classes {_some(long)}"


def _of_columns(columns: list[str], problem: str) -> str:
    """What one column or several have in common."""
    if len(columns) == 1:
        return f"column {columns[0]} {problem}"
    return f"each of the columns {', '.join(columns)} {problem}"


def _some(classes: list[int]) -> str:
    more = f" and {len(classes) - SHOWN} more" if len(classes) > SHOWN else ""
    return f"{classes[:SHOWN]}{more}"
