"""One run's report as a self-contained HTML page."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from msf_kedro.drawings.motion import Motion
from msf_kedro.drawings.player import Shown as Clip
from msf_kedro.drawings.player import environment
from msf_kedro.reports.evaluation import RESULTS
from msf_kedro.reports.examples import Example
from msf_kedro.reports.likeness import Likeness
from msf_kedro.reports.published import SOURCES
from msf_kedro.reports.shown import Classes, Shown
from msf_kedro.reports.wording import FIGURES, SYNTHETIC, method_name
from msf_kedro.texts.fusion import TEXT_COLUMNS, parse_texts
from msf_kedro.zero_shot.inference import run_in_tables

KINDS = {"LB": "label", "AD": "action", "MD": "motion", "verb": "verb", "noun": "noun"}
CHARTS = ("tradeoff", "gate_scores", "confusion", "latent_map")


@dataclass(frozen=True)
class Report:
    """All that a report shows.

    Attributes:
        version: of the package.
        shown: which protocol and gate stand first.
        classes: by name.
        intervals: see `comparisons.intervals`.
        level: of the intervals.
        comparison: figures beside published ones.
        per_class: accuracy of every class.
        class_texts: the class text table.
        predictions: of all test clips.
        likenesses: of the unseen classes.
        right: clips that were recognised.
        wrong: clips that were not.
        motions: clip name → what is drawn; empty where there are no clips.
        charts: name → SVG, see `CHARTS`.
        trainings: phase → SVG.
    """

    version: str
    shown: Shown
    classes: Classes
    intervals: pd.DataFrame
    level: float
    comparison: pd.DataFrame
    per_class: pd.DataFrame
    class_texts: pd.DataFrame
    predictions: pd.DataFrame
    likenesses: list[Likeness]
    right: list[Example]
    wrong: list[Example]
    motions: Mapping[str, Motion]
    charts: Mapping[str, str]
    trainings: Mapping[str, str]


def page(report: Report) -> str:
    """The page: no file, no script and no font from elsewhere."""
    shown, beside = report.shown, report.shown.beside
    run = shown.run
    template = environment("msf_kedro", "reports").get_template("study.html.jinja")
    return template.render(
        run=run,
        method=method_name(run_in_tables(run)),
        beside=method_name(run_in_tables(beside.run)) if beside else None,
        shown=shown,
        classes=report.classes,
        synthetic=run["study"] in SYNTHETIC,
        version=report.version,
        tested=_tested(report),
        seeds=len(shown.metrics[shown.protocol]["zssar"]["accuracy"]["values"]),
        chance=100 * shown.metrics[shown.protocol]["chance"]["mean"],
        level=100 * report.level,
        figures=_figures(report),
        sources=[source for source in SOURCES if report.comparison[source].notna().any()],
        others=[row for one in (shown, beside) if one for row in _others(one)],
        names=[FIGURES[figure] for figure in RESULTS],
        right=[_clip(report, one) for one in report.right] if report.motions else [],
        wrong=[_pair(report, one) for one in report.wrong] if report.motions else [],
        charts={name: Markup(svg) for name, svg in report.charts.items()},
        trainings={name: Markup(svg) for name, svg in report.trainings.items()},
        per_class=_per_class(report),
        likenesses=report.likenesses,
        parameters=json.dumps(run["parameters"], indent=1, ensure_ascii=False),
    )


def _tested(report: Report) -> dict[str, int]:
    clips = report.predictions.drop_duplicates("name").side.value_counts()
    return {side: int(clips.get(side, 0)) for side in ("seen", "unseen")}


def _figures(report: Report) -> list[dict[str, Any]]:
    """A row a figure: means and deviations over seeds, interval, published ones; percent."""
    shown = report.shown
    table = report.intervals[report.intervals.protocol == shown.protocol]
    table = table[table.gate.isin(["", shown.gate])].set_index("figure")
    published = shown.rows(report.comparison).set_index("figure")
    rows = []
    for figure in RESULTS:
        row = {"name": FIGURES[figure]} | _spread(shown, figure)
        row["beside"] = _spread(shown.beside, figure) if shown.beside else None
        row["interval"] = (
            [100 * table.loc[figure, end] for end in ("low", "high")]
            if figure in table.index
            else []
        )
        row["published"] = {
            source: published.loc[figure, source]
            for source in SOURCES
            if figure in published.index and pd.notna(published.loc[figure, source])
        }
        rows.append(row)
    return rows


def _spread(shown: Shown, figure: str) -> dict[str, float]:
    """Mean and standard deviation over seeds, percent."""
    own = shown.metrics[shown.protocol]
    values = own["zssar"]["accuracy"] if figure == RESULTS[0] else own["gzssar"][figure]
    return {name: 100 * values[name] for name in ("mean", "std")}


def _others(shown: Shown) -> list[dict[str, Any]]:
    """Every protocol and gate, a row each; percent."""
    rows = []
    for protocol in shown.protocols:
        own = shown.metrics[protocol]
        for gate, figures in own["gates"].items():
            values = [own["zssar"]["accuracy"], *(figures[name] for name in RESULTS[1:])]
            cells = [f"{100 * v['mean']:.1f} ± {100 * v['std']:.1f}" for v in values]
            method = method_name(run_in_tables(shown.run))
            row = {"method": method, "protocol": protocol, "gate": gate, "cells": cells}
            rows.append(row)
    return rows


def _clip(report: Report, one: Example) -> Clip:
    labels = report.classes.labels
    side = "unseen" if one.class_id in report.classes.unseen else "seen"
    caption = f"{side} class; {one.of[0]} of its {one.of[1]} test clips are recognised"
    return Clip(labels[one.class_id], caption, report.motions[one.name])


def _pair(report: Report, one: Example) -> list[Clip]:
    """A clip that was taken for another class, and one of that class."""
    labels, unseen = report.classes.labels, report.classes.unseen
    true, other = labels[one.class_id], labels[one.predicted]
    sides = ["unseen" if n in unseen else "seen" for n in (one.class_id, one.predicted)]
    caption = (
        f"{sides[0]} class, taken for “{other}”, as {one.of[0]} of its {one.of[1]} test clips are"
    )
    pair = [Clip(true, caption, report.motions[one.name])]
    if one.beside:
        caption = f"{sides[1]} class, a clip to compare"
        pair.append(Clip(other, caption, report.motions[one.beside]))
    return pair


def _per_class(report: Report) -> list[dict[str, Any]]:
    """Every class, unseen ones first: accuracies in percent, and its texts."""
    kinds = parse_texts(report.shown.run["texts"])
    texts = report.class_texts.set_index("class_id")
    mine = report.shown.rows(report.per_class).sort_values(
        ["side", "class_id"], ascending=[False, True]
    )
    return [
        {
            "label": report.classes.labels[row.class_id],
            "side": row.side,
            "alone": 100 * row.classifier_accuracy,
            "gated": 100 * row.gzssar_accuracy,
            "texts": [
                (KINDS[kind], texts.loc[row.class_id, TEXT_COLUMNS[kind]])
                for kind in kinds
                if kind != "LB"
            ],
        }
        for row in mine.itertuples()
    ]
