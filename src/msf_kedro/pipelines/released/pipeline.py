"""In place of stages 1, 2 and 4 of the DAG: released features → roles, features, seen logits."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.released.nodes import read_released_features
from msf_kedro.zero_shot.splits import PHASES


def create_pipeline(**kwargs) -> Pipeline:
    return Pipeline(
        [
            node(
                read_released_features,
                ["released_features", "params:classes", "params:splits", "params:split"],
                [f"{p}_{table}" for table in ("roles", "features", "seen_logits") for p in PHASES],
                name="read_released_features",
            )
        ]
    )
