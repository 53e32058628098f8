"""Stage 1 of the DAG: raw clips → clip table, skeletons."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.skeletons.nodes import prepare_clips


def create_pipeline(**kwargs) -> Pipeline:
    return Pipeline(
        [
            node(
                prepare_clips,
                [
                    *("raw_clips", "clip_chunks", "missing_lists", "params:classes"),
                    *("params:clips", "params:normalise", "params:layouts", "params:workers"),
                ],
                ["clips", "skeletons"],
                name="prepare_clips",
            )
        ]
    )
