"""Stage 7 of the DAG: predictions → figures, tables, report."""

from kedro.pipeline import Node, Pipeline, node

from msf_kedro.pipelines.bound import bind
from msf_kedro.pipelines.evaluation.nodes import break_down, compare, report, show
from msf_kedro.reports.evaluation import gzssar_results, zssar_results

RESULTS = ("zssar_results", "gzssar_results")
CELL = ("params:study", "params:split", "params:method", "params:texts", "params:encoder")
REPORT = (*RESULTS, "made_with", *CELL, "params:gate")


def create_zssar_pipeline(**kwargs) -> Pipeline:
    """The part that needs no gate."""
    return Pipeline(
        [_zssar(), node(show, ["zssar_results", "params:inference"], None, name="show_zssar")]
    )


def create_figures_pipeline(**kwargs) -> Pipeline:
    """All figures of a run, without the report."""
    gzssar = node(gzssar_results, "predictions", "gzssar_results", name="evaluate_gzssar")
    return Pipeline([_zssar(), gzssar])


def _zssar() -> Node:
    inputs = ["test_unseen_probs", "test_roles", "candidates"]
    return node(zssar_results, inputs, "zssar_results", name="evaluate_zssar")


def create_pipeline(**kwargs) -> Pipeline:
    broken_down = ["tradeoff_curves", "confusion", "per_class"]
    beside = bind(compare, *RESULTS, "published_figures", "made_with", *CELL)
    last = [
        node(*bind(break_down, "predictions", "class_texts"), broken_down, name="break_down"),
        node(*bind(report, *REPORT), "metrics", name="report"),
        node(*beside, "comparison", name="compare"),
    ]
    return create_figures_pipeline() + Pipeline(last)
