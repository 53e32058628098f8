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
    tables,
)


def register_pipelines() -> dict[str, Pipeline]:
    """The stages, `zssar` (without the gate), `gzssar`, `tables` (of all studies), the default."""
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
    jobs = {"zssar": zssar, "gzssar": gzssar, "tables": tables.create_pipeline()}
    return stages | jobs | {"__default__": gzssar}


GATED = ("gate", "evaluation")
