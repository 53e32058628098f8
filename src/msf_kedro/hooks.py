"""Kedro hooks."""

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines

# Runtime parameters that only the catalog reads.
LOCATIONS = {"data_root", "raw_clips"}


class KnownParameters:
    """Refuse parameters that no node reads: a misspelt name must not be ignored in silence."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        read = {name for pipeline in pipelines.values() for name in pipeline.inputs()}
        known = {name[7:].split(".")[0] for name in read if name.startswith("params:")} | LOCATIONS
        unknown = sorted(set(context.config_loader["parameters"]) - known)
        if unknown:
            raise ValueError(
                f"unknown parameters {unknown} in environment {context.env or 'base'!r} or"
                f" --params; known are {sorted(known)}"
            )
