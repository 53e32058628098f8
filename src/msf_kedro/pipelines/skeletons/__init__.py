"""Raw clips to the clip table and normalised skeletons."""

from msf_kedro.pipelines.skeletons.pipeline import create_pipeline as create_pipeline
