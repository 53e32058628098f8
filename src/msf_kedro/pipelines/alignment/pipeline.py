"""Stage 5 of the DAG: fit VAEs → latents → unseen classifier, per phase; choose cycles; score."""

from kedro.pipeline import Node, Pipeline, node

from msf_kedro.pipelines.alignment.nodes import (
    fit_alignment,
    fit_unseen_classifier,
    generate_latents,
    score_cycles,
    score_unseen,
    select_cycles,
)
from msf_kedro.pipelines.bound import Bound
from msf_kedro.zero_shot.splits import PHASES

PARAMETERS = {f"params:{name}" for name in ("alignment", "unseen_classifier", "seeds", "device")}


def create_pipeline(**kwargs) -> Pipeline:
    select = node(
        select_cycles,
        ["calibration_right", "test_right"],
        "cycles",
        name="select_cycles",
    )
    nodes = Pipeline([select, *(_score(phase) for phase in PHASES)])
    return sum((_phase(phase) for phase in PHASES), start=nodes)


def _score(phase: str) -> Node:
    """Outside the phases' namespaces, as it waits for a choice that needs both."""
    return node(
        Bound(score_unseen, phase=phase),
        [
            *(f"{phase}_vaes", f"{phase}_unseen_classifier", f"{phase}_features"),
            *(f"{phase}_roles", "cycles", "params:unseen_classifier", "params:seeds"),
        ],
        f"{phase}_unseen_probs",
        name=f"score_{phase}_unseen",
    )


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
                score_cycles,
                ["vaes", "unseen_classifier", "features", "roles", classifier, "params:seeds"],
                "right",
                name="score_cycles",
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
        outputs={name: f"{phase}_{name}" for name in ("vaes", "unseen_classifier", "right")},
        parameters=PARAMETERS,
    )
