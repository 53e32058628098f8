"""Kedro project settings."""

from msf_kedro.hooks import KnownParameters, StudyFitsTogether, Variant

HOOKS = (Variant(), KnownParameters(), StudyFitsTogether())
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "base",
    "merge_strategy": {"parameters": "soft"},
}
