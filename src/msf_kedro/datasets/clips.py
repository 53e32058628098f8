"""Readers of raw clips. All give float32 arrays `(bodies, frames, joints, 3)` in metres."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from kedro.io.core import AbstractDataset, DatasetError
from kedro_datasets.partitions import PartitionedDataset

LoadClip = Callable[[], np.ndarray]


class ClipDataset(AbstractDataset):
    """One raw clip, read only.

    Raises:
        ValueError: on load, where the file is not a clip of its format; says what is wrong.
    """

    def __init__(self, filepath: str):
        self._path = Path(filepath)

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._path}: raw clips are read only")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


class NtuClipDataset(ClipDataset):
    """An NTU RGB+D `.skeleton` file."""

    def load(self) -> np.ndarray:
        from msf_kedro.skeleton.ntu import read_skeleton

        return read_skeleton(self._path.read_text(encoding="ascii"), self._path.name)


class UtdMhadClipDataset(ClipDataset):
    """A UTD-MHAD `.mat` file: `d_skel` of `(20 joints, 3, frames)`, one body."""

    def load(self) -> np.ndarray:
        from scipy.io import loadmat

        skeleton = loadmat(self._path).get("d_skel")
        if skeleton is None or skeleton.ndim != 3:
            raise ValueError(f"{self._path.name}: no array d_skel (joints, 3, frames)")
        return skeleton.transpose(2, 0, 1)[None].astype(np.float32)


class NpyClipDataset(ClipDataset):
    """A NumPy file of `(bodies, frames, joints, 3)`, or `(frames, joints, 3)` for one body."""

    def load(self) -> np.ndarray:
        clip = np.load(self._path, allow_pickle=False)
        return (clip[None] if clip.ndim == 3 else clip).astype(np.float32)


class ClipFolderDataset(PartitionedDataset):
    """A folder of raw clips: clip name → function that loads it. Sub-folders are searched too."""

    def load(self) -> dict[str, LoadClip]:
        folder = Path(self._path)
        if not folder.is_dir():
            raise DatasetError(f"{self._missing(folder)}: there is no such folder")
        if not self._list_partitions():
            raise DatasetError(
                f"{self._missing(folder)}: it holds no *{self._filename_suffix} file"
            )
        places: dict[str, str] = {}
        clips: dict[str, LoadClip] = {}
        for place, load in super().load().items():
            name = Path(place).name
            if name in clips:
                raise DatasetError(
                    f"raw clips in {folder}: {places[name]} and {place} have the same"
                    " name; remove or rename one of them"
                )
            places[name], clips[name] = place, load
        return clips

    @staticmethod
    def _missing(folder: Path) -> str:
        return (
            f"raw clips are expected in {folder} (see docs/data.md; point at another folder with"
            " --params=raw_clips=FOLDER)"
        )


class SampleClipsDataset(AbstractDataset):
    """The embedded sample: procedural clips of NTU actions, generated when they are loaded."""

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
        from msf_kedro.skeleton.sample import clip_name, generate_clip
        from msf_kedro.splits import parse_classes

        return {
            clip_name(action, performer, repetition): partial(
                generate_clip, action, performer, repetition, self._sizes["seed"]
            )
            for performer in range(1, self._sizes["performers"] + 1)
            for action in parse_classes(self._actions)
            for repetition in range(1, self._sizes["repetitions"] + 1)
        }

    def save(self, data: Any) -> None:
        raise DatasetError("the sample study is generated; it cannot be saved")

    def _describe(self) -> dict[str, Any]:
        return {"actions": self._actions, **self._sizes}
