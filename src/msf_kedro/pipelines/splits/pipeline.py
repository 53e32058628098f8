"""Stage 2 of the DAG: clip table → roles in both phases."""

from typing import Any

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.bound import bind
from msf_kedro.pipelines.splits.nodes import split_clips

INPUTS = (
    *("clips", "class_texts", "params:classes", "params:splits", "params:parts"),
    "params:split",
)


def create_pipeline(**given: Any) -> Pipeline:
    """The roles of the study's class split, or of the given `split`."""
    roles = ["calibration_roles", "test_roles"]
    return Pipeline([node(*bind(split_clips, *INPUTS, **given), roles, name="split_clips")])
