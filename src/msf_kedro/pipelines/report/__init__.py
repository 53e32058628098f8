"""The report of a run: drawings, and one page with all of them."""

from msf_kedro.pipelines.report.pipeline import create_pipeline as create_pipeline
