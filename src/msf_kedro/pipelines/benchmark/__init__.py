"""Every method with every text combination, encoder and class split, from shared features."""

from msf_kedro.pipelines.benchmark.pipeline import create_pipeline as create_pipeline
