"""Kedro project settings."""

from msf_kedro.context import StudyContext
from msf_kedro.hooks import CheckpointFits, KnownParameters, StudyFitsTogether

CONTEXT_CLASS = StudyContext
HOOKS = (KnownParameters(), StudyFitsTogether(), CheckpointFits())
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "base",
    "merge_strategy": {"parameters": "soft"},
}
