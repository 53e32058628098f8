"""Readers of raw clips. All give float32 arrays `(bodies, frames, joints, values)`.

The values are the layout's two or three coordinates and, where the source has it, a confidence.
"""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from kedro.io.core import AbstractDataset, DatasetError
from kedro_datasets.partitions import PartitionedDataset

from msf_kedro.clips.clip import LoadClip
from msf_kedro.clips.limits import NO_LIMITS, Limits
from msf_kedro.clips.mat import read_mat
from msf_kedro.clips.npy import read_npy
from msf_kedro.clips.readers import read_clip
from msf_kedro.datasets.files import read_file
from msf_kedro.runner.places import Place, place

LISTS_BYTES = 10_000_000
LISTS_HINT = "(see docs/ntu.md; name another with --params=missing_lists=PATH)"


class ClipDataset(AbstractDataset):
    """One raw clip, read only.

    Args:
        limits: what the clip may be; compared before memory is taken.

    Raises:
        ValueError: on load, if the file is not a clip of this format, or goes beyond the limits;
            says what is wrong.
    """

    def __init__(self, filepath: str, limits: Limits = NO_LIMITS):
        self._path = place(filepath)
        self._limits = limits

    def load(self) -> np.ndarray:
        content = read_file(self._path, self._limits.bytes, "clips.max_bytes")
        return self._read(content, self._path.name, self._limits)

    @staticmethod
    @abstractmethod
    def _read(content: bytes, name: str, limits: Limits) -> np.ndarray: ...

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._path}: raw clips are read only")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


class NtuClipDataset(ClipDataset):
    """An NTU RGB+D `.skeleton` file."""

    @staticmethod
    def _read(content: bytes, name: str, limits: Limits) -> np.ndarray:
        from msf_kedro.clips.ntu import read_skeleton

        return read_skeleton(content.decode("ascii", errors="replace"), name, limits)


class UtdMhadClipDataset(ClipDataset):
    """A UTD-MHAD `.mat` file: `d_skel` of `(20 joints, 3, frames)`, one body."""

    @staticmethod
    def _read(content: bytes, name: str, limits: Limits) -> np.ndarray:
        return read_mat(content, name, limits)


class NpyClipDataset(ClipDataset):
    """A NumPy file of `(bodies, frames, joints, values)`, or for one body without the first."""

    @staticmethod
    def _read(content: bytes, name: str, limits: Limits) -> np.ndarray:
        return read_npy(content, name, limits)


class AnyClipDataset(ClipDataset):
    """A file of one clip in any format that `read_clip` knows, by its suffix."""

    @staticmethod
    def _read(content: bytes, name: str, limits: Limits) -> np.ndarray:
        return read_clip(content, name, limits)


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A raw clip's file, read when called."""

    kind: type[ClipDataset]
    config: dict[str, Any]
    path: str

    def __call__(self, limits: Limits) -> np.ndarray:
        return self.kind(filepath=self.path, limits=limits, **self.config).load()

    @property
    def stamp(self) -> str:
        """Changes whenever the call would give another clip."""
        reader = f"{self.kind.__qualname__} {self.config} {self.path}"
        try:
            status = place(self.path).stat()
        except OSError as error:  # it is gone; the call will say so
            return f"{reader} {type(error).__name__}"
        return f"{reader} {status.st_size} {status.st_mtime_ns}"


class ClipFolderDataset(PartitionedDataset):
    """A folder of raw clips: clip name → function that loads it. Sub-folders are searched too."""

    def load(self) -> dict[str, LoadClip]:
        folder = place(self._path)
        if not folder.is_dir():
            raise DatasetError(f"{self._missing(folder)}: there is no such folder")
        self._invalidate_caches()
        clips: dict[str, ClipFile] = {}
        for path in map(self._join_protocol, self._list_partitions()):
            name = place(path).name.removesuffix(self._filename_suffix)
            if name in clips:
                raise DatasetError(
                    f"raw clips in {folder}: {clips[name].path} and {path} have the same"
                    " name; remove or rename one of them"
                )
            clips[name] = ClipFile(self._dataset_type, self._dataset_config, path)
        if not clips:
            raise DatasetError(
                f"{self._missing(folder)}: it holds no *{self._filename_suffix} file"
            )
        return clips

    def sources(self) -> dict[str, Place]:
        """The clips' files, by their place in the folder."""
        folder = place(self._path)
        found = self._list_partitions() if folder.is_dir() else ()
        files = map(place, map(self._join_protocol, found))
        if isinstance(folder, Path):
            files = (file for file in files if file.is_file())
        return {file.relative_to(folder).as_posix(): file for file in files}

    @staticmethod
    def _missing(folder: Place) -> str:
        return (
            f"raw clips are expected in {folder} (see docs/data.md; point at another folder with"
            " --params=raw_clips=FOLDER)"
        )


class MissingListsDataset(AbstractDataset):
    """Lists of clips without a skeleton (list → lines); none if no file or folder is named."""

    def __init__(self, lists: str, metadata: dict | None = None):
        self.metadata = metadata  # read by Kedro-Viz
        self._lists = lists

    def sources(self) -> dict[str, Place]:
        """The lists' files."""
        return {file.name: file for file in self._files() if file.is_file()}

    def _files(self) -> list[Place]:
        lists = place(self._lists)
        if lists.is_dir():
            return sorted(lists.glob("*.txt"))
        return [lists] if self._lists else []

    def load(self) -> dict[str, list[str]]:
        lists, files = place(self._lists), self._files()
        if self._lists and not (files and lists.exists()):
            missing = "no .txt file" if lists.exists() else "there is no such file or folder"
            raise DatasetError(
                f"lists of clips without skeleton are expected in {lists}: {missing} {LISTS_HINT}"
            )
        try:
            return {str(file): _lines(file) for file in files}
        except ValueError as error:
            raise DatasetError(f"lists of clips without skeleton: {error} {LISTS_HINT}") from error

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._lists}: lists of clips without skeleton are read only")

    def _describe(self) -> dict[str, Any]:
        return {"lists": self._lists}


def _lines(file: Place) -> list[str]:
    text = read_file(file, LISTS_BYTES, "a list names clips, one a line")
    return [line.strip() for line in text.decode("utf-8", errors="replace").splitlines()]


class SampleClip(NamedTuple):
    """A clip of the sample, generated when called."""

    action: int
    performer: int
    repetition: int
    seed: int

    def __call__(self, limits: Limits) -> np.ndarray:
        from msf_kedro.sample import generate_clip

        clip = generate_clip(*self)
        limits.check(f"clip of action {self.action}", bodies=clip.shape[0], frames=clip.shape[1])
        return clip

    @property
    def stamp(self) -> str:
        """Changes whenever the call would give another clip."""
        return repr(self)


class SampleClipsDataset(AbstractDataset):
    """The embedded sample: procedural clips of NTU actions, generated when loaded."""

    def __init__(
        self,
        actions: str,
        performers: int,
        repetitions: int,
        seed: int,
        metadata: dict | None = None,
    ):
        self.metadata = metadata  # read by Kedro-Viz
        self._sizes = {"performers": performers, "repetitions": repetitions, "seed": seed}
        self._actions = actions

    def load(self) -> dict[str, LoadClip]:
        from msf_kedro.sample import clip_name
        from msf_kedro.zero_shot.splits import parse_classes

        return {
            clip_name(action, performer, repetition): SampleClip(
                action, performer, repetition, self._sizes["seed"]
            )
            for performer in range(1, self._sizes["performers"] + 1)
            for action in parse_classes(self._actions)
            for repetition in range(1, self._sizes["repetitions"] + 1)
        }

    def save(self, data: Any) -> None:
        raise DatasetError("the sample study is generated; it cannot be saved")

    def _describe(self) -> dict[str, Any]:
        return {"actions": self._actions, **self._sizes}
