"""Published figures: those of the paper and those of the log that its authors released."""

import pandas as pd

FIGURES = ("zssar_accuracy", "acc_seen", "acc_unseen", "harmonic_mean")
COLUMNS = ("zssar", "acc_seen", "acc_unseen", "h")  # of the file, in the same order
SOURCES = ("paper", "released log")
KEYS = ("data_set", "split", "table", "method", "encoder", "texts", "source")
KINDS = ("LB", "AD", "MD", "verb", "noun")


def check(published: pd.DataFrame) -> None:
    """Refuse a file of published figures that cannot be used.

    Args:
        published: a row per study (`data_set`), split, method, encoder, texts and source; `table`
            has the numbers of the paper's tables in which the row has a place, such as `2 3`, or
            is empty; figures are percentages, empty where unknown.

    Raises:
        ValueError: a column is missing, a source unknown, a figure no percentage, or a row comes
            twice.
    """
    if missing := [name for name in (*KEYS, *COLUMNS) if name not in published]:
        raise ValueError(f"published figures: columns {missing} are missing")
    if unknown := sorted(set(published.source) - set(SOURCES)):
        raise ValueError(f"published figures: unknown sources {unknown}; known are {SOURCES}")
    for name, values in published[[*COLUMNS]].items():
        wrong = values.notna() & ~pd.to_numeric(values, errors="coerce").between(0, 100)
        if wrong.any():
            raise ValueError(f"published figures: {name} is {values[wrong].iloc[0]}, not percent")
    rows = published.assign(texts=published.texts.map(same_texts))[[*KEYS]].drop(columns="table")
    if rows.duplicated().any():
        twice = rows[rows.duplicated()].iloc[0].tolist()
        raise ValueError(f"published figures: {', '.join(twice)} comes more than once")


def published_figures(published: pd.DataFrame) -> pd.DataFrame:
    """A row per figure that is known, texts in the spelling of `same_texts`: `study`, `split`,
    `table`, `method`, `encoder`, `texts`, `source`, `figure`, one of `FIGURES`, and `value`."""
    names = {"data_set": "study"} | dict(zip(COLUMNS, FIGURES, strict=True))
    keys = [names.get(name, name) for name in KEYS]
    long = published.rename(columns=names).melt(keys, FIGURES, "figure").dropna(subset="value")
    return long.assign(texts=long.texts.map(same_texts), table=long.table.fillna(""))


def same_texts(texts: str) -> str:
    """One spelling for the same kinds in whatever order: `noun+verb` is `verb+noun`."""
    kinds = texts.split("+")
    return "+".join(sorted(kinds, key=lambda kind: [*KINDS, *kinds].index(kind)))
