"""The benchmark's DAG. It depends on the study: its class splits, methods, texts and encoders.

Top-level namespaces are the class splits; in each are the Shift-GCNs of both phases, then
`<method>.<encoder>.<texts>` with both phases, gate and evaluation: a cell, which can run alone.
"""

from kedro.pipeline import Node, Pipeline, node

from msf_kedro.clips.streams import STREAMS
from msf_kedro.pipelines import features, gate, skeletons
from msf_kedro.pipelines.benchmark.nodes import (
    METHODS,
    collect,
    embed_all_texts,
    evaluate_cell,
    fit_cada_vae,
    fit_jpose,
    fit_revise,
    fit_ridge,
    fit_vaes,
    join_cells,
    join_histories,
)
from msf_kedro.pipelines.bound import Bound
from msf_kedro.pipelines.splits.nodes import split_clips
from msf_kedro.reports.benchmark import FREE_TEXTS, BenchmarkConfig, Cell
from msf_kedro.texts.encoders import parse_texts
from msf_kedro.zero_shot.splits import PHASES

VAE_PARAMETERS = ("alignment", "unseen_classifier")
# Method → its node and the parameters that it reads.
FIT = {
    "msf": (fit_vaes, VAE_PARAMETERS),
    "ridge": (fit_ridge, ("ridge",)),
    "cada_vae": (fit_cada_vae, (*VAE_PARAMETERS, "cada_vae")),
    "synse": (fit_vaes, VAE_PARAMETERS),
    "revise": (fit_revise, ("revise",)),
    "jpose": (fit_jpose, ("jpose",)),
}
TABLES = ("results", "outcomes")
SHARED = [f"{phase}_{kind}" for phase in PHASES for kind in ("features", "seen_logits", "roles")]


def create_pipeline(config: BenchmarkConfig, splits: list[str]) -> Pipeline:
    """All cells of all splits, and what they share.

    Args:
        config: methods, texts and encoders.
        splits: names of the study's class splits.
    """
    cells = [
        Cell(method, split, encoder, kinds)
        for split in splits
        for method in config.methods
        for encoder in config.encoders
        for kinds in _kinds(method, config)
    ]
    embed = node(
        embed_all_texts,
        ["class_texts", "params:benchmark"],
        "benchmark_texts",
        name="embed_all_texts",
    )
    gathered = node(
        collect,
        [
            "params:gate",
            *(f"{table}__{split}" for table in TABLES for split in splits),
        ],
        ["benchmark", "benchmark_outcomes"],
        name="collect",
    )
    parts = [skeletons.create_pipeline(), *map(_split, splits), *map(_cell, cells)]
    joined = (_join(split, [c for c in cells if c.split == split]) for split in splits)
    return Pipeline([embed, gathered, *joined, *parts])


def _kinds(method: str, config: BenchmarkConfig) -> list[tuple[str, ...]]:
    """The text combinations that a method is run with."""
    if method in FREE_TEXTS:
        return [tuple(parse_texts(texts)) for texts in config.texts]
    return [METHODS[method].TEXTS]


def _split(split: str) -> Pipeline:
    """Roles, Shift-GCNs, features and seen logits of one class split."""
    roles = node(
        Bound(split_clips, split=split),
        ["clips", "class_texts", "params:classes", "params:splits", "params:parts"],
        ["calibration_roles", "test_roles"],
        name="split_clips",
    )
    networks = [f"{phase}.{stream}" for phase in PHASES for stream in STREAMS]
    histories = node(
        Bound(join_histories, networks=networks),
        [f"{split}.{network}.history" for network in networks],
        f"histories__{split}",
        name="join_histories",
        namespace=split,
    )
    template = Pipeline([roles]) + features.create_pipeline()
    shared = Pipeline(
        template,
        namespace=split,
        inputs={"class_texts", "clips", "skeletons"},
        parameters=_parameters(template),
    )
    return shared + Pipeline([histories])


def _cell(cell: Cell) -> Pipeline:
    """Both phases of a method, gates and evaluation."""
    evaluate = node(
        Bound(evaluate_cell, cell=cell),
        [
            *("test_unseen_probs", "test_roles", "cycles", "predictions"),
            *("calibration_right", "test_right"),
        ],
        list(TABLES),
        name="evaluate",
    )
    fits = (_fit(cell, phase) for phase in PHASES)
    template = Pipeline([*fits, gate.create_pipeline(), evaluate])
    return Pipeline(
        template,
        namespace=_namespace(cell),
        inputs={name: f"{cell.split}.{name}" for name in SHARED}
        | {"benchmark_texts": "benchmark_texts"},
        parameters=_parameters(template),
    )


def _fit(cell: Cell, phase: str) -> Node:
    function, configs = FIT[cell.method]
    inputs = [f"{phase}_features", f"{phase}_roles", "benchmark_texts"]
    inputs += [f"params:{name}" for name in ("seeds", "device", *configs)]
    outputs = [f"{phase}_right", f"{phase}_unseen_probs"]
    if phase == "test":
        inputs.append("calibration_right")
        outputs.append("cycles")
    return node(
        Bound(function, cell=cell),
        inputs,
        outputs,
        name=f"fit_{phase}",
        tags="gpu",
    )


def _parameters(pipeline: Pipeline) -> set[str]:
    return {name for name in pipeline.inputs() if name.startswith("params:")}


def _namespace(cell: Cell) -> str:
    return f"{cell.split}.{cell.method}.{cell.encoder}.{cell.texts}"


def _join(split: str, cells: list[Cell]) -> Node:
    """All cells of a split in one table each, so that little leaves the split's namespace."""
    return node(
        join_cells,
        [f"{_namespace(cell)}.{table}" for table in TABLES for cell in cells],
        [f"{table}__{split}" for table in TABLES],
        name="join_cells",
        namespace=split,
    )
