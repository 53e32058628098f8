"""A study's artifacts to a bundle, which recognises clips anywhere."""

from msf_kedro.pipelines.bundle.pipeline import create_pipeline as create_pipeline
