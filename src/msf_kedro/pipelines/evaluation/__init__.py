"""Predictions to figures, tables and the report."""

from msf_kedro.pipelines.evaluation.pipeline import (
    create_figures_pipeline,
    create_pipeline,
    create_zssar_pipeline,
)

__all__ = ["create_figures_pipeline", "create_pipeline", "create_zssar_pipeline"]
