"""Predictions to figures, tables and the report."""

from msf_kedro.pipelines.evaluation.pipeline import (
    create_figures_pipeline as create_figures_pipeline,
)
from msf_kedro.pipelines.evaluation.pipeline import create_pipeline as create_pipeline
from msf_kedro.pipelines.evaluation.pipeline import create_zssar_pipeline as create_zssar_pipeline
