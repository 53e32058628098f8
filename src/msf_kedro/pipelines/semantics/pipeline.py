"""Stage 3 of the DAG: class texts → text features."""

from typing import Any

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.bound import bind
from msf_kedro.pipelines.semantics.nodes import embed_texts

INPUTS = ("class_texts", "text_files", "params:classes", "params:encoders", "params:encoder")


def create_pipeline(**given: Any) -> Pipeline:
    """Text features by the study's encoder, or by the given `encoder`."""
    embed = bind(embed_texts, *INPUTS, **given)
    return Pipeline([node(*embed, "text_features", name="embed_texts")])
