"""Stage 5 of the DAG: fit the method → latents → classifier, per phase; choose; score."""

from typing import Any

from kedro.pipeline import Node, Pipeline, node

from msf_kedro.pipelines.alignment.nodes import (
    fit_alignment,
    fit_unseen_classifier,
    generate_latents,
    score,
    score_unseen,
    select_candidates,
)
from msf_kedro.pipelines.bound import Bound, bind
from msf_kedro.pipelines.named import put_beside
from msf_kedro.zero_shot.splits import PHASES

FIT = (
    *("features", "roles", "text_features", "params:method", "params:method_config"),
    *("params:texts", "params:encoder", "params:clips", "params:seeds", "params:device"),
    "training_state",
)
EXPORTED = (
    *("alignment_history", "latents", "unseen_classifier", "unseen_classifier_history", "right"),
)


def create_pipeline(beside: bool = False, **given: Any) -> Pipeline:
    """Both phases by the study's method, texts and encoder.

    Args:
        beside: whether by a second method, too.
        given: `method`, `texts` and `encoder`, where they are not the study's.
    """
    select = bind(select_candidates, "calibration_right", "test_right")
    last = [node(*select, "candidates", name="select_candidates"), *map(_score_unseen, PHASES)]
    pipeline = sum((_phase(phase, given) for phase in PHASES), start=Pipeline(last))
    return put_beside("alignment", pipeline) if beside else pipeline


def _score_unseen(phase: str) -> Node:
    """Outside the phases' namespaces, as it waits for a choice that needs both."""
    own = [f"{phase}_{name}" for name in ("unseen_classifier", "features", "roles")]
    return node(
        Bound(score_unseen, phase=phase),
        [*own, "candidates", "params:inference"],
        f"{phase}_unseen_probs",
        name=f"score_{phase}_unseen",
    )


def _phase(phase: str, given: dict[str, Any]) -> Pipeline:
    fit = bind(fit_alignment, *FIT, **given)
    describe = bind(generate_latents, "alignment", "roles", "text_features")
    classify = bind(fit_unseen_classifier, "alignment", "latents", "params:device")
    count = bind(score, "unseen_classifier", "features", "roles", phase=phase)
    classifier = ["unseen_classifier", "unseen_classifier_history"]
    template = Pipeline(
        [
            node(*fit, ["alignment", "alignment_history"], name="fit_alignment", tags="gpu"),
            node(*describe, "latents", name="generate_latents"),
            node(*classify, classifier, name="fit_unseen_classifier", tags="gpu"),
            node(*count, "right", name="score"),
        ]
    )
    return Pipeline(
        template,
        namespace=phase,
        inputs={name: name for name in ("text_features", "training_state")}
        | {name: f"{phase}_{name}" for name in ("features", "roles")},
        outputs={name: f"{phase}_{name}" for name in EXPORTED},
        parameters={name for name in template.inputs() if name.startswith("params:")},
    )
