"""Kedro hooks: what can be checked before anything is computed.

Every command of `kedro` imports this file: what is slow to import is imported where it is used.
"""

import logging
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from msf_kedro.context import StudyContext, in_a_sentence

logger = logging.getLogger(__name__)


class EnvironmentIsComplete:
    """Refuse an environment that lacks what a run reads and base cannot give."""

    @hook_impl
    def after_context_created(self, context: StudyContext) -> None:
        self.context = context

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        self.context.require(pipeline.inputs())


class StudyFitsTogether:
    """Check classes, split, texts and layout against each other before raw input is read."""

    @hook_impl
    @in_a_sentence()
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        from msf_kedro.clips.layouts import get_layout
        from msf_kedro.released.features import check_files
        from msf_kedro.released.texts import check_kinds, read_text_files
        from msf_kedro.texts.class_texts import check_class_texts
        from msf_kedro.texts.fusion import parse_texts
        from msf_kedro.zero_shot.splits import check_split, check_texts, get_split, parse_classes

        read = pipeline.inputs()
        raw = {"raw_clips", "released_features"} & read
        if not raw:  # later stages read what has passed this check
            return
        if "released_checkpoint" in read and "params:split" not in read:
            return  # what others have trained takes clips of any class
        classes = parse_classes(catalog.load("params:classes"))
        if "raw_clips" in raw:
            clips = catalog.load("params:clips")
            get_layout(clips.layout, catalog.load("params:layouts"), clips.units)
            catalog.load("clip_table")
        split = get_split(catalog.load("params:splits"), catalog.load("params:split"))
        check_split(split, classes)
        kinds = parse_texts(catalog.load("params:texts")) if "params:texts" in read else []
        class_texts = catalog.load("class_texts")
        check_class_texts(class_texts)
        check_texts(classes, class_texts.class_id.tolist())
        check_kinds(read_text_files(catalog.load("text_files"), classes).kinds(), kinds)
        if "released_features" in raw:
            check_files(catalog.load("released_features"), split, classes)


class MethodsAreConfigured:
    """Check the parameters of every method that a run fits."""

    @hook_impl
    @in_a_sentence()
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        from msf_kedro.methods import METHODS, configure

        read = pipeline.inputs()
        for name in ("method", "beside"):
            if (group := f"params:{name}_config") in read:
                configure(catalog.load(f"params:{name}"), catalog.load(group))
        for method in METHODS:
            if (group := f"params:{method}") in read:
                configure(method, catalog.load(group))


class DeviceIsThere:
    """Check the device before a clip is read."""

    @hook_impl
    @in_a_sentence()
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        if "params:device" in pipeline.inputs():
            from msf_kedro.runtime import pick_device

            pick_device(catalog.load("params:device"))


class CheckpointFits:
    """Check a released checkpoint, and that clips are prepared for it, before a clip is read."""

    @hook_impl
    @in_a_sentence()
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        if "released_checkpoint" in pipeline.inputs():
            catalog.load("released_checkpoint")
        if "params:checkpoint_stream" in pipeline.inputs():
            self._check_input(catalog)

    @staticmethod
    def _check_input(catalog: CatalogProtocol) -> None:
        from msf_kedro.released.clips import WINDOW, check_input

        normalise = catalog.load("params:normalise")
        stream = catalog.load("params:checkpoint_stream")
        check_input(catalog.load("params:clips"), normalise, stream)
        if normalise.window != WINDOW:
            logger.warning(
                "normalise.window is %d; released checkpoints were trained on %d frames, and"
                " answer differently to fewer: --params=normalise.window=%d",
                normalise.window, WINDOW, WINDOW,
            )  # fmt: skip


def describe_machine() -> dict[str, Any]:
    """What the records of a run say of the machine: see `runtime.describe`."""
    from msf_kedro.runtime import describe

    return describe()
