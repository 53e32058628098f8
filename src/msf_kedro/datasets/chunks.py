"""Prepared chunks of the clips, kept on disk so that a run that breaks off can be continued."""

import json
import logging
import zipfile
import zlib
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np
from kedro.io.core import AbstractDataset, DatasetError

from msf_kedro.clips.chunks import Chunk
from msf_kedro.runner.files import whole_or_nothing
from msf_kedro.runner.places import Place, place, remove_tree

logger = logging.getLogger(__name__)


class ChunksFolder(MutableMapping[str, Chunk]):
    """Chunks as files in a folder, shared by all processes; a damaged file counts as missing."""

    def __init__(self, folder: Place):
        self._folder = folder

    def __getitem__(self, key: str) -> Chunk:
        file = self._file(key)
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
                columns = json.loads(arrays["columns"].tobytes())
                return {"columns": columns, "bodies": arrays["bodies"]}
        except FileNotFoundError:
            raise KeyError(key) from None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            logger.warning("%s is damaged and will be prepared again: %s", file, error)
            raise KeyError(key) from error

    def __setitem__(self, key: str, chunk: Chunk) -> None:
        columns = np.frombuffer(json.dumps(chunk["columns"]).encode(), np.uint8)
        with whole_or_nothing(self._file(key), lasting=False) as path, path.open("wb") as file:
            np.savez(file, columns=columns, bodies=chunk["bodies"])

    def __delitem__(self, key: str) -> None:
        self._file(key).unlink()

    def __iter__(self) -> Iterator[str]:
        return iter([file.stem for file in self._folder.glob("[!.]*.npz")])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def clear(self) -> None:
        """Remove the folder, with any half-written files of runs that broke off."""
        remove_tree(self._folder)

    def _file(self, key: str) -> Place:
        return self._folder / f"{key}.npz"


class ClipChunksDataset(AbstractDataset):
    """A folder of prepared chunks of the clips, empty before the first and after a finished run."""

    is_scratch = True  # what is made does not depend on it

    def __init__(self, path: str, metadata: dict | None = None):
        self.metadata = metadata  # read by Kedro-Viz
        self._filepath = place(path)

    def load(self) -> ChunksFolder:
        return ChunksFolder(self._filepath)

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._filepath} is filled while clips are prepared, not saved to")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._filepath)}
