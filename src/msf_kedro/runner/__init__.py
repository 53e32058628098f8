"""Run only what has changed, and know what made what.

A folder of its own that knows nothing of this project: copy it into another Kedro project, name
`Lineage` in its hooks and a `RunsDataset` in its catalog, and run with `ChangedOnlyRunner`.
"""

from .artifacts import artifact_of
from .cluster import DaskRunner
from .hooks import Lineage, open_run
from .made_with import MadeWithDataset
from .runners import (
    ChangedOnlyDaskRunner,
    ChangedOnlyParallelRunner,
    ChangedOnlyRunner,
    ChangedOnlyThreadRunner,
)
from .runs import RunsDataset

__all__ = [
    "ChangedOnlyDaskRunner",
    "ChangedOnlyParallelRunner",
    "ChangedOnlyRunner",
    "ChangedOnlyThreadRunner",
    "DaskRunner",
    "Lineage",
    "MadeWithDataset",
    "RunsDataset",
    "artifact_of",
    "open_run",
]
