"""Stage 6 of the DAG: evidence per phase; gates, fitted on calibration, applied to the test."""

from typing import Any

from kedro.pipeline import Node, Pipeline, node

from msf_kedro.pipelines.bound import bind
from msf_kedro.pipelines.gate.nodes import apply_gates, fit_gates, gather_evidence
from msf_kedro.pipelines.named import put_beside
from msf_kedro.zero_shot.splits import PHASES

GATHER = ("features", "roles", "text_features")
READ = ("params:clips", "params:texts", "params:encoder")
FIT = (
    *("calibration_seen_logits", "calibration_unseen_probs", "calibration_roles", "test_roles"),
    *("candidates", "calibration_evidence", "params:gate"),
)
APPLY = ("gates", "test_seen_logits", "test_unseen_probs", "test_roles", "candidates")


def create_pipeline(beside: bool = False) -> Pipeline:
    """Both phases' evidence, and the gates.

    Args:
        beside: whether gates of a second method, too.
    """
    gates = create_gates_pipeline()
    return create_evidence_pipeline() + (put_beside("gate", gates) if beside else gates)


def create_evidence_pipeline(**given: Any) -> Pipeline:
    """Both phases' evidence, which is of no method.

    Args:
        given: `texts` and `encoder`, where they are not the study's.
    """
    return Pipeline([_gather(phase, given) for phase in PHASES])


def create_gates_pipeline() -> Pipeline:
    """The gates of a method."""
    return Pipeline(
        [
            node(*bind(fit_gates, *FIT), "gates", name="fit_gates"),
            node(*bind(apply_gates, *APPLY, "test_evidence"), "predictions", name="apply_gates"),
        ]
    )


def _gather(phase: str, given: dict[str, Any]) -> Node:
    function, inputs = bind(gather_evidence, *GATHER, *READ, **given)
    own = {name: f"{phase}_{name}" for name in ("features", "roles")}
    return node(
        function,
        [own.get(name, name) for name in inputs],
        [f"{phase}_witness", f"{phase}_evidence"],
        name=f"gather_{phase}_evidence",
    )
