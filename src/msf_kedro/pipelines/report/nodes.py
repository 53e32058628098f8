"""Nodes of the report."""

import pandas as pd

from msf_kedro import __version__
from msf_kedro.clips.layouts import Layout, get_layout
from msf_kedro.clips.store import Skeletons
from msf_kedro.methods import load_classifier
from msf_kedro.methods.contract.fitted import Latents
from msf_kedro.reports import charts
from msf_kedro.reports.benchmark import Cell, cell_outcomes
from msf_kedro.reports.comparisons import TablesConfig, intervals, resample
from msf_kedro.reports.examples import examples
from msf_kedro.reports.likeness import likenesses
from msf_kedro.reports.motions import motions
from msf_kedro.reports.shown import Classes, Shown
from msf_kedro.reports.study import Report, page
from msf_kedro.texts.fusion import Texts, parse_texts


def draw_tradeoff(
    metrics: dict, tradeoff_curves: pd.DataFrame, gzssar_results: pd.DataFrame
) -> str:
    """The seen-unseen curve, with the operating point."""
    return charts.tradeoff(Shown(metrics), tradeoff_curves, gzssar_results)


def draw_gate_scores(metrics: dict, predictions: pd.DataFrame, gates: pd.DataFrame) -> str:
    """Histograms of the gate's score."""
    return charts.gate_scores(Shown(metrics), predictions, gates)


def draw_confusion(
    metrics: dict, confusion: pd.DataFrame, predictions: pd.DataFrame, class_texts: pd.DataFrame
) -> str:
    """The confusion matrix."""
    return charts.confusion(Shown(metrics), confusion, Classes.of(predictions, class_texts))


def draw_latent_map(
    metrics: dict,
    test_latents: dict,
    test_unseen_classifier: dict,
    candidates: pd.DataFrame,
    test_features: pd.DataFrame,
    test_roles: pd.DataFrame,
    predictions: pd.DataFrame,
    class_texts: pd.DataFrame,
) -> str:
    """Latents of the unseen classes' texts and clips."""
    classifier, classes = (
        load_classifier(test_unseen_classifier),
        Classes.of(predictions, class_texts),
    )
    made = Latents(**test_latents), classifier, candidates
    return charts.latent_map(Shown(metrics), *made, test_features, test_roles, classes)


def draw_trainings(
    alignment_history: pd.DataFrame,
    unseen_classifier_history: pd.DataFrame,
    shift_gcn_histories: pd.DataFrame | None,
    phase: str,
) -> str:
    """How the trainings of a phase went: of its streams' networks, the alignment, the classifier.

    Args:
        shift_gcn_histories: None where the study has features only.
    """
    histories = {}
    if shift_gcn_histories is not None:
        histories = dict(iter(shift_gcn_histories.groupby("stream", sort=False)))
    histories |= {"alignment": alignment_history, "unseen_classifier": unseen_classifier_history}
    named = {name.replace("_", " "): table for name, table in histories.items()}
    return charts.trainings(phase, named)


def write_report(
    metrics: dict,
    comparison: pd.DataFrame,
    per_class: pd.DataFrame,
    predictions: pd.DataFrame,
    class_texts: pd.DataFrame,
    text_features: pd.DataFrame,
    tradeoff: str,
    gate_scores: str,
    confusion: str,
    latent_map: str,
    calibration_trainings: str,
    test_trainings: str,
    tables: TablesConfig,
    skeletons: dict | None,
    clips: pd.DataFrame | None,
) -> str:
    """The page.

    Args:
        skeletons: None where the study has features only; `clips` as well.
    """
    shown, classes = Shown(metrics), Classes.of(predictions, class_texts)
    run = shown.run
    cell = Cell(run["method"], run["texts"], run["encoder"], run["split"])
    outcomes = cell_outcomes(cell, predictions, class_texts.set_index("class_id").label)
    kinds = parse_texts(run["texts"])
    texts = Texts.of_table(text_features, kinds, list(classes.labels), run["encoder"])
    right, wrong = examples(shown.first(predictions))
    drawn = {}
    if skeletons is not None:
        names = [name for one in [*right, *wrong] for name in (one.name, one.beside) if name]
        drawn = motions(Skeletons(**skeletons), clips, _layout(run["parameters"]), names)
    return page(
        Report(
            version=__version__,
            shown=shown,
            classes=classes,
            intervals=intervals(resample(outcomes, tables), tables.level),
            level=tables.level,
            comparison=comparison,
            per_class=per_class,
            class_texts=class_texts,
            predictions=predictions,
            likenesses=likenesses(shown.rows(predictions), texts, classes),
            right=right,
            wrong=wrong,
            motions=drawn,
            charts={
                "tradeoff": tradeoff,
                "gate_scores": gate_scores,
                "confusion": confusion,
                "latent_map": latent_map,
            },
            trainings={"test": test_trainings, "calibration": calibration_trainings},
        )
    )


def _layout(made_with: dict) -> Layout:
    """The joints of the clips, by the parameters that made the predictions."""
    return get_layout(made_with["clips"]["layout"], made_with.get("layouts"))
