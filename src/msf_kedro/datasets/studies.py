"""What the benchmarks of all studies have left on disk."""

import logging
from collections.abc import Callable
from typing import Any

import pandas as pd
from kedro.io.core import AbstractDataset, DatasetError, Version

from msf_kedro.datasets.versioned import TableDataset
from msf_kedro.runner.places import Place, place

logger = logging.getLogger(__name__)


class StudiesDataset(AbstractDataset):
    """The newest benchmark of every study below a folder, read only.

    `load` gives study → table name (`TABLES`) → function that loads its newest version, studies in
    alphabetical order. A study without a benchmark is left out; one whose benchmark has broken off
    is left out with a warning.

    Raises:
        DatasetError: no study has been benchmarked.
    """

    TABLES = ("benchmark", "benchmark_outcomes")

    def __init__(self, folder: str, metadata: dict | None = None):
        self._folder = place(folder)
        self.metadata = metadata  # read by Kedro-Viz

    def sources(self) -> dict[str, Place]:
        """The newest version of every table."""
        return {
            f"{study.parent.name}/{name}": table._load_place()
            for study in self._places()
            for name, table in self._tables(study).items()
            if table.exists()
        }

    def _places(self) -> list[Place]:
        return sorted(self._folder.glob("*/benchmark.parquet"))

    def _tables(self, study: Place) -> dict[str, TableDataset]:
        newest = Version(None, None)
        files = {name: study.with_name(f"{name}.parquet") for name in self.TABLES}
        return {name: TableDataset(str(file), version=newest) for name, file in files.items()}

    def load(self) -> dict[str, dict[str, Callable[[], pd.DataFrame]]]:
        studies = {}
        for study in self._places():
            tables = self._tables(study)
            missing = [name for name, table in tables.items() if not table.exists()]
            if missing:
                logger.warning(
                    "%s is left out of the tables: no %s in %s; run its benchmark again to its end",
                    *(study.parent.name, " or ".join(missing), study.parent),
                )
            else:
                studies[study.parent.name] = {name: table.load for name, table in tables.items()}
        if not studies:
            raise DatasetError(
                f"no study has been benchmarked below {self._folder}; first run"
                " `kedro run --pipelines=benchmark --env=STUDY` (or give the folder of a run with"
                " --params=data_root=FOLDER)"
            )
        return studies

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._folder}: the studies' benchmarks are read only here")

    def _exists(self) -> bool:
        return any(self._folder.glob("*/benchmark.parquet"))

    def _describe(self) -> dict[str, Any]:
        return {"folder": str(self._folder)}
