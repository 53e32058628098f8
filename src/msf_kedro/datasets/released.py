"""Released artifacts: folders of feature arrays, and of class texts or their features."""

import csv
import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from kedro.io.core import AbstractDataset, DatasetError

from msf_kedro.clips.npy import HEAD, read_header
from msf_kedro.datasets.files import check_file, read_file
from msf_kedro.runner.places import Place, local_copy, place

MAX_BYTES = "max_bytes of the entry in catalog.yml"


class ReleasedFeaturesDataset(AbstractDataset):
    """A folder of folders of `.npy` files: `shift_5_r/train.npy` → function that loads it.

    Arrays are memory-mapped. Loading a damaged `.npy` file, or one larger than `max_bytes`, raises
    a ValueError.
    """

    def __init__(self, path: str, max_bytes: int, metadata: dict | None = None):
        self.metadata = metadata  # read by Kedro-Viz
        self._path = place(path)
        self._max_bytes = max_bytes

    def load(self) -> dict[str, Callable[[], np.ndarray]]:
        files = _files(self._path, "**/*.npy", "released features", "it holds no .npy file")
        return {
            file.relative_to(self._path).as_posix(): partial(_load, file, self._max_bytes)
            for file in files
        }

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._path}: released features are read only")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}


class TextFilesDataset(AbstractDataset):
    """A folder of class texts (`.csv`) or text features (`.npy`): file name → function.

    The function returns the rows of a `.csv`, header first, or the array of a `.npy`, and None
    for any other file; it raises a ValueError if the file cannot be read.

    Args:
        path: the folder, absolute.
        chosen: the folder as configured; empty for none, which loads as an empty dictionary.
            (Kedro turns an empty `path` into the project's folder.)
        max_bytes: of the largest file that is read.
    """

    def __init__(self, path: str, chosen: str, max_bytes: int, metadata: dict | None = None):
        self.metadata = metadata
        self._path = place(path) if chosen else None
        self._max_bytes = max_bytes

    def load(self) -> dict[str, Callable[[], Any]]:
        if self._path is None:
            return {}
        files = _files(self._path, "*", "text files", "it is empty")
        readers = {".csv": _rows, ".npy": _load}
        return {
            file.name: partial(readers.get(file.suffix.lower(), _nothing), file, self._max_bytes)
            for file in files
        }

    def save(self, data: Any) -> None:
        raise DatasetError("text files are read only")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path or "")}


def _files(folder: Place, pattern: str, what: str, empty: str) -> list[Place]:
    files = sorted(folder.glob(pattern)) if folder.is_dir() else []
    if not files:
        raise DatasetError(
            f"{what} are expected in {folder} (see docs/ntu.md;"
            f" --params={what.replace(' ', '_')}=FOLDER names another folder):"
            f" {empty if folder.is_dir() else 'there is no such folder'}"
        )
    return files


def _load(file: Place, max_bytes: int) -> np.ndarray:
    """The file's array, memory-mapped."""
    try:
        size = check_file(file, max_bytes, MAX_BYTES)
        with local_copy(file) as path:
            with path.open("rb") as opened:
                header = read_header(opened.read(HEAD), size, str(file))
            return np.memmap(path, header.dtype, "r", header.start, header.shape, header.order)
    except OSError as error:
        raise ValueError(f"{file}: {error}; download it again") from error
    except ValueError as error:
        raise ValueError(f"{error}; download it again") from error


def _rows(file: Place, max_bytes: int) -> list[list[str]]:
    text = read_file(file, max_bytes, MAX_BYTES)
    try:
        return list(csv.reader(io.StringIO(text.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{file}: not a UTF-8 .csv file ({error}); download it again") from error


def _nothing(file: Place, max_bytes: int) -> None:
    """Of a file that is of no known kind."""
