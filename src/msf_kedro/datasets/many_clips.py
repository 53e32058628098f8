"""Raw clips that are not a file each: many in a table, or a file for every frame."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from kedro.io.core import AbstractDataset, DatasetError

from msf_kedro.clips.clip import LoadClip
from msf_kedro.clips.limits import Limits
from msf_kedro.datasets.files import read_file
from msf_kedro.runner.places import Place, place

if TYPE_CHECKING:
    from msf_kedro.clips.rows import Rows

TABLES = (".csv", ".parquet")
FRAME = re.compile(r"(?:(.*)_)?(\d{1,12})_keypoints\.json")


class ClipsDataset(AbstractDataset):
    """Raw clips below a folder, read only: clip name → function that loads it."""

    def __init__(self, path: str, metadata: dict | None = None):
        self.metadata = metadata  # read by Kedro-Viz
        self._path = place(path)

    def _files(self) -> list[Place]:
        """The files that hold clips."""
        raise NotImplementedError

    def _found(self, what: str) -> list[Place]:
        files = self._files()
        if not files:
            missing = f"it holds no {what}" if self._path.exists() else "there is no such folder"
            raise DatasetError(
                f"raw clips are expected in {self._path} (see docs/own_data.md; point at another"
                f" place with --params=raw_clips=PATH): {missing}"
            )
        return files

    def sources(self) -> dict[str, Place]:
        """The clips' files, by their place in the folder."""
        return {file.relative_to(self._path).as_posix(): file for file in self._files()}

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._path}: raw clips are read only")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}


class ClipRowsDataset(ClipsDataset):
    """Clips in long form: a CSV or parquet file, or a folder of them, as `read_rows` takes them.

    Args:
        path: of the file or folder; sub-folders are searched too.
        max_bytes: largest file, which is held in memory as a whole.
    """

    def __init__(self, path: str, max_bytes: int, metadata: dict | None = None):
        super().__init__(path, metadata)
        self._max_bytes = max_bytes

    def _files(self) -> list[Place]:
        if self._path.is_file():
            return [self._path]
        return sorted(file for file in self._path.rglob("*") if file.suffix.lower() in TABLES)

    def sources(self) -> dict[str, Place]:
        """The tables, by their place in the folder."""
        return {"file": self._path} if self._path.is_file() else super().sources()

    def load(self) -> dict[str, LoadClip]:
        clips: dict[str, ClipRows] = {}
        for file in self._found("table (*.csv, *.parquet)"):
            try:
                names = _rows(file, _stamp(file), self._max_bytes).names
            except ValueError as error:
                raise DatasetError(f"raw clips {error} (docs/own_data.md)") from error
            for name in names:
                if name in clips:
                    raise DatasetError(
                        f"raw clips: {clips[name].file} and {file} both hold a clip {name}; rename"
                        " one of them"
                    )
                clips[name] = ClipRows(file, name, self._max_bytes)
        return clips


@dataclass(frozen=True, slots=True)
class ClipRows:
    """A raw clip in a table, read when called."""

    file: Place
    name: str
    max_bytes: int

    def __call__(self, limits: Limits) -> np.ndarray:
        return _rows(self.file, _stamp(self.file), self.max_bytes).read(self.name, limits)

    @property
    def stamp(self) -> str:
        """Changes whenever the call would give another clip."""
        return f"{self.file} {_stamp(self.file)} {self.name}"


@lru_cache(maxsize=1)
def _rows(file: Place, stamp: str, max_bytes: int) -> "Rows":
    """A table; the last one is kept, as its clips are loaded one after the other."""
    from msf_kedro.clips.rows import read_rows  # imports Arrow

    content = read_file(file, max_bytes, "max_bytes in the catalog")
    return read_rows(content, file.stem, file.name, max_bytes)


def _stamp(*files: Place) -> str:
    """Changes whenever files do."""
    try:
        return " ".join(f"{f.stat().st_size} {f.stat().st_mtime_ns}" for f in files)
    except OSError as error:  # one is gone; loading it will say so
        return type(error).__name__


class OpenPoseClipsDataset(ClipsDataset):
    """Clips of OpenPose: a file `NAME_000000000012_keypoints.json` for every frame.

    Those of one name in one folder are a clip; without a name, the folder's name is it.
    """

    def _files(self) -> list[Place]:
        return sorted(f for f in self._path.rglob("*.json") if FRAME.fullmatch(f.name))

    def load(self) -> dict[str, LoadClip]:
        frames: dict[tuple[Place, str], dict[int, Place]] = {}
        for file in self._found("file *_keypoints.json of OpenPose"):
            name, number = FRAME.fullmatch(file.name).groups()
            frames.setdefault((file.parent, name or file.parent.name), {})[int(number)] = file
        clips: dict[str, OpenPoseClip] = {}
        for (folder, name), files in frames.items():
            if name in clips:
                raise DatasetError(
                    f"raw clips: {clips[name].folder} and {folder} both hold a clip {name}; rename"
                    " one of them"
                )
            clips[name] = OpenPoseClip(folder, name, files)
        return clips


@dataclass(frozen=True, slots=True)
class OpenPoseClip:
    """A raw clip of OpenPose, read when called."""

    folder: Place
    name: str
    files: dict[int, Place]

    def __call__(self, limits: Limits) -> np.ndarray:
        from msf_kedro.clips.estimators import read_openpose

        limits.check(self.name, frames=len(self.files))
        contents, left = {}, limits.bytes
        for number, file in self.files.items():
            contents[number] = read_file(file, left, "clips.max_bytes, of all frames together")
            left -= len(contents[number])
        return read_openpose(contents, self.name, limits)

    @property
    def stamp(self) -> str:
        """Changes whenever the call would give another clip."""
        return f"{self.folder} {self.name} {_stamp(*self.files.values())}"
