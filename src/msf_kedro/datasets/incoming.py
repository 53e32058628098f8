"""What is to be recognised: clips of any folder, and a table of classes."""

import atexit
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io.core import AbstractDataset, DatasetError

from msf_kedro.recognizer.incoming import named_clips
from msf_kedro.recognizer.words import read_classes
from msf_kedro.runner.places import Place, local_copy, place

copies = ExitStack()  # of stored clips, until the process ends
atexit.register(copies.close)


class IncomingClipsDataset(AbstractDataset):
    """The clips in a folder, or one file, in any known format: name → path.

    Args:
        path: of the folder or file; None for none, which is an error when it is loaded.
    """

    def __init__(self, path: str | None, metadata: dict | None = None):
        self._path = place(path) if path else None
        self.metadata = metadata  # read by Kedro-Viz

    def sources(self) -> dict[str, Path]:
        """The clips' files."""
        return self.load() if self._path and self._path.exists() else {}

    def load(self) -> dict[str, Path]:
        if self._path is None:
            raise DatasetError(
                "no clips to recognise: name their folder with --params=clips_to_recognise=FOLDER"
            )
        files: dict[str, Path] = {}
        for name, file in named_clips(copies.enter_context(local_copy(self._path))):
            if name in files:
                raise DatasetError(f"{file} and {files[name]} have one name; rename one of them")
            files[name] = file
        return files

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._path}: clips to recognise are read only")

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path and str(self._path)}


class IncomingClassesDataset(AbstractDataset):
    """A CSV file of classes, as `recognizer.words.read_classes` takes it.

    Args:
        path: of the file; None for none, which gives a table without rows.
    """

    def __init__(self, path: str | None, metadata: dict | None = None):
        self._path = place(path) if path else None
        self.metadata = metadata  # read by Kedro-Viz

    def sources(self) -> dict[str, Place]:
        """The file."""
        return {"file": self._path} if self._path else {}

    def load(self) -> pd.DataFrame:
        if self._path is None:
            return pd.DataFrame({"label": []}, dtype="str")
        with local_copy(self._path) as path:
            return read_classes(path)

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._path}: classes to recognise are read only")

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path and str(self._path)}
