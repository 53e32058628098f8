"""Kedro project settings."""

from msf_kedro.context import StudyContext, first, own_table
from msf_kedro.hooks import (
    CheckpointFits,
    DeviceIsThere,
    EnvironmentIsComplete,
    MethodsAreConfigured,
    StudyFitsTogether,
    describe_machine,
)
from msf_kedro.run_log import RunLog
from msf_kedro.runner import Lineage

CONTEXT_CLASS = StudyContext
HOOKS = (
    EnvironmentIsComplete(),
    StudyFitsTogether(),
    MethodsAreConfigured(),
    CheckpointFits(),
    DeviceIsThere(),
    Lineage(packages=["msf_kedro"], immaterial=["workers"], machine=describe_machine),
    RunLog(),  # behind the others: what they refuse is no run
)
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "sample",
    "merge_strategy": {"parameters": "soft"},
    "custom_resolvers": {"first": first, "own_table": own_table},
}
