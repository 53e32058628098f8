"""Beside the DAG: skeletons, released check-point → its features and logits."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.released_shift_gcn.nodes import extract_features, import_shift_gcn


def create_pipeline(**kwargs) -> Pipeline:
    template = Pipeline(
        [
            node(import_shift_gcn, "released_checkpoint", "shift_gcn", name="import_shift_gcn"),
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
        parameters={
            *("params:clips", "params:normalise"),
            *("params:checkpoint_stream", "params:device"),
        },
    )
