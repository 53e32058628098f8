"""Kedro project settings."""

from msf_kedro.hooks import (
    CheckpointFits,
    KnownParameters,
    StudyBenchmark,
    StudyFitsTogether,
    Variant,
)

HOOKS = (
    Variant(),
    KnownParameters(),
    StudyBenchmark(),
    StudyFitsTogether(),
    CheckpointFits(),
)
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "base",
    "merge_strategy": {"parameters": "soft"},
}
