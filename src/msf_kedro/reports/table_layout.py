"""The tables to be read: which figures stand in which table, beside what, under which caption.

Numbers ("Table 2" to "Table 7") follow our reading of the paper: ZSSAR on NTU-60 and NTU-120 (2,
3), texts under two encoders (4, 5), GZSSAR (6, 7). Every table is named by its content too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from msf_kedro.reports.comparisons import CELL
from msf_kedro.reports.evaluation import FIGURES, SOURCES
from msf_kedro.reports.paper_tables import GZSSAR, PER_CLASS, SECONDS

# Data set → study → the split's name in the paper.
NTU = {
    "NTU-60": {"ntu60_55_5": "55/5", "ntu60_48_12": "48/12"},
    "NTU-120": {"ntu120_110_10": "110/10", "ntu120_96_24": "96/24"},
}
NUMBERS = {
    ("zssar", "NTU-60"): 2,
    ("zssar", "NTU-120"): 3,
    ("texts", "NTU-60"): 4,
    ("texts", "NTU-120"): 5,
    ("gzssar", "NTU-60"): 6,
    ("gzssar", "NTU-120"): 7,
}
SYNTHETIC = ("sample", "test")  # studies of generated clips

TITLES = {
    "zssar": "ZSSAR accuracy",
    "texts": "ZSSAR accuracy by texts",
    "gzssar": "GZSSAR",
    "per_class": "Accuracy per class",
    "time": "Training time",
    "intervals": "Confidence intervals",
    "tests": "Paired comparisons",
}
MEANINGS = {
    "zssar": "Unseen test clips among the unseen classes: percent that are right.",
    "texts": "Unseen test clips among the unseen classes: percent that are right.",
    "gzssar": "Test clips among all classes, percent: accuracy on seen clips (Acc_s) and on unseen"
    " clips (Acc_u), H their harmonic mean; H if the gate were always right; how often it is right;"
    " AUSUC, the area under the seen-unseen curve over all thresholds.",
    "per_class": "Percent, averaged over classes instead of clips.",
    "time": "Seconds to fit a run (fit_seconds of the benchmark), features given.",
    "intervals": "Percent.",
    "tests": "First minus second, percentage points [interval].",
}
FIGURE_NAMES = {
    "zssar_accuracy": "ZSSAR",
    "acc_seen": "Acc_s",
    "acc_unseen": "Acc_u",
    "harmonic_mean": "H",
    "harmonic_mean_perfect_gate": "H, perfect gate",
    "gate_accuracy": "gate accuracy",
    "ausuc": "AUSUC",
    "zssar_accuracy_per_class": "ZSSAR",
    "acc_seen_per_class": "Acc_s",
    "acc_unseen_per_class": "Acc_u",
    "harmonic_mean_per_class": "H",
    SECONDS: "seconds",
}
METHODS = {
    "revise": "ReViSE",
    "jpose": "JPoSE",
    "cada_vae": "CADA-VAE",
    "synse": "SynSE",
    "ridge": "ridge regression",
    "msf": "MSF",
}
TEXTS = ("LB", "AD", "MD", "AD+MD", "LB+AD+MD")
PROTOCOLS = {
    "strict": "Protocol strict: nothing is chosen with test labels or test subjects.",
    "paper": "Protocol paper, selected on test: each run's cycle is the best one on the unseen test"
    " clips, as in the released code; only to be set beside published figures.",
}
GATES = ("threshold", "logistic")


class TableCell(NamedTuple):
    """A cell as it is read; `bold` where it is the best of its column, or stands out."""

    text: str
    bold: bool = False


NOTHING = TableCell("–")


class Column(NamedTuple):
    """A column's two headings; the upper one spans neighbours that share it."""

    group: str
    name: str


@dataclass(frozen=True)
class Table:
    """A table to be read.

    Attributes:
        kind: one of `TITLES`.
        section: the data set or study that it belongs to.
        protocol: `strict`, `paper`, or "" where it does not matter.
        title, caption: plain text.
        labels: headings of the columns that name a row.
        columns: headings of the others.
        rows: the labels of each row, then its cells.
    """

    kind: str
    section: str
    protocol: str
    title: str
    caption: str
    labels: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[tuple[str, ...], tuple[TableCell, ...]], ...]


class _Shown(NamedTuple):
    """A column: its headings, which figure of which study (and encoder) it shows, and how."""

    column: Column
    key: tuple[str, ...]
    show: Callable[[dict], TableCell]


def lay_out(long: pd.DataFrame) -> list[Table]:
    """All tables in reading order, from what `collect` gave for one or more studies.

    NTU's studies come first, those of one data set side by side where that fits. Every other study
    has tables of its own, so that nobody compares columns of different data.
    """
    tables = []
    for section, studies in _sections(long.study.unique().tolist()).items():
        for kind in TITLES:
            side_by_side = kind in ("zssar", "texts")
            for group in [studies] if side_by_side else [{s: n} for s, n in studies.items()]:
                rows = long[(long.table == kind) & long.study.isin(group)]
                for protocol in _ordered(rows.protocol, PROTOCOLS):
                    mine = rows[rows.protocol == protocol]
                    for gate in _ordered(mine.gate[mine.gate != ""], GATES) or [""]:
                        scored = mine[mine.gate.isin(["", gate])]
                        tables.append(_arrange(kind, section, group, protocol, gate, scored))
    return tables


def _arrange(
    kind: str, section: str, group: dict[str, str], protocol: str, gate: str, rows: pd.DataFrame
) -> Table:
    """One table; `group` holds its studies and their names in headings."""
    of_row, of_column = list(CELL), ["study", "figure"]
    if kind == "texts":
        of_row, of_column = CELL[:2], ["study", "encoder", "figure"]
    if kind == "tests":
        of_row = [*CELL, "against_method", "against_texts"]
    else:
        rows = rows.sort_values(CELL, key=_places, kind="stable")
    figures: dict[tuple, dict] = {}
    for row in rows.to_dict("records"):
        line = figures.setdefault(tuple(row[name] for name in of_row), {})
        line[tuple(row[name] for name in of_column)] = row
    shown = _columns(kind, group, rows)
    several = "encoder" in of_row and rows.encoder.nunique() > 1
    name = section if len(group) > 1 or section in group else " ".join([section, *group.values()])
    chosen = protocol and f"protocol {protocol}"
    chosen += " (selected on test)" if protocol == "paper" else ""
    parts = [TITLES[kind], name, chosen, gate and f"gate {gate}"]
    number = NUMBERS.get((kind, section))
    return Table(
        kind=kind,
        section=section,
        protocol=protocol,
        title=(f"Table {number}: " if number else "") + ", ".join(part for part in parts if part),
        caption=_caption(kind, group, protocol, rows),
        labels=(("first", "second") if kind == "tests" else ("method", "texts"))
        + (("encoder",) if several else ()),
        columns=tuple(one.column for one in shown),
        rows=tuple(
            (
                _labels(dict(zip(of_row, key, strict=True)), several),
                tuple(one.show(line[one.key]) if one.key in line else NOTHING for one in shown),
            )
            for key, line in figures.items()
        ),
    )


def _columns(kind: str, group: dict[str, str], rows: pd.DataFrame) -> list[_Shown]:
    """A table's columns; those of a source only where it has published something."""
    group = {study: "" if study == name else name for study, name in group.items()}
    if kind == "zssar":
        headings = {(study, FIGURES[0]): name for study, name in group.items()}
        return _with_sources(headings, ["study", "figure"], rows)
    if kind == "texts":
        headings = {
            (study, encoder, FIGURES[0]): f"{name}, {encoder}".removeprefix(", ")
            for study, name in group.items()
            for encoder in _ordered(rows.encoder[rows.study == study])
        }
        return _with_sources(headings, ["study", "encoder", "figure"], rows)
    (study,) = group
    if kind == "tests":
        shown = (_difference, "difference"), (_p("p_bootstrap"), "p"), (_p("p_splits"), "p, splits")
        return [
            _Shown(Column(FIGURE_NAMES[figure], name), (study, figure), show)
            for figure in ("zssar_accuracy", "harmonic_mean")
            for show, name in shown
        ]
    names = {"gzssar": GZSSAR, "per_class": PER_CLASS, "time": (SECONDS,)}
    show = _interval if kind == "intervals" else _spread
    sources = [source for source in SOURCES if rows[source].notna().any()]
    return [
        _Shown(Column("", FIGURE_NAMES[figure]), (study, figure), show)
        for figure in names.get(kind, FIGURES)
    ] + [
        _Shown(Column(source, FIGURE_NAMES[figure]), (study, figure), _published(source))
        for source in sources
        for figure in FIGURES[1:]
    ]


def _with_sources(
    headings: dict[tuple, str], fields: list[str], rows: pd.DataFrame
) -> list[_Shown]:
    """For each heading the runs' figure, then what was published of it."""
    known = rows.set_index(fields)[list(SOURCES)].notna().groupby(fields).any()
    shown = []
    for key, heading in headings.items():
        shown.append(_Shown(Column(heading, FIGURE_NAMES[key[-1]]), key, _spread))
        shown += [
            _Shown(Column(heading, source), key, _published(source))
            for source in SOURCES
            if key in known.index and known.loc[key, source]
        ]
    return shown


def _spread(row: dict) -> TableCell:
    if pd.isna(row["mean"]):
        return NOTHING
    spread = "" if pd.isna(row["std"]) else f" ± {row['std']:.1f}"
    return TableCell(f"{row['mean']:.1f}{spread}", row["best"])


def _published(source: str) -> Callable[[dict], TableCell]:
    return lambda row: NOTHING if pd.isna(row[source]) else TableCell(f"{row[source]:.2f}")


def _interval(row: dict) -> TableCell:
    return TableCell(f"{row['mean']:.1f} [{row['low']:.1f}, {row['high']:.1f}]", row["best"])


def _difference(row: dict) -> TableCell:
    text = f"{row['mean']:+.1f} [{row['low']:+.1f}, {row['high']:+.1f}]"
    return TableCell(text, row["best"])


def _p(name: str) -> Callable[[dict], TableCell]:
    return lambda row: NOTHING if pd.isna(row[name]) else TableCell(f"{row[name]:.3g}")


def _labels(row: dict[str, str], with_encoder: bool) -> tuple[str, ...]:
    method = METHODS.get(row["method"], row["method"])
    encoder = (row["encoder"],) if with_encoder else ()
    if "against_method" not in row:
        return method, row["texts"], *encoder
    against = METHODS.get(row["against_method"], row["against_method"])
    return f"{method} {row['texts']}", f"{against} {row['against_texts']}", *encoder


def _sections(studies: list[str]) -> dict[str, dict[str, str]]:
    """Section → its studies and their names in headings; NTU first, generated clips last."""
    found = {}
    for section, names in NTU.items():
        here = {study: name for study, name in names.items() if study in studies}
        if here:
            found[section] = here
    others = sorted(set(studies) - {study for names in NTU.values() for study in names})
    return found | {s: {s: s} for s in sorted(others, key=lambda study: study in SYNTHETIC)}


def _places(column: pd.Series) -> pd.Series:
    """Sort keys: methods and texts in their order, encoders and what is unknown by name."""
    known = {"method": METHODS, "texts": TEXTS}.get(column.name, ())
    return column.map({name: place for place, name in enumerate(_ordered(column, known))})


def _ordered(values: pd.Series, known: dict | tuple = ()) -> list[str]:
    """The distinct values, known ones first and in their order, then others by name."""
    present = set(values)
    return [v for v in known if v in present] + sorted(present - set(known))


def _caption(kind: str, group: dict[str, str], protocol: str, rows: pd.DataFrame) -> str:
    """What a reader must know to read the table without its surroundings."""
    runs = rows[rows["mean"].notna()]
    sentences = [MEANINGS[kind]]
    sentences += [_about_study(study, runs[runs.study == study]) for study in group]
    sentences += _about_spread(kind, runs) + _about_missing_runs(runs)
    if rows[list(SOURCES)].notna().any(axis=None):
        sentences.append(
            "Published figures stand beside runs of the same method, texts and encoder. They come"
            " from their authors' texts and features; MSF's were selected on test, its gate is"
            " logistic."
        )
    sentences += [PROTOCOLS[protocol]] if protocol in PROTOCOLS else []
    return " ".join(sentence for sentence in sentences if sentence)


def _about_study(study: str, runs: pd.DataFrame) -> str:
    if not len(runs):
        return ""
    fact = runs.iloc[0]
    text = (
        f"Study {study}: {_count(int(fact.splits), 'split')}, {_count(int(fact.seeds), 'seed')},"
        f" texts embedded by {', '.join(_ordered(runs.encoder))}, chance of ZSSAR"
        f" {fact.chance:.1f}."
    )
    if study in SYNTHETIC:
        text += " Synthetic: a program draws its clips; no evidence about real recordings."
    return text


def _about_spread(kind: str, runs: pd.DataFrame) -> list[str]:
    """What stands behind ± or in brackets, and what is bold."""
    best = "Bold: the best mean of each column, ties as printed."
    resamples = runs.resamples.iloc[0]
    draws = (
        f"{100 * runs.level.iloc[0]:g}% intervals from {resamples} draws of test clips"
        " (seen and unseen apart, the same for all rows) and of seeds; the choice of classes is not"
        " covered."
    )
    if kind == "intervals":
        return [f"Mean [interval]: {draws}", best]
    if kind == "tests":
        tested = len(runs) // runs.figure.nunique()
        smallest = runs.smallest_p_splits.min()
        splits = (
            "p, splits: sign-flip test over split means, never below"
            f" {smallest:.4g} with so few splits."
            if smallest > 0
            else "p, splits needs several splits."
        )
        return [
            draws,
            "Bold: the interval leaves out 0.",
            f"p: two-sided, from the same draws, at least {2 / (resamples + 1):.2g}, not corrected"
            f" for the {tested} pairs.",
            splits,
        ]
    over = {"splits": "the means of splits", "seeds": "seeds"}
    spread = " or (single splits) ".join(over[name] for name in _ordered(runs.over, over))
    return [f"Mean ± standard deviation over {spread}.", best]


def _about_missing_runs(runs: pd.DataFrame) -> list[str]:
    """Name the rows with fewer runs than others, which do not compete for the best."""
    most = runs.groupby(["study", "figure"]).runs.transform("max")
    fewer = runs[(runs.runs < most).fillna(False).astype(bool)].drop_duplicates(["study", *CELL])
    if fewer.empty:
        return []
    names = ", ".join(
        f"{METHODS.get(row.method, row.method)} {row.texts} {row.encoder} ({row.runs})"
        for row in fewer.itertuples()
    )
    return [f"Fewer runs than the others have, and never bold: {names}."]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
