"""Seen or unseen: gates fitted on the calibration phase, applied to the test phase."""

from msf_kedro.pipelines.gate.pipeline import create_evidence_pipeline as create_evidence_pipeline
from msf_kedro.pipelines.gate.pipeline import create_gates_pipeline as create_gates_pipeline
from msf_kedro.pipelines.gate.pipeline import create_pipeline as create_pipeline
