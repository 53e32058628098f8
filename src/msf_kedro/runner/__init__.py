"""Run only what has changed, and know what made what.

A folder of its own that knows nothing of this project: copy it into another Kedro project, name
`Lineage` in its hooks and a `RunsDataset` in its catalog, and run with `ChangedOnlyRunner`.
"""

from .artifacts import artifact_of
from .hooks import Lineage, open_run
from .made_with import MadeWithDataset
from .runners import ChangedOnlyParallelRunner, ChangedOnlyRunner, ChangedOnlyThreadRunner
from .runs import RunsDataset

__all__ = [
    "ChangedOnlyParallelRunner",
    "ChangedOnlyRunner",
    "ChangedOnlyThreadRunner",
    "Lineage",
    "MadeWithDataset",
    "RunsDataset",
    "artifact_of",
    "open_run",
]
