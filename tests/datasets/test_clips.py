"""Raw clips: every reader on good and bad files, folders, the sample, and the real UTD-MHAD."""

import os
import pickle
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError
from scipy.io import savemat
from support.limits import LIMITS

from msf_kedro.datasets import (
    ClipFolderDataset,
    MissingListsDataset,
    NpyClipDataset,
    NtuClipDataset,
    SampleClipsDataset,
    UtdMhadClipDataset,
)
from msf_kedro.sample import generate_clip, write_skeleton

CLIP = generate_clip(1, 1, 1, seed=0)
NPY = "msf_kedro.datasets.NpyClipDataset"


def folder(path: Path, dataset: str = NPY, suffix: str = ".npy") -> ClipFolderDataset:
    return ClipFolderDataset(path=str(path), dataset=dataset, filename_suffix=suffix)


# --- one file ---


def test_skeleton_files(tmp_path):
    file = tmp_path / "S001C001P001R001A001.skeleton"
    file.write_text(write_skeleton(CLIP))
    loaded = NtuClipDataset(str(file), LIMITS).load()
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, CLIP)


def test_mat_files(tmp_path):
    joints = np.random.default_rng(0).normal(size=(20, 3, 7))
    savemat(tmp_path / "a1_s1_t1_skeleton.mat", {"d_skel": joints})
    loaded = UtdMhadClipDataset(str(tmp_path / "a1_s1_t1_skeleton.mat"), LIMITS).load()
    assert loaded.dtype == np.float32
    assert loaded.shape == (1, 7, 20, 3)
    for frame, joint, axis in ((0, 0, 0), (6, 19, 2), (3, 5, 1)):
        assert loaded[0, frame, joint, axis] == np.float32(joints[joint, axis, frame])


@pytest.mark.parametrize("shape", [(2, 7, 25, 3), (7, 25, 3)])
def test_npy_files(shape, tmp_path):
    clip = np.random.default_rng(0).normal(size=shape)
    np.save(tmp_path / "x.npy", clip)
    loaded = NpyClipDataset(str(tmp_path / "x.npy"), LIMITS).load()
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, clip.reshape(-1, 7, 25, 3).astype(np.float32))


def no_d_skel(path: Path) -> None:
    savemat(path, {"skeleton": np.zeros((20, 3, 7))})


def flat_d_skel(path: Path) -> None:
    savemat(path, {"d_skel": np.zeros((20, 3))})


def pickled(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([{"a": 1}], dtype=object))


@pytest.mark.parametrize(
    ("kind", "write", "message"),
    [
        (NtuClipDataset, lambda path: path.write_text(""), r"x\.raw: ends after line 0"),
        (
            NtuClipDataset,
            lambda path: path.write_bytes(b"\xff\xfe\x00"),
            "line 1 is '.*', expected the frame count",
        ),
        (UtdMhadClipDataset, no_d_skel, r"x\.raw: no array d_skel \(joints, 3, frames\)"),
        (UtdMhadClipDataset, flat_d_skel, r"x\.raw: d_skel is \(20, 3\), expected"),
        (
            UtdMhadClipDataset,
            lambda path: path.write_bytes(b"garbage" * 99),
            r"x\.raw: not a MATLAB level-5 file",
        ),
        (NpyClipDataset, pickled, r"x\.raw: an array of .\|O., expected plain numbers"),
        (NpyClipDataset, lambda path: path.write_bytes(b"garbage"), r"x\.raw: not a \.npy file"),
        (NpyClipDataset, lambda path: None, r"x\.raw"),
    ],
)
def test_bad_files_are_errors_that_say_why(kind, write, message, tmp_path):
    write(tmp_path / "x.raw")
    with pytest.raises(DatasetError) as caught:
        kind(str(tmp_path / "x.raw"), LIMITS).load()
    assert re.search(message, str(caught.value))


@pytest.mark.parametrize("kind", [NtuClipDataset, UtdMhadClipDataset, NpyClipDataset])
def test_clips_are_read_only(kind, tmp_path):
    with pytest.raises(DatasetError, match="read only"):
        kind(str(tmp_path / "x"), LIMITS).save(CLIP)
    assert list(tmp_path.iterdir()) == []


# --- a folder ---


def test_a_folder_gives_clip_names_and_reads_nothing_yet(tmp_path):
    """Sub-folders too; files of other kinds are not clips."""
    (tmp_path / "part_2").mkdir()
    np.save(tmp_path / "b.npy", np.ones((7, 25, 3)))
    np.save(tmp_path / "part_2" / "a.npy", np.zeros((7, 25, 3)))
    (tmp_path / "bad.npy").write_bytes(b"garbage")
    (tmp_path / "README.md").write_text("not a clip")
    loaded = folder(tmp_path).load()
    assert set(loaded) == {"a", "b", "bad"}
    assert loaded["a"](LIMITS).sum() == 0
    assert loaded["b"](LIMITS).shape == (1, 7, 25, 3)
    with pytest.raises(DatasetError):
        loaded["bad"](LIMITS)


def test_two_clips_of_one_name_are_an_error(tmp_path):
    """Not one of them silently instead of the other."""
    for part in ("part_1", "part_2"):
        (tmp_path / part).mkdir()
        np.save(tmp_path / part / "a.npy", np.ones((7, 25, 3)))
    with pytest.raises(DatasetError, match=r"part_1/a.*part_2/a"):
        folder(tmp_path).load()


def test_loaders_and_their_stamps_go_to_other_processes(tmp_path):
    """A stamp is a file's: it differs as soon as the file does, and only then."""
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", np.ones((7, 25, 3)))
    clips = pickle.loads(pickle.dumps(folder(tmp_path).load()))
    np.testing.assert_array_equal(clips["a"](LIMITS), folder(tmp_path).load()["a"](LIMITS))
    stamps = {name: clip.stamp for name, clip in clips.items()}
    assert len(set(stamps.values())) == 2
    os.utime(tmp_path / "a.npy", ns=(0, 1))
    assert clips["a"].stamp != stamps["a"]
    os.utime(tmp_path / "a.npy", ns=(0, 2))
    again = clips["a"].stamp
    np.save(tmp_path / "a.npy", np.ones((8, 25, 3)))
    os.utime(tmp_path / "a.npy", ns=(0, 2))
    assert clips["a"].stamp != again, "the same time, another size"
    (tmp_path / "a.npy").unlink()
    assert "FileNotFoundError" in clips["a"].stamp
    assert clips["b"].stamp == stamps["b"]


@pytest.mark.parametrize(("there", "why"), [(False, "no such folder"), (True, r"no \*\.npy file")])
def test_a_missing_or_empty_folder_says_what_to_do(there, why, tmp_path):
    path = tmp_path / "raw"
    if there:
        path.mkdir()
        (path / "a.mat").write_bytes(b"")
    with pytest.raises(DatasetError) as caught:
        folder(path).load()
    message = str(caught.value)
    assert re.search(why, message)
    for hint in (str(path), "docs/data.md", "--params=raw_clips=FOLDER"):
        assert hint in message


# --- lists of clips without skeleton ---


def test_no_list_a_file_or_a_folder(tmp_path):
    assert MissingListsDataset("").load() == {}
    for name, text in (("a.txt", "head\r\n\r\n S001 \r\n"), ("b.txt", "S002"), ("c.md", "no list")):
        (tmp_path / name).write_text(text)
    a, b = (str(tmp_path / name) for name in ("a.txt", "b.txt"))
    assert MissingListsDataset(a).load() == {a: ["head", "", "S001"]}
    assert MissingListsDataset(str(tmp_path)).load() == {a: ["head", "", "S001"], b: ["S002"]}
    with pytest.raises(DatasetError, match="read only"):
        MissingListsDataset(a).save({})


@pytest.mark.parametrize(("make", "why"), [(False, "no such file or folder"), (True, r"no \.txt")])
def test_a_list_that_is_not_there_is_an_error(make, why, tmp_path):
    place = tmp_path / "lists"
    if make:
        place.mkdir()
    with pytest.raises(DatasetError, match=f"{place}: .*{why}.*--params=missing_lists=PATH"):
        MissingListsDataset(str(place)).load()


# --- the sample ---


def test_the_sample_is_lazy_and_always_the_same(monkeypatch):
    made = []

    def generate(*key):
        made.append(key)
        return generate_clip(*key)

    monkeypatch.setattr("msf_kedro.sample.generate_clip", generate)
    sample = SampleClipsDataset(actions="1, 7-8", performers=2, repetitions=2, seed=3)
    clips = sample.load()
    assert made == []
    assert len(clips) == 3 * 2 * 2
    name = "S001C001P002R001A007"
    first = clips[name](LIMITS)
    assert made == [(7, 2, 1, 3)]
    np.testing.assert_array_equal(first, sample.load()[name](LIMITS))
    np.testing.assert_array_equal(first, generate_clip(7, 2, 1, seed=3))
    other = SampleClipsDataset(actions="1, 7-8", performers=2, repetitions=2, seed=4).load()
    assert len({clip.stamp for clip in (*clips.values(), *other.values())}) == 2 * len(clips)
    with pytest.raises(DatasetError, match="cannot be saved"):
        sample.save({})


# --- the real data set ---


def test_all_of_utd_mhad_is_read(utd_mhad):
    """861 clips; 27 actions by 8 subjects, 4 times each, but for three that its owners removed."""
    kind = "msf_kedro.datasets.UtdMhadClipDataset"
    clips = folder(utd_mhad, kind, ".mat").load()
    keys = [re.fullmatch(r"a(\d+)_s(\d+)_t(\d+)_skeleton", name).groups() for name in clips]
    actions, subjects, trials = (Counter(map(int, part)) for part in zip(*keys, strict=True))
    assert len(clips) == 861
    assert (set(actions), set(subjects)) == (set(range(1, 28)), set(range(1, 9)))
    assert set(trials) == {1, 2, 3, 4}
    assert sorted(Counter(actions.values()).items()) == [(31, 3), (32, 24)]
    for name, load in clips.items():
        clip = load(LIMITS)
        assert clip.shape[0] == 1, name
        assert clip.shape[2:] == (20, 3), name
        assert np.isfinite(clip).all(), name
        assert 30 <= clip.shape[1] <= 200, name
        assert 0.5 < np.ptp(clip[0, 0, :, 1]) < 2.5, f"{name}: a person's height in metres"
