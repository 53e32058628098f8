"""Features and texts to probabilities over unseen classes, per phase."""

from msf_kedro.pipelines.alignment.pipeline import create_pipeline as create_pipeline
