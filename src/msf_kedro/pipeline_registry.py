"""All pipelines: each stage by its own name, and the jobs composed of them."""

from collections import UserDict

from kedro.pipeline import Pipeline

from msf_kedro.pipelines import (
    alignment,
    bundle,
    evaluation,
    features,
    gate,
    recognition,
    released,
    report,
    semantics,
    skeletons,
    splits,
    tables,
)


class Registry(UserDict):
    """Pipelines by name; one that is given as a function is built when it is asked for."""

    def __getitem__(self, name: str) -> Pipeline:
        if not isinstance(pipeline := super().__getitem__(name), Pipeline):
            self[name] = pipeline = pipeline()
        return pipeline


def register_pipelines() -> Registry:
    """The stages, and the jobs composed of them.

    `zssar` ends before the gate; `gzssar` is the default. `gzssar_released` is `gzssar` with
    released features in place of clips and Shift-GCNs, which its stage `released` reads; its report
    draws no clips.
    `bundle` makes one folder of a finished `gzssar`, which recognises clips anywhere;
    `recognition` does so here.
    `released_shift_gcn` takes features of any clips by a released checkpoint. `benchmark` depends
    on the study; `tables` reads all studies' benchmarks.
    """
    stages = {
        "skeletons": skeletons.create_pipeline(),
        "splits": splits.create_pipeline(),
        "semantics": semantics.create_pipeline(),
        "features": features.create_pipeline(),
        "alignment": alignment.create_pipeline(),
        "gate": gate.create_pipeline(),
        "evaluation": evaluation.create_pipeline(),
        "report": report.create_pipeline(),
    }
    before_gate = [pipeline for name, pipeline in stages.items() if name not in GATED]
    zssar = sum(before_gate, start=evaluation.create_zssar_pipeline())
    gzssar = sum(stages.values(), start=Pipeline([]))
    read = released.create_features_pipeline()
    behind = [pipeline for name, pipeline in stages.items() if name not in FROM_CLIPS]
    jobs = {
        "zssar": zssar,
        "gzssar": gzssar,
        "gzssar_released": sum(behind, start=read + report.create_pipeline(from_clips=False)),
        "released_shift_gcn": stages["skeletons"] + released.create_shift_gcn_pipeline(),
        "bundle": bundle.create_pipeline(),
        "recognition": recognition.create_pipeline(),
        "benchmark": Pipeline([]),  # `StudyContext` fills it, as it depends on the study
        "tables": tables.create_pipeline(),
    }
    return Registry(stages | {"released": read} | jobs | {"__default__": gzssar})


FROM_CLIPS = ("skeletons", "splits", "features", "report")
GATED = ("gate", "evaluation", "report")
