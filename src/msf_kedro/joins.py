"""Rows found by clip name: nothing is joined by position."""

from collections.abc import Sequence

import pandas as pd

SHOWN = 5


def rows_of(table: pd.DataFrame, names: Sequence[str] | pd.Series, what: str) -> pd.DataFrame:
    """The rows of some clips of a table that is indexed by clip name, in the clips' order.

    Args:
        what: what the table holds, for the error.

    Raises:
        ValueError: the table lacks a clip, or has one twice.
    """
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise ValueError(f"{what}: clip {twice} has more than one row, expected one")
    places = table.index.get_indexer(pd.Index(names))
    if (places < 0).any():
        missing = pd.Index(names)[places < 0]
        raise ValueError(
            f"{what}: no row for {len(missing)} of {len(places)} clips, {_some(missing)}; they come"
            " from different runs: rerun the stage that makes them, and what depends on it"
        )
    return table.iloc[places]


def check_same_clips(one: pd.Index, other: pd.Index, what: str, other_what: str) -> None:
    """Raise a ValueError where two tables are not of the same clips; says which are missing where.

    Args:
        what: what the first table holds, a stage's output.
        other_what: what the second one holds.
    """
    missing, surplus = other.difference(one), one.difference(other)
    if len(missing) or len(surplus):
        found = [
            f"{len(names)} clips are in {there} only, {_some(names)}"
            for names, there in ((surplus, what), (missing, other_what))
            if len(names)
        ]
        raise ValueError(
            f"{what} and {other_what} are not of the same clips: {'; '.join(found)}; rerun the"
            f" stage that makes the {what}, and what depends on it"
        )


def _some(names: pd.Index) -> str:
    more = ", ..." if len(names) > SHOWN else ""
    return f"such as {', '.join(map(str, names[:SHOWN]))}{more}"
