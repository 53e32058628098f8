"""Stage 8 of the DAG: what a run has left → drawings → one page."""

from kedro.pipeline import Node, Pipeline, node

from msf_kedro.pipelines.bound import bind
from msf_kedro.pipelines.report.nodes import (
    draw_confusion,
    draw_gate_scores,
    draw_latent_map,
    draw_tradeoff,
    draw_trainings,
    write_report,
)
from msf_kedro.zero_shot.splits import PHASES

LATENT_MAP = (
    *("metrics", "candidates", "test_latents", "test_unseen_classifier", "test_features"),
    *("test_roles", "predictions", "class_texts"),
)
PAGE = (
    *("metrics", "comparison", "per_class", "predictions", "class_texts", "text_features"),
    *("calibration_trainings", "test_trainings", "params:tables", "skeletons", "clips"),
)
TRAININGS = ("alignment_history", "unseen_classifier_history", "shift_gcn_histories")
DRAWINGS = ("tradeoff", "gate_scores", "confusion", "latent_map")


def create_pipeline(from_clips: bool = True, **kwargs) -> Pipeline:
    """Drawings, and the page that they are on.

    Args:
        from_clips: whether the study has clips and trains Shift-GCNs; else it has features only.
    """
    return Pipeline(
        [
            *(_draw_trainings(phase, from_clips) for phase in PHASES),
            *map(_draw, (draw_tradeoff, draw_gate_scores, draw_confusion)),
            _draw_latent_map(),
            _write(from_clips),
        ]
    )


def _draw_trainings(phase: str, from_clips: bool) -> Node:
    given = {"phase": phase} | ({} if from_clips else {"shift_gcn_histories": None})
    drawn, inputs = bind(draw_trainings, *TRAININGS, **given)
    inputs = [f"{phase}_{name}" for name in inputs]
    name = f"draw_{phase}_trainings"
    return node(drawn, inputs, f"{phase}_trainings", name=name, namespace="report")


def _draw(function) -> Node:
    name = function.__name__.removeprefix("draw_")
    inputs = {
        "tradeoff": ("metrics", "tradeoff_curves", "gzssar_results"),
        "gate_scores": ("metrics", "predictions", "gates"),
        "confusion": ("metrics", "confusion", "predictions", "class_texts"),
    }[name]
    drawn = bind(function, *inputs)
    return node(*drawn, f"report.{name}", name=f"draw_{name}", namespace="report")


def _draw_latent_map() -> Node:
    drawn = bind(draw_latent_map, *LATENT_MAP)
    return node(*drawn, "report.latent_map", name="draw_latent_map", namespace="report")


def _write(from_clips: bool) -> Node:
    given = {} if from_clips else {"skeletons": None, "clips": None}
    write, inputs = bind(write_report, *PAGE, *DRAWINGS, **given)
    inputs = [f"report.{name}" if name in DRAWINGS else name for name in inputs]
    return node(write, inputs, "report_page", name="write_report", namespace="report")
