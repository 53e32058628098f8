"""The parameters that an artifact was made with, as a dataset that nodes can read."""

from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractVersionedDataset, DatasetError
from kedro.io.core import Version

from .records import parameters


class MadeWithDataset(AbstractVersionedDataset):
    """Parameter → value, of all that an artifact was made with, from the records.

    A parameter that had several values is a list of `{"value": ..., "nodes": [...]}`, one each,
    under `several`.

    Args:
        filepath: of the artifact, as in its own entry of the catalog.
    """

    def __init__(self, filepath: str, version: Version | None = None, metadata: dict | None = None):
        super().__init__(filepath=PurePosixPath(filepath), version=version)
        self.metadata = metadata  # read by Kedro-Viz

    def load(self) -> dict[str, Any]:
        uses: dict[str, list[dict[str, Any]]] = {}
        for node, name, value in parameters(Path(self._get_load_path())):
            values = uses.setdefault(name, [])
            same = next((use for use in values if use["value"] == value), None)
            if same is None:
                values.append(same := {"value": value, "nodes": []})
            same["nodes"].append(node)
        made = {name: values[0]["value"] for name, values in uses.items() if len(values) == 1}
        several = {name: values for name, values in uses.items() if len(values) > 1}
        return dict(sorted(made.items())) | ({"several": several} if several else {})

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._filepath}: what an artifact was made with is read only")

    def _exists(self) -> bool:
        try:
            return Path(self._get_load_path()).exists()
        except DatasetError:  # no version has been saved
            return False

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}
