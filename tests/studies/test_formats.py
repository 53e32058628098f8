"""Which catalog entry reads a folder's files."""

from pathlib import PurePath

import pytest

from msf_kedro.studies.formats import guess_format


def guess(*names: str):
    return guess_format([PurePath(name) for name in names], "clips")


@pytest.mark.parametrize(
    ("names", "kind", "suffix"),
    [
        (["a.npy", "b/c.npy", "notes.txt"], "ClipFolderDataset", ".npy"),
        (["a.NPY"], "ClipFolderDataset", ".NPY"),
        (["a.skeleton", "b.skeleton", "c.npz"], "ClipFolderDataset", ".skeleton"),
        (["a.bvh", "clips.csv"], "ClipFolderDataset", ".bvh"),
        (["a.json", "b.json"], "ClipFolderDataset", ".json"),
        (["a/x_000000000001_keypoints.json"], "OpenPoseClipsDataset", None),
        (["poses.parquet", "more.csv"], "ClipRowsDataset", None),
    ],
)
def test_the_format_of_most_files_is_taken(names, kind, suffix):
    found = guess(*names)
    assert found.entry["type"] == f"msf_kedro.datasets.{kind}"
    assert found.entry.get("filename_suffix") == suffix


def test_files_of_other_formats_are_counted():
    assert guess("a.npy", "b.npy", "c.npz").others == {".npz": 1}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "clips: it holds no file"),
        (["a.pkl"], "kedro msf convert-pyskl"),
        (["a.mp4", "b.avi"], "clips: it holds videos, which are not read"),
        (["a.txt", "b"], "it holds 1 .txt, 1 no suffix, expected clips that end in .skeleton"),
    ],
)
def test_a_folder_without_clips_is_refused(names, message):
    with pytest.raises(ValueError, match=message):
        guess(*names)
