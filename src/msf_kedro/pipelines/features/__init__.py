"""Skeletons to features and seen logits: a Shift-GCN per phase and stream."""

from msf_kedro.pipelines.features.pipeline import create_pipeline as create_pipeline
