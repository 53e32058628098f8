"""Stage 5 of the DAG: fit VAEs → generate latents → fit unseen classifier → score, per phase."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.alignment.nodes import (
    fit_alignment,
    fit_unseen_classifier,
    generate_latents,
    score_unseen,
    select_cycles,
)
from msf_kedro.splits import PHASES

PARAMETERS = {f"params:{name}" for name in ("alignment", "unseen_classifier", "seeds", "device")}


def create_pipeline(**kwargs) -> Pipeline:
    select = node(
        select_cycles,
        [
            *("calibration_unseen_probs", "test_unseen_probs"),
            *("calibration_roles", "test_roles"),
        ],
        "cycles",
        name="select_cycles",
    )
    return sum((_phase(phase) for phase in PHASES), start=Pipeline([select]))


def _phase(phase: str) -> Pipeline:
    classifier = "params:unseen_classifier"
    template = Pipeline(
        [
            node(
                fit_alignment,
                [
                    *("features", "roles", "fused_texts"),
                    *("params:alignment", "params:seeds", "params:device"),
                ],
                ["vaes", "alignment_history"],
                name="fit_alignment",
                tags="gpu",
            ),
            node(
                generate_latents,
                ["vaes", "roles", "fused_texts", "params:alignment", classifier, "params:seeds"],
                "latents",
                name="generate_latents",
            ),
            node(
                fit_unseen_classifier,
                ["latents", classifier, "params:seeds", "params:device"],
                ["unseen_classifier", "unseen_classifier_history"],
                name="fit_unseen_classifier",
                tags="gpu",
            ),
            node(
                score_unseen,
                ["vaes", "unseen_classifier", "features", "roles", classifier, "params:seeds"],
                "unseen_probs",
                name="score_unseen",
            ),
        ]
    )
    return Pipeline(
        template,
        namespace=phase,
        inputs={
            "features": f"{phase}_features",
            "roles": f"{phase}_roles",
            "fused_texts": "fused_texts",
        },
        outputs={"unseen_probs": f"{phase}_unseen_probs"},
        parameters=PARAMETERS,
    )
