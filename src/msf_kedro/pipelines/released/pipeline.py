"""What others have released: features in place of clips and networks, or one network for clips."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.released.nodes import (
    extract_features,
    import_shift_gcn,
    read_released_features,
)
from msf_kedro.zero_shot.splits import PHASES


def create_features_pipeline() -> Pipeline:
    """In place of stages 1, 2 and 4: released features → roles, features, seen logits."""
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


def create_shift_gcn_pipeline() -> Pipeline:
    """Beside the DAG: skeletons, released checkpoint → its features and logits."""
    parameters = {"params:clips", "params:normalise", "params:checkpoint_stream", "params:device"}
    template = Pipeline(
        [
            node(
                import_shift_gcn,
                ["released_checkpoint", "params:checkpoint_stream"],
                "shift_gcn",
                name="import_shift_gcn",
            ),
            node(
                extract_features,
                [
                    *("shift_gcn", "skeletons", "clips", "params:clips", "params:normalise"),
                    *("params:checkpoint_stream", "params:device"),
                ],
                ["features", "logits"],
                name="extract_features",
                tags="gpu",
            ),
        ]
    )
    return Pipeline(
        template,
        namespace="released",
        inputs={"released_checkpoint", "skeletons", "clips"},
        parameters=parameters,
    )
