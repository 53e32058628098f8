"""All pipelines: each stage by its own name, and the jobs composed of them."""

from kedro.pipeline import Pipeline

from msf_kedro.pipelines import (
    alignment,
    evaluation,
    features,
    gate,
    semantics,
    skeletons,
    splits,
)


def register_pipelines() -> dict[str, Pipeline]:
    """The stages, `zssar` (without the gate), `gzssar` and the default."""
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
    jobs = {"zssar": zssar, "gzssar": gzssar, "__default__": gzssar}
    benchmark = Pipeline([])  # `hooks.StudyBenchmark` fills it when it knows the study
    return stages | jobs | {"benchmark": benchmark}


GATED = ("gate", "evaluation")
