"""Released feature folders to the tables that the splits and features stages would make."""

from msf_kedro.pipelines.released.pipeline import create_pipeline

__all__ = ["create_pipeline"]
