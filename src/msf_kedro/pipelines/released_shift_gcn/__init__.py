"""Skeletons to features and logits by a released Shift-GCN check-point."""

from msf_kedro.pipelines.released_shift_gcn.pipeline import create_pipeline

__all__ = ["create_pipeline"]
