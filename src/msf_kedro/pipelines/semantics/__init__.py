"""Class texts to fused text features."""

from msf_kedro.pipelines.semantics.pipeline import create_pipeline as create_pipeline
