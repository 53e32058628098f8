"""The tables to be read: the paper's six by their numbers, then every study's own."""

from itertools import product
from typing import NamedTuple

import pandas as pd

from msf_kedro.reports import wording
from msf_kedro.reports.comparisons import CELL, FULL
from msf_kedro.reports.published import SOURCES, published_figures, same_texts
from msf_kedro.reports.wording import METHODS, PROJECT, SPLITS

ORDER = {
    "protocol": wording.PROTOCOLS,
    "gate": wording.GATES,
    "block": SPLITS.values(),
    "method": METHODS.values(),
    "texts": wording.TEXTS,
    "source": (*SOURCES, PROJECT),
    "figure": wording.FIGURES,
}


class Table(NamedTuple):
    """A table to be read.

    Attributes:
        section: the study that it belongs to, or `wording.PAPER`.
        title, caption: plain text.
        frame: figures as they are printed, bold ones between `**`, "" where there is none; the
            upper one of a column's two headings may be empty.
    """

    section: str
    title: str
    caption: str
    frame: pd.DataFrame


def lay_out(long: pd.DataFrame, published: pd.DataFrame) -> list[Table]:
    """All tables in reading order: the paper's, also where nothing of theirs has been run, then
    those of every study, NTU's first and generated clips' last.

    Args:
        long: what `figures.collect` gave for one or more studies.
        published: as `published.check` wants it.
    """
    long = long.assign(
        block=[SPLITS.get(place, place[1]) for place in zip(long.study, long.split, strict=True)],
        method=long.method.replace(METHODS),
        texts=long.texts.map(same_texts),
        text=[_text(row) for row in long.to_dict("records")],
    )
    tables = [_paper_table(number, long, published) for number in wording.PAPER_TABLES]
    ntu = [study for study, _ in SPLITS]
    studies = sorted(
        set(long.study), key=lambda s: (s not in ntu, s in wording.SYNTHETIC, len(s), s)
    )
    for study, kind in product(studies, wording.TITLES):
        rows = long[(long.table == kind) & (long.study == study)]
        apart = ["protocol", "gate", "encoder"] if kind == "classes" else ["protocol", "gate"]
        groups = rows[rows.gate.ne("") | rows.protocol.eq("")][apart].drop_duplicates()
        for protocol, gate, *encoder in groups.sort_values(apart, key=_places).to_numpy():
            mine = rows[rows.protocol.eq(protocol) & rows.gate.isin(["", gate])]
            mine = mine[mine.encoder.isin(encoder or mine.encoder)]
            tables.append(_own_table(kind, study, protocol, gate, mine))
    return tables


def _paper_table(number: int, long: pd.DataFrame, published: pd.DataFrame) -> Table:
    """Published figures and the project's, under the paper protocol and the logistic gate."""
    spec, keys = wording.PAPER_TABLES[number], [*CELL, "block", "figure", "source"]
    runs = long[(long.table == "results") & (long.protocol == "paper") & (long.gate == "logistic")]
    runs = runs[runs.study.isin([study for study, _ in SPLITS])]
    known = published_figures(published)
    known = known.assign(
        block=[SPLITS.get(place) for place in zip(known.study, known.split, strict=True)],
        method=known.method.replace(METHODS),
        text=known.value.map("{:.2f}".format),
    )
    shown = pd.concat([known, runs.assign(source=PROJECT, text=runs.text.str.strip("*"))])
    cells = known[known.table.map(lambda numbers: str(number) in numbers.split())][CELL]
    places = pd.DataFrame(
        product(*(ORDER["block"], spec.figures, ORDER["source"])), columns=keys[3:]
    )
    rows = cells.drop_duplicates().merge(places, how="cross")
    of_row = rows.encoder
    if spec.encoder:
        rows["encoder"] = of_row.where(rows.source != PROJECT, spec.encoder)
    rows = rows.merge(shown[[*keys, "text"]], how="left", on=keys).fillna("").assign(encoder=of_row)
    logged = rows.groupby([*CELL, "source"]).text.transform("max").ne("")
    rows = rows[logged | rows.source.ne("released log")]
    name = rows.figure.map(wording.FIGURES) if "source" in spec.labels else rows.source
    frame = _frame(
        rows.assign(group=rows.block, name=name),
        *(list(spec.labels), [*CELL, "source"], ["block", "figure", "source"]),
    )
    about = [_study(mine) for _, mine in runs.groupby("study")]
    caption = " ".join([spec.caption, wording.PUBLISHED, *about])
    return Table(wording.PAPER, f"Table {number}: {spec.title}", caption, frame)


def _own_table(kind: str, study: str, protocol: str, gate: str, rows: pd.DataFrame) -> Table:
    """One table of a study; a block of columns for each split whose figures stand apart."""
    labels, by_row, by_column = CELL[:2], CELL, ["block", *CELL, "figure"]
    rows = rows.assign(group=rows.block, name=rows.figure.map(wording.FIGURES))
    if kind == "classes":
        rows = rows[rows.texts.eq(FULL) | ~rows.method.isin(rows.method[rows.texts == FULL])]
        rows = rows.assign(group=rows.block + " " + rows.method + " " + rows.texts)
        labels, by_row = ["class_id", "label", "side"], ["class_id", "side"]
    elif kind == "tests":
        rows = rows[rows.figure.isin(wording.TESTED)]
        against = rows.against_method.replace(METHODS) + " " + rows.against_texts
        rows = rows.assign(first=rows.method + " " + rows.texts, second=against)
        rows = rows.assign(group=rows.block + " " + rows.name)
        ps = {
            name: rows[p].map("{:.3g}".format).replace("nan", "") for name, p in wording.PS.items()
        }
        texts = {"difference": rows.text} | ps
        rows = pd.concat([rows.assign(name=name, text=text) for name, text in texts.items()])
        labels, by_row = ["first", "second"], ["table"]  # in the order in which they come
    if kind != "classes" and rows.encoder.nunique() > 1:
        labels = [*labels, "encoder"]
    rows = rows.assign(group=rows.group.str.strip())
    by_column = by_column if kind == "classes" else ["block", "figure"]
    frame = _frame(rows, labels, by_row, by_column)
    frame = frame.loc[:, frame.ne("").any()]
    chosen = wording.SELECTED if protocol == "paper" else protocol and f"protocol {protocol}"
    title = [wording.TITLES[kind], study, chosen, gate and f"gate {gate}"]
    caption = _caption(kind, protocol, rows, len(frame))
    return Table(study, ", ".join(filter(None, title)), caption, frame)
