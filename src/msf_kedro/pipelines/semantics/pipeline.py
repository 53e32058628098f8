"""Stage 3 of the DAG: class texts → text features → fused texts."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.semantics.nodes import embed_texts, fuse_texts


def create_pipeline(**kwargs) -> Pipeline:
    return Pipeline(
        [
            node(
                embed_texts,
                ["class_texts", "text_files", "params:classes", "params:encoder"],
                "text_features",
                name="embed_texts",
            ),
            node(fuse_texts, ["text_features", "params:texts"], "fused_texts", name="fuse_texts"),
        ]
    )
