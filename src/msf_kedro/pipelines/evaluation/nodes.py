"""Nodes of the evaluation stage."""

import logging

import pandas as pd

from msf_kedro.reports import evaluation
from msf_kedro.zero_shot.gate import GateConfig
from msf_kedro.zero_shot.inference import INDUCTIVE, in_tables, inference_of

logger = logging.getLogger(__name__)


def show(
    zssar_results: pd.DataFrame,
    method: str,
    inference: str,
    beside: str,
    beside_zssar_results: pd.DataFrame | None,
) -> None:
    """Log the ZSSAR figures, as the last thing of a run without a gate.

    Args:
        beside: the method whose figures stand beside the run's; "none": its results are None.
    """
    runs = {method: (zssar_results,)}
    if beside_zssar_results is not None:
        runs[beside] = (beside_zssar_results,)
    table = evaluation.results_table(runs)
    title = in_tables("ZSSAR", inference)
    logger.info("%s, percent, mean ± standard deviation over seeds\n%s", title, table)


def break_down(predictions: pd.DataFrame, class_texts: pd.DataFrame) -> tuple:
    """Seen-unseen curves, confusions and figures per class."""
    return (
        evaluation.tradeoff_curves(predictions),
        evaluation.confusion(predictions),
        evaluation.per_class(predictions, class_texts.set_index("class_id").label),
    )


def report(
    zssar_results: pd.DataFrame,
    gzssar_results: pd.DataFrame,
    made_with: dict,
    gate: GateConfig,
    study: str,
    split: str,
    method: str,
    texts: str,
    encoder: str,
    beside: str,
    beside_zssar_results: pd.DataFrame | None,
    beside_gzssar_results: pd.DataFrame | None,
    beside_made_with: dict | None,
) -> dict:
    """The report of the run.

    Args:
        made_with: the parameters that made the predictions. The others are read now: they say
            where the predictions lie, and which gate's figures stand first.
        beside: the method whose figures stand beside the run's; "none": what is read of it is None.
    """

    def run(name: str, made_with: dict) -> dict:
        about = {"study": study, "split": split, "method": name, "texts": texts, "encoder": encoder}
        inference = inference_of(made_with)
        about |= {} if inference == INDUCTIVE else {"inference": inference}
        return about | {"gate": gate.kind, "parameters": made_with}

    own = run(method, made_with)
    metrics = evaluation.report(own, zssar_results, gzssar_results, gate.kind)
    if beside_made_with is not None:
        second = run(beside, beside_made_with), beside_zssar_results, beside_gzssar_results
        metrics["beside"] = evaluation.report(*second, gate.kind)
    return metrics


def compare(
    zssar_results: pd.DataFrame,
    gzssar_results: pd.DataFrame,
    published_figures: pd.DataFrame,
    made_with: dict,
    study: str,
    split: str,
    method: str,
    texts: str,
    encoder: str,
) -> pd.DataFrame:
    """The run's figures beside the published ones, which are logged where there are some.

    Nothing is published of transductive inference.
    """
    method = in_tables(method, inference_of(made_with))
    cell = {"study": study, "split": split, "method": method, "texts": texts, "encoder": encoder}
    table = evaluation.comparison(zssar_results, gzssar_results, published_figures, cell)
    if table[list(evaluation.SOURCES)].notna().any(axis=None):
        shown = table.round(2).to_string(index=False, na_rep="-")
        logger.info("beside the published figures of texts %s, percent\n%s", texts, shown)
    return table
