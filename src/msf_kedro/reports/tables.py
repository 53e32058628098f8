"""The tables to be read: the paper's six by their numbers, then every study's own."""

from itertools import product
from typing import NamedTuple

import pandas as pd

from msf_kedro.reports import wording
from msf_kedro.reports.comparisons import CELL, FULL
from msf_kedro.reports.published import SOURCES, published_figures
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
    long = _named(long.assign(text=[_text(row) for row in long.to_dict("records")]))
    known = _named(published_figures(published))
    tables = [_paper_table(number, long, known) for number in wording.PAPER_TABLES]
    order = (*wording.NTU, *sorted(set(long.study), key=lambda s: (s in wording.SYNTHETIC, s)))
    studies = [study for study in dict.fromkeys(order) if study in set(long.study)]
    for study, kind in product(studies, wording.TITLES):
        rows = long[(long.table == kind) & (long.study == study)]
        apart = ["protocol", "gate", *(["encoder"] if kind == "classes" else [])]
        groups = rows[rows.gate.ne("") | rows.protocol.eq("")][apart].drop_duplicates()
        for protocol, gate, *encoder in groups.sort_values(apart, key=_places).to_numpy():
            mine = rows[rows.protocol.eq(protocol) & rows.gate.isin(["", gate])]
            mine = mine[mine.encoder.isin(encoder or mine.encoder)]
            chosen = f"protocol {protocol}" + wording.SELECTED.get(protocol, "")
            where = [chosen, f"gate {gate}"] if protocol else []
            where += encoder if rows.encoder.nunique() > 1 else []
            title = ", ".join([wording.TITLES[kind], study, *where])
            tables.append(_own_table(kind, title, mine))
    return tables


def _paper_table(number: int, long: pd.DataFrame, known: pd.DataFrame) -> Table:
    """Published figures and the project's, under the paper protocol and the logistic gate."""
    spec = wording.PAPER_TABLES[number]
    runs = long[(long.table == "results") & (long.protocol == "paper") & (long.gate == "logistic")]
    runs = runs[runs.study.isin(wording.NTU)].assign(source=PROJECT)
    shown = [known.assign(text=known.value.map("{:.2f}".format))]
    shown += [runs.assign(text=runs.text.str.strip("*"))]
    keys = [*CELL, "block", "figure", "source"]
    cells = known[known.table.map(lambda numbers: str(number) in numbers.split())][CELL]
    grid = pd.DataFrame(product(ORDER["block"], spec.figures, ORDER["source"]), columns=keys[3:])
    rows = cells.drop_duplicates().merge(grid, how="cross")
    ran = rows.encoder.where(rows.source.ne(PROJECT) | (spec.encoder == ""), spec.encoder)
    texts = rows.assign(encoder=ran).merge(pd.concat(shown)[[*keys, "text"]], how="left").text
    rows = rows.assign(text=texts.fillna("").to_numpy(), group=rows.block, name=rows.source)
    labels = [*CELL[:2], *([] if spec.encoder else ["encoder"])]
    if len(spec.figures) > 1:
        labels, rows["name"] = [*labels, "source"], rows.figure.map(wording.FIGURES)
    logged = rows.groupby([*CELL, "source"]).text.transform("max").ne("")
    rows = rows[logged | rows.source.ne("released log")]
    frame = _frame(rows, labels, [*CELL, "source"], ["block", "figure", "source"])
    about = [_study(runs[runs.study == study]) for study in wording.NTU if study in set(runs.study)]
    caption = " ".join([spec.caption, wording.PUBLISHED, *about])
    return Table(wording.PAPER, f"Table {number}: {spec.title}", caption, frame)


def _own_table(kind: str, title: str, rows: pd.DataFrame) -> Table:
    """One table of a study; a block of columns for each split whose figures stand apart."""
    labels, by_row, by_column = list(CELL), CELL, ["block", "figure"]
    rows = rows.assign(group=rows.block, name=rows.figure.map(wording.FIGURES))
    if kind == "classes":
        rows = rows[rows.texts.eq(FULL) | ~rows.method.isin(rows.method[rows.texts == FULL])]
        rows = rows.assign(group=rows.block + " " + rows.method + " " + rows.texts)
        labels, by_row = ["class_id", "label", "side"], ["class_id", "side"]
        by_column = ["block", *CELL, "figure"]
    if kind == "tests":
        rows = rows[rows.figure.isin(wording.TESTED)]
        rows = rows.assign(
            first=rows.method + " " + rows.texts,
            second=rows.against_method + " " + rows.against_texts,
            group=rows.block + " " + rows.name,
        )
        ps = {
            name: rows[p].map("{:.3g}".format).replace("nan", "") for name, p in wording.PS.items()
        }
        ends = [wording.OVER_SPLITS.format(**row) for row in rows.to_dict("records")]
        over = pd.Series(ends, rows.index).where(rows.low_splits.notna(), "")
        texts = {"difference": rows.text, "over splits": over} | ps
        rows = pd.concat([rows.assign(name=name, text=text) for name, text in texts.items()])
        labels, by_row = ["first", "second", "encoder"], ["table"]  # in the order of the pairs
    if "encoder" in labels and rows.encoder.nunique() == 1:
        labels.remove("encoder")
    frame = _frame(rows.assign(group=rows.group.str.strip()), labels, by_row, by_column)
    caption = _caption(kind, rows, len(frame))
    return Table(rows.study.iloc[0], title, caption, frame.loc[:, frame.ne("").any()])


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """With the headings of studies' splits (`block`), and methods as they are called."""
    places = zip(table.study, table.split, strict=True)
    methods = [name for name in ("method", "against_method") if name in table]
    names = {name: table[name].map(wording.method_name) for name in methods}
    return table.assign(block=[SPLITS.get(place, place[1]) for place in places], **names)


def _text(row: dict) -> str:
    """A row's figure as it is printed."""
    if pd.isna(row["mean"]):
        return ""
    form = wording.FORMATS.get(row["table"]) or wording.SPREAD
    text = (wording.MEAN if form == wording.SPREAD and pd.isna(row["std"]) else form).format(**row)
    return f"**{text}**" if row["best"] else text


def _frame(
    rows: pd.DataFrame, labels: list[str], by_row: list[str], by_column: list[str]
) -> pd.DataFrame:
    """The `text` of rows by `labels`, `group` and `name`, in the order of other fields."""
    order = []
    for by, fields in ((by_row, labels), (by_column, ["group", "name"])):
        some = rows[list({*by, *fields})].drop_duplicates()
        some = some.sort_values(by, key=_places, kind="stable")[fields].drop_duplicates()
        order.append(pd.MultiIndex.from_frame(some))
    wide = rows.pivot(index=labels, columns=["group", "name"], values="text")
    return wide.reindex(index=order[0], columns=order[1]).fillna("")


def _places(column: pd.Series) -> pd.Series:
    """Sort keys: what is known in its order, the others behind it by name."""
    known = list(ORDER.get(column.name, ()))
    order = known + sorted(set(column) - set(known))
    return column.map({value: place for place, value in enumerate(order)})


def _caption(kind: str, rows: pd.DataFrame, lines: int) -> str:
    """What a reader must know to read the table without its surroundings."""
    fact, smallest = rows.iloc[0], rows.smallest_p_splits.min()
    flips = (
        wording.ONE_SPLIT
        if pd.isna(smallest)
        else wording.FLIPS.format(smallest=smallest, level=100 * fact.level)
    )
    meaning = wording.CAPTIONS[kind].format(
        over=wording.OVER[fact.over],
        level=100 * fact.level,
        resamples=fact.resamples,
        least=2 / (fact.resamples + 1),
        pairs=lines,
        flips=flips,
    )
    most = rows.runs.groupby([rows.split, rows.figure]).transform("max")
    fewer = rows[(rows.runs < most).fillna(False) & (kind != "classes")].drop_duplicates(CELL)
    names = [f"{row.method} {row.texts} {row.encoder} ({row.runs})" for row in fewer.itertuples()]
    about_fewer = wording.FEWER.format(names=", ".join(names)) if names else ""
    parts = [meaning, _study(rows), about_fewer, wording.PROTOCOLS.get(fact.protocol, "")]
    return " ".join(filter(None, parts))


def _study(rows: pd.DataFrame) -> str:
    """A study's splits, seeds, encoders and chance."""
    blocks = rows.drop_duplicates("block").sort_values("block", key=_places)
    study, places = blocks.study.iloc[0], zip(blocks.block, blocks.chance, strict=True)
    chances = [f"{chance:.1f}" + (block and f" ({block})") for block, chance in places]
    text = wording.STUDY.format(
        study=study,
        splits=_count(max(int(blocks.splits.max()), len(blocks)), "split"),
        seeds=_count(int(rows.seeds.max()), "seed"),
        encoders=", ".join(sorted(set(rows.encoder))),
        chance=", ".join(chances),
    )
    return text + (wording.GENERATED if study in wording.SYNTHETIC else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
