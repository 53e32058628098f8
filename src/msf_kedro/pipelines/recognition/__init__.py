"""Any clips and a bundle to predictions."""

from msf_kedro.pipelines.recognition.pipeline import create_pipeline as create_pipeline
