"""Beside the DAG: clips of any folder, the study's bundle → what they show."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.bound import bind
from msf_kedro.pipelines.recognition.nodes import recognise

INPUTS = (
    "bundle",
    "clips_to_recognise",
    "classes_to_recognise",
    "params:device",
    "params:inference",
)


def create_pipeline(**kwargs) -> Pipeline:
    return Pipeline([node(*bind(recognise, *INPUTS), "recognised", name="recognise")])
