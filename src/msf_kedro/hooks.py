"""Kedro hooks: what can be checked before anything is computed."""

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from omegaconf import OmegaConf

from msf_kedro.semantics import check_class_texts, parse_texts
from msf_kedro.skeleton.layouts import get_layout
from msf_kedro.splits import check_split, check_texts, get_split, parse_classes

# Runtime parameters that only the catalog reads.
LOCATIONS = {"data_root", "raw_clips"}


class Variant:
    """Lay the parameters of the chosen variant over the environment's, and those of the command
    line over both."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        parameters = dict(context.config_loader["parameters"])
        variants = parameters.pop("variants")
        chosen = parameters["variant"]
        if chosen not in variants:
            raise ValueError(f"unknown variant {chosen!r}; known variants: {', '.join(variants)}")
        given = {
            key: value
            for key, value in context.config_loader.runtime_params.items()
            if key in parameters  # others are the catalog's
        }
        merged = OmegaConf.merge(parameters, variants[chosen] or {}, given)
        unknown = sorted(set(merged) - set(parameters))
        if unknown:
            raise ValueError(f"variant {chosen!r} sets unknown parameters {unknown}")
        context.config_loader["parameters"] = parameters | OmegaConf.to_container(merged)


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
