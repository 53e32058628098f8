"""What others have released: features in place of clips and networks, or one network for clips."""

from typing import Any

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.bound import bind
from msf_kedro.pipelines.released.nodes import (
    extract_features,
    import_shift_gcn,
    read_released_features,
)
from msf_kedro.zero_shot.splits import PHASES

READ = ("released_features", "params:classes", "params:splits", "params:split")
TABLES = [f"{phase}_{name}" for name in ("roles", "features", "seen_logits") for phase in PHASES]
EXTRACT = (
    *("shift_gcn", "skeletons", "params:clips", "params:normalise"),
    *("params:checkpoint_stream", "params:device"),
)


def create_features_pipeline(**given: Any) -> Pipeline:
    """In place of stages 1, 2 and 4: released features → roles, features, seen logits.

    Args:
        given: `split`, where it is not the study's.
    """
    read = bind(read_released_features, *READ, **given)
    return Pipeline([node(*read, TABLES, name="read_released_features")])


def create_shift_gcn_pipeline() -> Pipeline:
    """Beside the DAG: skeletons, released checkpoint → its features and logits."""
    load = bind(import_shift_gcn, "released_checkpoint", "params:checkpoint_stream")
    extract = bind(extract_features, *EXTRACT)
    template = Pipeline(
        [
            node(*load, "shift_gcn", name="import_shift_gcn"),
            node(*extract, ["features", "logits"], name="extract_features", tags="gpu"),
        ]
    )
    return Pipeline(
        template,
        namespace="released",
        inputs={"released_checkpoint", "skeletons"},
        parameters={name for name in template.inputs() if name.startswith("params:")},
    )
