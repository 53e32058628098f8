"""Stage 2 of the DAG: clip table → roles in both phases."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.splits.nodes import split_clips


def create_pipeline(**kwargs) -> Pipeline:
    parameters = ["params:classes", "params:splits", "params:parts", "params:split"]
    return Pipeline(
        [
            node(
                split_clips,
                ["clips", "class_texts", *parameters],
                ["calibration_roles", "test_roles"],
                name="split_clips",
            )
        ]
    )
