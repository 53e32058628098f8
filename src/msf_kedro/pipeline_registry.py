"""All pipelines: each stage by its own name, and the jobs composed of them."""

from kedro.pipeline import Pipeline

from msf_kedro.pipelines import (
    alignment,
    evaluation,
    features,
    gate,
    released_shift_gcn,
    semantics,
    skeletons,
    splits,
)


def register_pipelines() -> dict[str, Pipeline]:
    """The stages, `zssar` (without the gate), `gzssar`, `released_shift_gcn`, the default."""
    stages = {
        "skeletons": skeletons.create_pipeline(),
        "splits": splits.create_pipeline(),
        "semantics": semantics.create_pipeline(),
        "features": features.create_pipeline(),
        "alignment": alignment.create_pipeline(),
        "gate": gate.create_pipeline(),
        "evaluation": evaluation.create_pipeline(),
    }
    before_gate = [pipeline for name, pipeline in stages.items() if name not in GATED]
    zssar = sum(before_gate, start=evaluation.create_zssar_pipeline())
    gzssar = sum(stages.values(), start=Pipeline([]))
    jobs = {
        "zssar": zssar,
        "gzssar": gzssar,
        "released_shift_gcn": stages["skeletons"] + released_shift_gcn.create_pipeline(),
        "__default__": gzssar,
    }
    return stages | jobs


GATED = ("gate", "evaluation")
