"""Stage 6 of the DAG: fit gates on the calibration phase, apply them to the test phase."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.gate.nodes import apply_gates, fit_gates


def create_pipeline(**kwargs) -> Pipeline:
    return Pipeline(
        [
            node(
                fit_gates,
                [
                    *("calibration_seen_logits", "calibration_unseen_probs"),
                    *("calibration_roles", "test_roles", "cycles", "params:gate"),
                ],
                "gates",
                name="fit_gates",
            ),
            node(
                apply_gates,
                [
                    *("test_seen_logits", "test_unseen_probs", "test_roles"),
                    *("cycles", "gates", "params:gate"),
                ],
                "predictions",
                name="apply_gates",
            ),
        ]
    )
