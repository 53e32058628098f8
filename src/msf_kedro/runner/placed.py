"""Versioned datasets whose file or folder may be on any storage."""

from pathlib import PurePosixPath
from typing import Any

from kedro.io import AbstractVersionedDataset, DatasetError
from kedro.io.core import Version

from .places import Place, StoredPath, place


class PlacedDataset(AbstractVersionedDataset):
    """A dataset that is a file or folder with versions, at a local path or a URL.

    Args:
        filepath: a path, or a URL such as `s3://bucket/features.parquet`.
    """

    def __init__(self, filepath: str, version: Version | None = None, metadata: dict | None = None):
        self.metadata = metadata  # read by Kedro-Viz
        found = place(filepath)
        self._fs = found.fs if isinstance(found, StoredPath) else None
        if isinstance(found, StoredPath):
            super().__init__(found.inner, version, self._fs.exists, self._fs.glob)
        else:
            super().__init__(PurePosixPath(found), version)

    def _load_place(self) -> Place:
        return self._place(self._get_load_path())

    def _save_place(self) -> Place:
        return self._place(self._get_save_path())

    def _place(self, path: PurePosixPath) -> Place:
        return StoredPath(self._fs, path) if self._fs else place(path)

    def _exists(self) -> bool:
        try:
            return self._load_place().exists()
        except DatasetError:  # no version has been saved
            return False

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._place(self._filepath)), "version": self._version}
