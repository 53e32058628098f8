"""Stage 7 of the DAG: predictions → figures, tables, report."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline, node

from msf_kedro.pipelines.bound import bind
from msf_kedro.pipelines.evaluation.nodes import break_down, compare, report, show
from msf_kedro.pipelines.named import put_beside
from msf_kedro.reports.evaluation import gzssar_results, zssar_results

RESULTS = ("zssar_results", "gzssar_results")
CELL = ("params:study", "params:split", "params:method", "params:texts", "params:encoder")
# What is read of the second method, by the arguments that take it.
BESIDE = {f"beside_{name}": f"beside.{name}" for name in (*RESULTS, "made_with")}
SHOW = ("zssar_results", "params:method", "params:inference")
REPORT = (*RESULTS, "made_with", *CELL, "params:gate")


def create_zssar_pipeline(beside: bool = False, **kwargs) -> Pipeline:
    """The part that needs no gate.

    Args:
        beside: whether a second method's figures stand beside the chosen one's.
    """
    figures = Pipeline([_zssar()])
    shown = _both(show, SHOW, None, "show_zssar", beside)
    return (put_beside("evaluation", figures) if beside else figures) + Pipeline([shown])


def create_figures_pipeline(**kwargs) -> Pipeline:
    """All figures of a run, without the report."""
    gzssar = node(gzssar_results, "predictions", "gzssar_results", name="evaluate_gzssar")
    return Pipeline([_zssar(), gzssar])


def create_pipeline(beside: bool = False, **kwargs) -> Pipeline:
    """All figures of a run, and its report.

    Args:
        beside: whether a second method's figures stand beside the chosen one's.
    """
    broken_down = ["tradeoff_curves", "confusion", "per_class"]
    compared = bind(compare, *RESULTS, "published_figures", "made_with", *CELL)
    last = [
        node(*bind(break_down, "predictions", "class_texts"), broken_down, name="break_down"),
        _both(report, REPORT, "metrics", "report", beside),
        node(*compared, "comparison", name="compare"),
    ]
    figures = create_figures_pipeline()
    return (put_beside("evaluation", figures) if beside else figures) + Pipeline(last)


def _zssar() -> Node:
    inputs = ["test_unseen_probs", "test_roles", "candidates"]
    return node(zssar_results, inputs, "zssar_results", name="evaluate_zssar")


def _both(
    function: Callable, read: tuple[str, ...], made: str | None, name: str, beside: bool
) -> Node:
    """A node that reads what is of the second method too, or None in place of it."""
    given = {} if beside else {"beside": "none", **dict.fromkeys(BESIDE)}
    function, inputs = bind(function, *read, "params:beside", *BESIDE, **given)
    return node(function, [BESIDE.get(name, name) for name in inputs], made, name=name)
