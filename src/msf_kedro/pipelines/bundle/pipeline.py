"""Beside the DAG: the test phase's networks, method and gates → a bundle."""

from kedro.pipeline import Pipeline, node

from msf_kedro.clips.streams import STREAMS
from msf_kedro.pipelines.bundle.nodes import make_bundle

INPUTS = (
    *(f"test.{stream}.shift_gcn" for stream in STREAMS),
    *("test.alignment", "test_unseen_classifier", "test_witness", "candidates", "gates"),
    *("text_features", "class_texts", "clips", "predictions", "metrics"),
    *("params:bundle", "params:tables"),
)


def create_pipeline(**kwargs) -> Pipeline:
    return Pipeline([node(make_bundle, list(INPUTS), "bundle", name="make_bundle")])
