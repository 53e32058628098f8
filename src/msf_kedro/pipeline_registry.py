"""All pipelines: each stage by its own name, and the jobs composed of them."""

import warnings
from importlib import import_module

from kedro.pipeline import Pipeline

from msf_kedro.pipelines.later import Later
from msf_kedro.pipelines.named import named

PACKAGE = "msf_kedro.pipelines"
STAGES = (
    *("skeletons", "splits", "semantics", "features", "alignment", "gate", "evaluation", "report"),
)
FROM_CLIPS = ("skeletons", "splits", "features", "report")
GATED = ("gate", "evaluation", "report")
BY_METHOD = ("alignment", "gate", "evaluation")


def register_pipelines(beside: bool = True) -> dict[str, Pipeline]:
    """The stages, and the jobs composed of them; each is made when it is used.

    `zssar` ends before the gate; `gzssar` is the default. `gzssar_released` is `gzssar` with
    released features in place of clips and Shift-GCNs, which its stage `released` reads; its report
    draws no clips.
    `bundle` makes one folder of a finished `gzssar`, which recognises clips anywhere;
    `recognition` does so here.
    `released_shift_gcn` takes features of any clips by a released checkpoint. `benchmark` depends
    on the study; `tables` reads all studies' benchmarks.

    Args:
        beside: whether a second method's figures stand beside the chosen one's.
    """
    stages = {name: _pipeline(name) for name in STAGES}
    stages |= {name: _pipeline(name, beside=beside) for name in BY_METHOD}
    before_gate = [pipeline for name, pipeline in stages.items() if name not in GATED]
    behind_clips = [pipeline for name, pipeline in stages.items() if name not in FROM_CLIPS]
    show = _pipeline("evaluation", "create_zssar_pipeline", beside=beside)
    read = _pipeline("released", "create_features_pipeline")
    report = _pipeline("report", from_clips=False)
    extract = _pipeline("released", "create_shift_gcn_pipeline")
    gzssar = _joined(*stages.values())
    jobs = {
        "zssar": _joined(show, *before_gate),
        "gzssar": gzssar,
        "gzssar_released": _joined(read, *behind_clips, report),
        "released_shift_gcn": _joined(stages["skeletons"], extract),
        "bundle": _pipeline("bundle"),
        "recognition": _pipeline("recognition"),
        "benchmark": Pipeline([]),  # `StudyContext` fills it, as it depends on the study
        "tables": _pipeline("tables"),
    }
    return stages | {"released": read} | jobs | {"__default__": gzssar}


def _pipeline(stage: str, create: str = "create_pipeline", **given: bool) -> Pipeline:
    """A stage's pipeline, by the name of the function that creates it, and what that is given."""

    def make() -> Pipeline:
        with warnings.catch_warnings():  # of names with dots, which are of namespaces
            warnings.filterwarnings("ignore", message="One or more dataset names contain")
            return named(stage, getattr(import_module(f"{PACKAGE}.{stage}"), create)(**given))

    return Later(make)


def _joined(*pipelines: Pipeline) -> Pipeline:
    return Later(lambda: sum(pipelines, start=Pipeline([])))
