"""The role of every clip in both phases; everything about classes is checked here."""

from msf_kedro.pipelines.splits.pipeline import create_pipeline as create_pipeline
