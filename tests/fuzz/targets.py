"""What is fuzzed: a target takes bytes, and fails unless they are a good file or refused by name.

A file is refused with a ValueError, or Kedro's DatasetError, that names it. Whatever else is raised
is a defect, and so are a clip that is accepted without being one, much memory and much time.
"""

import io
import json
import pickle
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from kedro.io import DatasetError
from scipy.io import savemat
from support.archives import CLASSES, SPLIT, make_archive, write_archive
from support.limits import LIMITS
from support.poses import coco_clip
from support.released_states import released_state

from msf_kedro.clips.bvh import read_bvh
from msf_kedro.clips.estimators import read_mediapipe, read_openpose
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.limits import Limits
from msf_kedro.clips.mat import read_mat
from msf_kedro.clips.normalise import NormaliseConfig, check_clip, normalise
from msf_kedro.clips.npy import read_npy
from msf_kedro.clips.npz import read_npz
from msf_kedro.clips.ntu import read_skeleton
from msf_kedro.clips.pyskl import read_pyskl
from msf_kedro.clips.rows import read_rows
from msf_kedro.datasets import ReleasedFeaturesDataset, ReleasedShiftGCNDataset, TextFilesDataset
from msf_kedro.datasets.class_texts import ClassTextsDataset
from msf_kedro.released.checkpoint import convert
from msf_kedro.released.features import read_archive
from msf_kedro.released.texts import read_text_files
from msf_kedro.sample import generate_clip, write_skeleton
from msf_kedro.texts.class_texts import COLUMNS, check_class_texts

MAX_BYTES = 1_000_000
Target = Callable[[bytes], bool]


@contextmanager
def refused_by(*names: str) -> Iterator[None]:
    """Errors that say that a file is bad and name it end here, others do not."""
    try:
        yield
    except (ValueError, DatasetError) as error:
        if not any(name in str(error) for name in names):
            raise AssertionError(f"names none of {names}: {error}") from error


def skeleton(data: bytes) -> bool:
    """A `.skeleton` file; every target returns whether the file is accepted."""
    return _clip(lambda: _skeleton(data, "x.skeleton", LIMITS), "kinect_v2_25", "x.skeleton")


def npy(data: bytes) -> bool:
    """A clip in a `.npy` file."""
    return _clip(lambda: read_npy(data, "x.npy", LIMITS), "kinect_v2_25", "x.npy")


def mat(data: bytes) -> bool:
    """A `.mat` file of UTD-MHAD's layout."""
    return _clip(lambda: read_mat(data, "x.mat", LIMITS), "kinect_v1_20", "x.mat")


def npz(data: bytes) -> bool:
    """A `.npz` archive of coordinates and confidences."""
    return _clip(lambda: read_npz(data, "x.npz", LIMITS), "coco_17", "x.npz")


def rows(data: bytes) -> bool:
    """Clips in long form, CSV or parquet; all are read."""
    accepted = False
    with refused_by("x.csv"):
        table = read_rows(data, "x", "x.csv", MAX_BYTES)
        for name in table.names:
            accepted |= _clip(partial(table.read, name, LIMITS), "coco_17", "x.csv")
    return accepted


def bvh(data: bytes) -> bool:
    """A `.bvh` file, of any joints."""
    text = data.decode("utf-8", errors="replace")
    return _clip(lambda: read_bvh(text, "x.bvh", LIMITS), None, "x.bvh")


def mediapipe(data: bytes) -> bool:
    """MediaPipe's results as JSON."""
    return _clip(lambda: read_mediapipe(data, "x.json", LIMITS), "mediapipe_33", "x.json")


def openpose(data: bytes) -> bool:
    """OpenPose's JSON of one frame, which also is the next but one."""
    frames = {7: data, 9: data}
    return _clip(lambda: read_openpose(frames, "x", LIMITS), "openpose_18", "x")


def pyskl(data: bytes) -> bool:
    """PYSKL's annotations, a pickle."""
    accepted = False
    with refused_by("x.pkl"):
        for annotation in read_pyskl(data, "x.pkl"):
            assert annotation.clip.dtype == np.float32
            accepted = True
    return accepted


def class_texts(data: bytes) -> bool:
    """A table of class texts, and the same bytes as a text file that replaces some of them."""
    file = _folder("texts") / "LB.csv"
    file.write_bytes(data)
    with refused_by("LB.csv"):
        read_text_files(TextFilesDataset(str(file.parent), "x", MAX_BYTES).load(), [1, 2, 3])
    with refused_by("LB.csv"):
        check_class_texts(ClassTextsDataset(str(file)).load())
        return True
    return False


def released_features(data: bytes) -> bool:
    """One file of an archive of released features; the first byte says which."""
    archive = _archive()
    name = sorted(archive)[data[0] % len(archive)] if data else sorted(archive)[0]
    file = _folder("archive") / name
    whole = file.read_bytes()
    file.write_bytes(data[1:])
    try:
        with refused_by(name, name.split("/")[0]):
            files = ReleasedFeaturesDataset(str(_folder("archive")), MAX_BYTES).load()
            files[name]()  # first, as reading the others takes long
            read_archive(files, SPLIT, CLASSES)
            return True
        return False
    finally:
        file.write_bytes(whole)


def checkpoint(data: bytes) -> bool:
    """A released checkpoint."""
    file = _folder("checkpoint") / "x.pt"
    file.write_bytes(data)
    with refused_by("x.pt"):
        _, _, state = convert(ReleasedShiftGCNDataset(str(file), MAX_BYTES).load())
        assert all(bool(value.isfinite().all()) for value in state.values())
        return True
    return False


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        *(skeleton, npy, npz, mat, rows, bvh, mediapipe, openpose, pyskl),
        *(class_texts, released_features, checkpoint),
    )
}


def seeds(name: str) -> list[bytes]:
    """Small good files of a target."""
    return {
        "skeleton": _skeletons,
        "npy": _npys,
        "npz": _npzs,
        "mat": _mats,
        "rows": _rows,
        "bvh": _bvhs,
        "mediapipe": _mediapipes,
        "openpose": _openposes,
        "pyskl": _pyskls,
        "class_texts": _tables,
        "released_features": _features,
        "checkpoint": _checkpoints,
    }[name]()


def _clip(read: Callable[[], np.ndarray], layout_name: str | None, name: str) -> bool:
    """Read a clip; one that passes the checks of its layout, if it has one, is normalised."""
    layout = get_layout(layout_name) if layout_name else None
    with refused_by(name):
        clip = read()
        assert (clip.dtype, clip.ndim) == (np.float32, 4)
        LIMITS.check(name, bodies=clip.shape[0], frames=clip.shape[1])
        if layout is None:
            return bool(np.isfinite(clip).all())
        for resample in (True, False):
            config = NormaliseConfig(4, resample, min_confidence=0.3, max_missing=0.5)
            if check_clip(clip, layout, config):
                return False
            bodies = normalise(clip, layout, config)
            assert np.isfinite(bodies).all()
        return True
    return False


def _skeleton(data: bytes, name: str, limits: Limits) -> np.ndarray:
    return read_skeleton(data.decode("ascii", errors="replace"), name, limits)


@cache
def _folder(name: str) -> Path:
    """A folder of this process; the archive is written once."""
    scratch = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folder = Path(_scratch(scratch).name) / name
    folder.mkdir()
    if name == "archive":
        write_archive(folder, make_archive())
    return folder


@cache
def _scratch(place: str | None) -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="fuzz", dir=place)


@cache
def _archive() -> dict[str, bytes]:
    folder = _folder("archive")
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.npy")
    }


def _skeletons() -> list[bytes]:
    pair = np.round(generate_clip(51, 1, 1, seed=0, frames=2)[:, :1], 2)
    single = np.round(generate_clip(1, 1, 1, seed=0, frames=2), 2)
    texts = [write_skeleton(pair), write_skeleton(single), "3\n0\n0\n0\n", "0\n"]
    return [text.encode() for text in (*texts, texts[1].replace(" ", "  "))]


def _npys() -> list[bytes]:
    clip = generate_clip(1, 1, 1, seed=0, frames=2)
    arrays = (clip, clip[0], clip.astype(">f8"), np.asfortranarray(clip), clip.astype("i1"))
    return [_bytes(np.save, array) for array in arrays]


def _mats() -> list[bytes]:
    clip = generate_clip(1, 1, 1, seed=0, frames=2)[0, :, :20].transpose(1, 2, 0)
    arrays = (clip, clip.astype("f8"), np.ones((20, 3, 2), "u1"))
    return [
        _bytes(savemat, {"x": np.ones(2), "d_skel": array}, do_compression=packed)
        for array in arrays
        for packed in (False, True)
    ]


def _npzs() -> list[bytes]:
    clip = coco_clip(1, 1, 1)[:, :2]
    one = {"keypoint": clip[..., :2], "keypoint_score": clip[..., 2]}
    return [_bytes(save, **one) for save in (np.savez, np.savez_compressed)] + [
        _bytes(np.savez, clip[0])
    ]


def _rows() -> list[bytes]:
    clip = coco_clip(1, 1, 1)[:, :2].round(1)
    table = pd.DataFrame(np.stack(np.indices(clip.shape[:3]), -1).reshape(-1, 3))
    table = table.set_axis(["body", "frame", "joint"], axis=1).assign(clip="a")
    table[["x", "y", "confidence"]] = clip.reshape(-1, 3)
    return [table.to_csv(index=False).encode(), _bytes(lambda f: table.to_parquet(f, index=False))]


def _bvhs() -> list[bytes]:
    head = "HIERARCHY\nROOT hip\n{\nOFFSET 0 0 0\nCHANNELS 6 Xposition Yposition Zposition"
    head += " Zrotation Xrotation Yrotation\nJOINT spine\n{\nOFFSET 0 9 0\nCHANNELS 1 Xrotation\n"
    head += "End Site\n{\nOFFSET 0 5 1\n}\n}\n}\nMOTION\nFrames: 2\nFrame Time: 0.03\n"
    return [f"{head}1 2 3 10 20 30 4\n1.5 2 3 -10 2e1 3 0\n".encode()]


def _mediapipes() -> list[bytes]:
    places = np.linspace(0, 1, 33 * 4).round(2).reshape(33, 4).tolist()
    person = [dict(zip(("x", "y", "z", "visibility"), place, strict=True)) for place in places]
    found = [{"pose_world_landmarks": [person]}, {"pose_world_landmarks": []}]
    image = {"frames": [{"landmarks": [person]}]}
    return [json.dumps(content).encode() for content in (found, image)]


def _openposes() -> list[bytes]:
    person = {"pose_keypoints_2d": (np.arange(18 * 3) % 7 + 0.5).tolist()}
    return [json.dumps({"people": [person] * count}).encode() for count in (1, 2)]


def _pyskls() -> list[bytes]:
    clip = coco_clip(1, 1, 1)[:, :2]
    points = {"keypoint": clip[..., :2], "keypoint_score": clip[..., 2].astype("f2")}
    content = {"split": {"train": ["a"]}, "annotations": [{"frame_dir": "a", "label": 1, **points}]}
    return [pickle.dumps(content, protocol) for protocol in (2, 4, 5)]


def _tables() -> list[bytes]:
    rows = [f'{n},label {n},do,thing,"To do, {n}.",The hand rises {n}.' for n in (1, 2, 3)]
    table = "\n".join([",".join(COLUMNS), *rows]).encode()
    return [table, b"\xef\xbb\xbf" + table, b'idx,dcp\r\n1,"wave, twice"\r\n2,sit\r\n3,stand\r\n']


def _features() -> list[bytes]:
    return [
        bytes([place]) + content for place, (_, content) in enumerate(sorted(_archive().items()))
    ]


def _checkpoints() -> list[bytes]:
    state = released_state([2], set(), classes=2)
    save = partial(
        _bytes,
        lambda file, content, zipped: torch.save(
            content, file, _use_new_zipfile_serialization=zipped
        ),
    )
    return [save(state, True), save(state, False), save({"model": state, "epoch": 1}, True)]


def _bytes(save: Callable, *args: object, **options: object) -> bytes:
    file = io.BytesIO()
    save(file, *args, **options)
    return file.getvalue()
