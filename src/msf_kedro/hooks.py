"""Kedro hooks: what can be checked before anything is computed."""

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from msf_kedro.semantics import check_class_texts, parse_texts
from msf_kedro.skeleton.layouts import get_layout
from msf_kedro.splits import check_split, check_texts, get_split, parse_classes

# Runtime parameters that only the catalog reads.
LOCATIONS = {"data_root", "raw_clips", "missing_lists"}


class KnownParameters:
    """Refuse parameters that no node reads: a misspelt name must not be ignored in silence."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        read = {name for pipeline in pipelines.values() for name in pipeline.inputs()}
        known = {name[7:].split(".")[0] for name in read if name.startswith("params:")} | LOCATIONS
        unknown = sorted(set(context.config_loader["parameters"]) - known)
        if unknown:
            raise ValueError(
                f"unknown parameters {unknown} in environment {context.env or 'base'!r} or"
                f" --params; known are {sorted(known)}"
            )


class StudyFitsTogether:
    """Check classes, split, texts and layout against each other before a clip is read."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        if "raw_clips" not in pipeline.inputs():  # later stages read what has passed this check
            return
        classes = parse_classes(catalog.load("params:classes"))
        get_layout(catalog.load("params:clips").layout)
        check_split(get_split(catalog.load("params:splits"), catalog.load("params:split")), classes)
        parse_texts(catalog.load("params:texts"))
        class_texts = catalog.load("class_texts")
        check_class_texts(class_texts)
        check_texts(classes, class_texts.class_id.tolist())
