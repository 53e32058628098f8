"""Stage 1 of the DAG: raw clips, and what is known of them → clip table, skeletons, kinematics."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.skeletons.nodes import measure_kinematics, prepare_clips


def create_pipeline(**kwargs) -> Pipeline:
    return Pipeline(
        [
            node(
                prepare_clips,
                [
                    *("raw_clips", "clip_chunks", "missing_lists", "clip_table", "params:classes"),
                    *("params:clips", "params:normalise", "params:layouts", "params:workers"),
                ],
                ["clips", "skeletons"],
                name="prepare_clips",
            ),
            node(measure_kinematics, "skeletons", "kinematics", name="measure_kinematics"),
        ]
    )
