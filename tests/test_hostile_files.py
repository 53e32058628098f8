"""Files of others, changed at random or made to announce much: refused by name, or good."""

import os
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from fuzz.targets import TARGETS, seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.io import DatasetError
from support.archives import CLASSES, SPLIT, make_archive, write_archive
from support.limits import LIMITS
from support.released_states import released_state
from support.sessions import assert_equal

from msf_kedro.clips.ntu import read_skeleton
from msf_kedro.datasets import (
    ClassTextsDataset,
    ClipFolderDataset,
    MissingListsDataset,
    ReleasedFeaturesDataset,
    ReleasedShiftGCNDataset,
    TextFilesDataset,
)
from msf_kedro.released.checkpoint import convert
from msf_kedro.released.features import read_archive
from msf_kedro.sample import write_skeleton
from msf_kedro.texts.class_texts import COLUMNS, read_class_texts

EXAMPLES = {"skeleton": 150, "npy": 150, "mat": 150, "class_texts": 80}
EXAMPLES |= {"released_features": 25, "checkpoint": 40, "bvh": 100, "rows": 60}
EXAMPLES |= dict.fromkeys(("npz", "mediapipe", "openpose", "pyskl"), 80)
PIECES = st.one_of(
    st.binary(max_size=8),
    st.integers(0, 2**32 - 1).map(lambda number: number.to_bytes(4, "little")),
    st.integers(0, 10**12).map(lambda number: str(number).encode()),
    st.sampled_from([b"\n", b"\r\n", b",", b'"', b"\0", b"\xff\xff\xff\x7f", b"nan", b"1e999"]),
)
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.one_of(st.integers(0, 8), st.floats(0, 1)), PIECES), max_size=4
)


def edited(content: bytes, edits: list) -> bytes:
    """Some stretches replaced: where, as a share, how many bytes or what share, and by what."""
    for place, length, piece in edits:
        start = int(place * len(content))
        count = int(length * len(content)) if isinstance(length, float) else length
        content = content[:start] + piece + content[start + count :]
    return content


@cache
def good_files(name: str) -> list[bytes]:
    return seeds(name)


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_of_fuzzing_are_good(name):
    assert any(TARGETS[name](seed) for seed in good_files(name))


@pytest.mark.parametrize("name", TARGETS)
def test_a_changed_file_is_good_or_refused_by_name(name):
    @settings(max_examples=EXAMPLES[name])
    @given(st.sampled_from(good_files(name)), EDITS)
    def is_good_or_refused(seed, edits):
        TARGETS[name](edited(seed, edits))

    is_good_or_refused()


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_refused_by_name(name):
    @settings(max_examples=EXAMPLES[name] // 2)
    @given(st.binary(max_size=200))
    def is_refused(content):
        TARGETS[name](content)

    is_refused()


ODD_HEADER = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2or 3, 25, 3)}"
FOUND = [  # by fuzzing and by the tests above
    ("npy", b"\x93NUMPY\x01\0" + len(ODD_HEADER).to_bytes(2, "little") + ODD_HEADER),  # a warning
    ("class_texts", ",".join(COLUMNS).encode()),  # no row
    ("class_texts", b"idx,d\n\x1c1,"),  # a separator that Python counts as white space, but not int
]


@pytest.mark.parametrize(("name", "content"), FOUND)
def test_what_was_found(name, content):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TARGETS[name](content)


# --- round trips ---


@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 99), st.sampled_from(["\n", "\r\n"]))
def test_a_skeleton_file_comes_back(bodies, frames, seed, ends):
    clip = np.random.default_rng(seed).normal(size=(bodies, frames, 25, 3)).astype(np.float32)
    text = write_skeleton(clip).replace("\n", ends)
    np.testing.assert_array_equal(read_skeleton(text, "x.skeleton", LIMITS), clip)


ROWS = st.tuples(
    st.integers(0, 10**9 - 1),
    *[st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)] * 5,
)


@given(
    st.lists(ROWS, min_size=1, max_size=4, unique_by=lambda row: row[0]),
    st.sampled_from(["utf-8", "utf-8-sig"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_table_of_class_texts_comes_back(rows, encoding, ends):
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(
        dict.fromkeys(COLUMNS, "str") | {"class_id": "int64"}
    )
    content = table.to_csv(index=False, lineterminator=ends).encode(encoding)
    pd.testing.assert_frame_equal(read_class_texts(content, "x.csv"), table)


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_released_features_come_back(dtype, order, tmp_path):
    arrays = {
        name: np.array(array, dtype=dtype if array.ndim == 2 else ">i2", order=order)
        for name, array in make_archive().items()
    }
    archive = read_archive(
        ReleasedFeaturesDataset(str(write_archive(tmp_path, arrays)), 10**6).load(), SPLIT, CLASSES
    )
    train = archive.features["test"].loc[:, :].iloc[: len(arrays["shift_2_r/train"])]
    np.testing.assert_array_equal(train, arrays["shift_2_r/train"].astype(np.float32))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_released_checkpoint_comes_back(dtype, tmp_path):
    state = released_state([2, 3], {2}, classes=2)
    state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}
    torch.save(state, tmp_path / "x.pt")
    loaded = ReleasedShiftGCNDataset(str(tmp_path / "x.pt"), 10**6).load()
    assert_equal(loaded, state)
    assert convert(loaded)[1] == 2


# --- files that announce much ---


def refused(load: Callable, message: str) -> None:
    """Refused with this message and next to no memory."""
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, DatasetError), match=message):
            load()
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


BODY = "\n".join(["0 " * 10, "25", *["0 " * 12] * 25]) + "\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("300000\n" + "0\n" * 299_999 + "9\n" + BODY * 9, "300,000 frames, .* clips.max_frames"),
        ("9999\n" + "0\n" * 9998 + "1000\n" + BODY * 1000, "frame 9999: 1,000 bodies, accepted"),
        ("999999999\n", "999,999,999 frames, accepted are at most 10,000"),
        ("2\n999999999\n", "frame 1: 999,999,999 bodies, accepted are at most 16"),
        ("1\n" + "0\n" * 500_000, "500001 lines, expected at most 434: 1 frames of 16 bodies"),
    ],
    ids=["frames", "bodies", "a number of frames", "a number of bodies", "lines"],
)
def test_a_skeleton_file_cannot_announce_more_than_accepted(text, message):
    refused(lambda: read_skeleton(text, "x.skeleton", LIMITS), f"^x.skeleton: .*{message}")


def test_a_large_file_is_not_opened(tmp_path):
    """All are sparse: they take no room on the disk."""
    paths = {"x.skeleton": 10**11, "x.csv": 10**11, "x.npy": 10**11, "x.pt": 10**11}
    for name, size in paths.items():
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    folder = str(tmp_path)
    loads = {
        "x.skeleton": clips(tmp_path, "NtuClipDataset", ".skeleton")["x"],
        "x.npy": ReleasedFeaturesDataset(folder, 10**6).load()["x.npy"],
        "x.csv": TextFilesDataset(folder, folder, 10**6).load()["x.csv"],
        "x.pt": ReleasedShiftGCNDataset(str(tmp_path / "x.pt"), 10**6).load,
    }
    for name, load in loads.items():
        limit = r"32,000,000 \(clips.max_bytes\)" if name == "x.skeleton" else r"1,000,000 \(max_b"
        refused(load, f"{name}: 100,000,000,000 bytes, accepted are at most {limit}")
    refused(ClassTextsDataset(str(tmp_path / "x.csv")).load, "accepted are at most 10,000,000")
    lists = MissingListsDataset(str(tmp_path / "x.csv"))
    refused(lists.load, "accepted are at most 10,000,000")


def clips(folder: Path, reader: str, suffix: str) -> dict[str, Callable]:
    """Load functions of the clips in a folder, with the usual limits."""
    kind = f"msf_kedro.datasets.{reader}"
    loaded = ClipFolderDataset(path=str(folder), dataset=kind, filename_suffix=suffix).load()
    return {name: (lambda load=load: load(LIMITS)) for name, load in loaded.items()}


def test_a_checkpoint_is_not_unpacked_to_more_than_it_is(tmp_path):
    torch.save({"x": torch.zeros(10_000_000)}, tmp_path / "plain.pt")
    with (
        zipfile.ZipFile(tmp_path / "plain.pt") as plain,
        zipfile.ZipFile(tmp_path / "x.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    assert (tmp_path / "x.pt").stat().st_size < 100_000
    refused(
        ReleasedShiftGCNDataset(str(tmp_path / "x.pt"), 10**6).load,
        "an archive that is larger unpacked",
    )


def test_a_checkpoint_cannot_announce_more_than_it_holds(tmp_path):
    """A tensor of one number can have any shape."""
    state = released_state([2, 3], {2}, classes=2)
    state["l1.gcn1.Linear_weight"] = torch.zeros(1).expand(3, 10**9)
    torch.save(state, tmp_path / "x.pt")
    message = "found tensors of 3,000,.* numbers, expected at most 16,777,216"
    refused(ReleasedShiftGCNDataset(str(tmp_path / "x.pt"), 10**6).load, message)


@pytest.mark.parametrize(
    "odd",
    [
        torch.zeros(2, device="meta"),
        torch.zeros(2).to_sparse(),
        torch.zeros(2, dtype=torch.complex64),
        torch.zeros(2, dtype=torch.float8_e4m3fn),
    ],
    ids=["meta", "sparse", "complex", "float8"],
)
def test_tensors_that_no_network_has_are_refused_by_key(odd):
    state = released_state([2, 3], {2}, classes=2) | {"fc.bias": odd}
    with pytest.raises(
        ValueError, match=r"^fc\.bias: found a tensor of .*; expected plain numbers"
    ):
        convert(state)


# --- what is no file ---


@pytest.mark.parametrize("kind", ["pipe", "folder", "nothing"])
def test_only_files_are_opened(kind, tmp_path):
    """Opening a pipe would wait for ever."""
    place = tmp_path / "LB.csv"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    what = {"pipe": "a pipe or a device", "folder": "a folder", "nothing": "there is no such file"}
    loads = [ClassTextsDataset(str(place)).load, ReleasedShiftGCNDataset(str(place), 10**6).load]
    if kind == "pipe":
        loads += [
            clips(tmp_path, "NpyClipDataset", ".csv")["LB"],
            TextFilesDataset(str(tmp_path), "x", 10**6).load()["LB.csv"],
        ]
    if kind != "folder":  # a folder of lists is one
        loads.append(MissingListsDataset(str(place)).load)
    for load in loads:
        with pytest.raises((ValueError, DatasetError), match=f"LB.csv: {what[kind]}"):
            load()
