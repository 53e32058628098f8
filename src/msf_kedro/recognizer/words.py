"""Classes in a user's words: what may be given, and what stands in for texts that are not."""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from msf_kedro.texts.class_texts import MAX_LENGTH, MAX_ROWS
from msf_kedro.texts.fusion import TEXT_COLUMNS

DESCRIPTION = "description"
MAX_BYTES = 10_000_000
# What may be given for a class, under which names; None is a number that nothing reads.
GIVEN = {
    **{name: name for name in (DESCRIPTION, *TEXT_COLUMNS)},
    **{column: kind for kind, column in TEXT_COLUMNS.items()},
    "class_id": None,
}
# Text kind → what stands in for it, the first of these that there is.
STAND_INS = {"LB": (), "AD": (DESCRIPTION, "MD"), "MD": (DESCRIPTION, "AD"), "verb": (), "noun": ()}

Given = dict[str, str]


def read_classes(path: Path) -> pd.DataFrame:
    """A CSV file of classes: a column `label`, and any of `GIVEN`.

    Raises:
        ValueError: it cannot be read, or is no such table.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES:,} bytes")
        content = io.BytesIO(path.read_bytes())
        table = pd.read_csv(content, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # pandas' own are ValueErrors
        raise ValueError(f"{path}: {error}; expected a table of classes as CSV in UTF-8") from error
    parse_classes(table, str(path))
    return table


def parse_classes(classes: Any, where: str = "classes") -> dict[str, Given]:
    """Label → what is given for the class, by text kind or as `description`; empty: nothing.

    Args:
        classes: a table with a column `label`, a mapping from labels to a description, to texts by
            kind or column, or to None, or a list of labels.
        where: what to call them in errors.

    Raises:
        ValueError: it is nothing of this kind, is empty, or names a class twice.
    """
    if isinstance(classes, pd.DataFrame):
        rows = _rows(classes, where)
    elif isinstance(classes, Mapping):
        rows = [(label, _given(given)) for label, given in classes.items()]
    elif isinstance(classes, Iterable) and not isinstance(classes, str):
        rows = [(label, {}) for label in classes]
    else:
        raise ValueError(
            f"{where}: {type(classes).__name__}, expected labels, a mapping from labels to"
            " descriptions, or a table"
        )
    if not 0 < len(rows) <= MAX_ROWS:
        raise ValueError(f"{where}: {len(rows):,} classes, expected 1 to {MAX_ROWS:,}")
    parsed: dict[str, Given] = {}
    for label, given in rows:
        if not isinstance(label, str) or not label.strip():
            raise ValueError(f"{where}: a label is {label!r}, expected a text")
        label = label.strip()
        if label in parsed:
            raise ValueError(f"{where}: {label!r} comes twice")
        parsed[label] = _checked(given, f"{where}: {label}")
    return parsed


def complete(label: str, given: Given, kinds: Iterable[str]) -> tuple[Given, list[str]]:
    """The texts of all kinds that a method reads.

    A description stands for the action and the motion description, each of these for the other,
    and the label for whatever else is lacking.

    Returns:
        Text kind → text, and what to tell the user about it.
    """
    words, read, notes = {}, set(), []
    for kind in kinds:
        source = next((name for name in (kind, *STAND_INS[kind]) if name in given), "label")
        words[kind] = given.get(source, label)
        read.add(source)
        if source not in (kind, DESCRIPTION) and kind != "LB":
            notes.append(f"its {source} stands in for its {kind}")
    if unread := [name for name in given if name not in read]:
        notes.append(f"its {' and '.join(unread)} is not read: the method reads {'+'.join(words)}")
    return words, notes


def _rows(table: pd.DataFrame, where: str) -> list[tuple[Any, dict[str, Any]]]:
    if "label" not in table:
        raise ValueError(f"{where}: columns {list(table)[:12]}, expected `label` among them")
    columns = [column for column in table if column != "label"]
    return [
        (row["label"], _given({column: row[column] for column in columns}))
        for row in table.to_dict("records")
    ]


def _given(given: Any) -> dict[str, Any]:
    """What is given for a class, what is missing left out."""
    if not isinstance(given, Mapping):
        given = {DESCRIPTION: given}
    return {
        name: text
        for name, text in given.items()
        if not (text is None or text == "" or (isinstance(text, float) and text != text))
    }


def _checked(given: Mapping[str, Any], where: str) -> Given:
    checked = {}
    for name, text in given.items():
        if name not in GIVEN:
            known = ", ".join([DESCRIPTION, *TEXT_COLUMNS.values(), *TEXT_COLUMNS])
            raise ValueError(f"{where}: {name!r} is given, known are {known}")
        if (kind := GIVEN[name]) is None:
            continue
        if not isinstance(text, str) or not text.strip() or len(text) > MAX_LENGTH:
            raise ValueError(
                f"{where}: its {name} is {str(text)[:40]!r}, expected a text of at most"
                f" {MAX_LENGTH:,} characters"
            )
        checked[kind] = text.strip()
    return checked
