"""Stage 6 of the DAG: fit gates on the calibration phase, apply them to the test phase."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.bound import bind
from msf_kedro.pipelines.gate.nodes import apply_gates, fit_gates

FIT = (
    *("calibration_seen_logits", "calibration_unseen_probs", "calibration_roles", "test_roles"),
    *("candidates", "params:gate"),
)
APPLY = ("gates", "test_seen_logits", "test_unseen_probs", "test_roles", "candidates")


def create_pipeline(**kwargs) -> Pipeline:
    return Pipeline(
        [
            node(*bind(fit_gates, *FIT), "gates", name="fit_gates"),
            node(*bind(apply_gates, *APPLY), "predictions", name="apply_gates"),
        ]
    )
