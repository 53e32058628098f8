"""The benchmark's DAG. It depends on the study: its class splits, methods, texts and encoders.

Top-level namespaces are the class splits, with the stages `splits` and `features` (or `released`);
below them is the evidence by `<encoder>.<texts>`, and the cells, `<method>.<encoder>.<texts>`, each
with the stages `alignment` and `gate` and its figures. They are the stages of the single jobs, and
share their artifacts.
"""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines import (
    alignment,
    evaluation,
    features,
    gate,
    released,
    semantics,
    skeletons,
    splits,
)
from msf_kedro.pipelines.benchmark.nodes import collect, join_tables, summarise_cell
from msf_kedro.pipelines.bound import bind
from msf_kedro.reports.benchmark import Cell
from msf_kedro.zero_shot.splits import PHASES

TABLES = ("results", "outcomes")
SHARED = [f"{phase}_{kind}" for phase in PHASES for kind in ("features", "seen_logits", "roles")]
EVIDENCE = [f"{phase}_evidence" for phase in PHASES]
RAW = {
    *("class_texts", "text_files", "released_features", "clips", "skeletons", "kinematics"),
    "training_state",
}
SUMMARY = (
    *("zssar_results", "gzssar_results", "predictions", "class_texts"),
    *(f"{phase}_alignment_history" for phase in PHASES),
    *(f"{phase}_unseen_classifier_history" for phase in PHASES),
    "made_with",
)


def create_pipeline(cells: list[Cell], features_from: str) -> Pipeline:
    """All cells, and what they share.

    Args:
        cells: what is compared.
        features_from: `clips` or `released`, see `BenchmarkConfig`.
    """
    chosen = list(dict.fromkeys(cell.split for cell in cells))
    encoders = dict.fromkeys(cell.encoder for cell in cells)
    read = dict.fromkeys((cell.split, cell.encoder, cell.texts) for cell in cells)
    tables = [f"{table}__{split}" for table in TABLES for split in chosen]
    gathered = node(
        collect, ["params:gate", *tables], ["benchmark", "benchmark_outcomes"], name="collect"
    )
    first = [skeletons.create_pipeline()] if features_from == "clips" else []
    return Pipeline(
        [
            gathered,
            *first,
            *map(_texts, encoders),
            *(_split(split, features_from) for split in chosen),
            *(_evidence(*by) for by in read),
            *map(_cell, cells),
            *(_join(split, [cell for cell in cells if cell.split == split]) for split in chosen),
        ]
    )


def _namespaced(
    template: Pipeline,
    namespace: str,
    inputs: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
    parameters: dict[str, str] | None = None,
) -> Pipeline:
    """A template in a namespace; raw input and parameters keep their names, but for the given."""
    read = template.inputs()
    return Pipeline(
        template,
        namespace=namespace,
        inputs={name: name for name in RAW & read} | (inputs or {}),
        outputs=outputs,
        parameters={n: n for n in read if n.startswith("params:")} | (parameters or {}),
    )


def _texts(encoder: str) -> Pipeline:
    """Text features by an encoder; all splits read them."""
    template = semantics.create_pipeline(encoder=encoder)
    outputs = {"text_features": f"text_features__{encoder}"}
    return _namespaced(template, encoder, outputs=outputs)


def _split(split: str, features_from: str) -> Pipeline:
    """Roles, features and seen logits of one class split."""
    if features_from == "released":
        return _namespaced(released.create_features_pipeline(split=split), split)
    template = splits.create_pipeline(split=split) + features.create_pipeline()
    return _namespaced(template, split)


def _evidence(split: str, encoder: str, texts: str) -> Pipeline:
    """Both phases' evidence; all methods that read these texts share it."""
    template = gate.create_evidence_pipeline(texts=texts, encoder=encoder)
    inputs = _shared(template, split, encoder)
    return _namespaced(template, _evidence_of(split, encoder, texts), inputs)


def _evidence_of(split: str, encoder: str, texts: str) -> str:
    return f"{split}.{encoder}.{texts}"


def _shared(template: Pipeline, split: str, encoder: str) -> dict[str, str]:
    """What a template reads of its split, and the texts' features."""
    of_split = {name: f"{split}.{name}" for name in SHARED if name in template.inputs()}
    return of_split | {"text_features": f"text_features__{encoder}"}


def _cell(cell: Cell) -> Pipeline:
    """Both phases of a method, gates and figures."""
    summarise = bind(summarise_cell, *SUMMARY, cell=cell)
    template = (
        alignment.create_pipeline(method=cell.method, texts=cell.texts, encoder=cell.encoder)
        + gate.create_gates_pipeline()
        + evaluation.create_figures_pipeline()
        + Pipeline([node(*summarise, list(TABLES), name="summarise")])
    )
    evidence = _evidence_of(cell.split, cell.encoder, cell.texts)
    inputs = _shared(template, cell.split, cell.encoder)
    inputs |= {name: f"{evidence}.{name}" for name in EVIDENCE}
    config = {"params:method_config": f"params:{cell.method}"}
    return _namespaced(template, str(cell), inputs, parameters=config)


def _join(split: str, cells: list[Cell]) -> Pipeline:
    """All cells of a split in one table each, so that little leaves the split's namespace."""
    tables = [f"{cell}.{table}" for table in TABLES for cell in cells]
    joined = [f"{table}__{split}" for table in TABLES]
    return Pipeline([node(join_tables, tables, joined, name="join_cells", namespace=split)])
