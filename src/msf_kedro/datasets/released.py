"""Released artifacts: folders of feature arrays, and of class texts or their features."""

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from kedro.io.core import AbstractDataset, DatasetError


class ReleasedFeaturesDataset(AbstractDataset):
    """A folder of folders of `.npy` files: `shift_5_r/train.npy` → function that loads it.

    Arrays are memory-mapped. Loading a damaged `.npy` file raises a ValueError.
    """

    def __init__(self, path: str, metadata: dict | None = None):
        self.metadata = metadata  # read by Kedro-Viz
        self._path = Path(path)

    def load(self) -> dict[str, Callable[[], np.ndarray]]:
        files = _files(self._path, "**/*.npy", "released features", "it holds no .npy file")
        return {file.relative_to(self._path).as_posix(): partial(_load, file) for file in files}

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
    """

    def __init__(self, path: str, chosen: str, metadata: dict | None = None):
        self.metadata = metadata
        self._path = Path(path) if chosen else None

    def load(self) -> dict[str, Callable[[], Any]]:
        if self._path is None:
            return {}
        files = _files(self._path, "*", "text files", "it is empty")
        readers = {".csv": _rows, ".npy": _load}
        return {
            file.name: partial(readers.get(file.suffix.lower(), lambda file: None), file)
            for file in files
        }

    def save(self, data: Any) -> None:
        raise DatasetError("text files are read only")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path or "")}


def _files(folder: Path, pattern: str, what: str, empty: str) -> list[Path]:
    files = sorted(folder.glob(pattern)) if folder.is_dir() else []
    if not files:
        raise DatasetError(
            f"{what} are expected in {folder} (see docs/ntu.md;"
            f" --params={what.replace(' ', '_')}=FOLDER names another folder):"
            f" {empty if folder.is_dir() else 'there is no such folder'}"
        )
    return files


def _load(file: Path) -> np.ndarray:
    try:
        array = np.load(file, allow_pickle=False, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(
            f"{file}: not a whole .npy file of numbers ({error}); download it again"
        ) from error
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{file}: an .npz archive, expected a .npy file; download it again")
    return array


def _rows(file: Path) -> list[list[str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return list(csv.reader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{file}: not a UTF-8 .csv file ({error}); download it again") from error
