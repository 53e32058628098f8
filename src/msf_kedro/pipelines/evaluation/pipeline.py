"""Stage 7 of the DAG: predictions → figures, tables, report."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.evaluation.nodes import (
    compare,
    evaluate_gzssar,
    evaluate_zssar,
    report,
)


def create_zssar_pipeline(**kwargs) -> Pipeline:
    """The part that needs no gate."""
    return Pipeline(
        [
            node(
                evaluate_zssar,
                ["test_unseen_probs", "test_roles", "cycles"],
                "zssar_results",
                name="evaluate_zssar",
            )
        ]
    )


def create_pipeline(**kwargs) -> Pipeline:
    tables = ["gzssar_results", "tradeoff_curves", "confusion", "per_class"]
    return create_zssar_pipeline() + Pipeline(
        [
            node(evaluate_gzssar, ["predictions", "class_texts"], tables, name="evaluate_gzssar"),
            node(
                report,
                [
                    *("zssar_results", "gzssar_results", "params:gate", "params:encoder"),
                    *("params:study", "params:split", "params:texts", "params:seeds"),
                    "params:variant",
                ],
                "metrics",
                name="report",
            ),
            node(
                compare,
                [
                    *("zssar_results", "gzssar_results", "published_figures", "params:study"),
                    *("params:split", "params:texts", "params:encoder"),
                ],
                "comparison",
                name="compare",
            ),
        ]
    )
