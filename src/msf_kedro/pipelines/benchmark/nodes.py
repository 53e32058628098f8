"""Nodes of the benchmark: figures of cells, and tables that join them."""

import logging
from dataclasses import replace

import pandas as pd

from msf_kedro.reports import benchmark
from msf_kedro.reports.benchmark import Cell
from msf_kedro.zero_shot.gate import GateConfig
from msf_kedro.zero_shot.inference import in_tables, inference_of

logger = logging.getLogger(__name__)


def summarise_cell(
    zssar_results: pd.DataFrame,
    gzssar_results: pd.DataFrame,
    predictions: pd.DataFrame,
    class_texts: pd.DataFrame,
    calibration_alignment_history: pd.DataFrame,
    test_alignment_history: pd.DataFrame,
    calibration_unseen_classifier_history: pd.DataFrame,
    test_unseen_classifier_history: pd.DataFrame,
    made_with: dict,
    cell: Cell,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cell's figures, a row per run, and what became of each test clip.

    Args:
        made_with: the parameters that made the predictions.
    """
    cell = replace(cell, method=in_tables(cell.method, inference_of(made_with)))
    histories = [
        *(calibration_alignment_history, test_alignment_history),
        *(calibration_unseen_classifier_history, test_unseen_classifier_history),
    ]
    results = benchmark.cell_results(cell, zssar_results, gzssar_results, histories)
    labels = class_texts.set_index("class_id").label
    return results, benchmark.cell_outcomes(cell, predictions, labels)


def join_tables(*tables: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Several figures and outcomes in one table each; first all figures, then all outcomes."""
    half = len(tables) // 2
    results, outcomes = tables[:half], tables[half:]
    return pd.concat(results, ignore_index=True), pd.concat(outcomes, ignore_index=True)


def collect(gate: GateConfig, *tables: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All splits' figures and outcomes in one table each.

    `tables` are first all splits' figures, then all splits' outcomes.
    """
    results, outcomes = join_tables(*tables)
    for protocol in results.protocol.unique():
        logger.info(
            "%s, %s gate: means over %d seeds and %d splits, percent\n%s",
            *(protocol, gate.kind, results.seed.nunique(), results.split.nunique()),
            benchmark.summary(results, protocol, gate.kind),
        )
    return results, outcomes
