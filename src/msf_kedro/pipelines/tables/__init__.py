"""The paper's tables from the benchmarks of all studies."""

from msf_kedro.pipelines.tables.pipeline import create_pipeline as create_pipeline
