"""Features and texts to probabilities over unseen classes, per phase."""

from msf_kedro.pipelines.alignment.pipeline import create_pipeline

__all__ = ["create_pipeline"]
