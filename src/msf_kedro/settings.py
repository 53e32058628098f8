"""Kedro project settings."""

from msf_kedro.context import StudyContext, first
from msf_kedro.hooks import (
    CheckpointFits,
    EnvironmentIsComplete,
    MethodsAreConfigured,
    StudyFitsTogether,
)

CONTEXT_CLASS = StudyContext
HOOKS = (EnvironmentIsComplete(), StudyFitsTogether(), MethodsAreConfigured(), CheckpointFits())
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "sample",
    "merge_strategy": {"parameters": "soft"},
    "custom_resolvers": {"first": first},
}
