"""Seen or unseen: gates fitted on the calibration phase, applied to the test phase."""

from msf_kedro.pipelines.gate.pipeline import create_pipeline

__all__ = ["create_pipeline"]
