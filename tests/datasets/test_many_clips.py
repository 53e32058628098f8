"""Clips that are not a file each, and annotations of others converted into clips that are."""

import json
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from kedro.io import DatasetError
from support.limits import LIMITS

from msf_kedro.cli import msf
from msf_kedro.datasets import (
    AnyClipDataset,
    ClipFolderDataset,
    ClipRowsDataset,
    ClipTableDataset,
    OpenPoseClipsDataset,
)
from msf_kedro.datasets.annotations import convert

CLIP = np.random.default_rng(0).normal(size=(1, 3, 4, 3)).astype(np.float32)


def table(**more) -> pd.DataFrame:
    places = np.stack(np.indices(CLIP.shape[1:3]), axis=-1).reshape(-1, 2)
    columns = {"frame": places[:, 0], "joint": places[:, 1]}
    values = CLIP.reshape(-1, 3).T
    return pd.DataFrame(columns | dict(zip("xyz", values, strict=True)) | more)


def test_a_table_or_a_folder_of_tables(tmp_path):
    (tmp_path / "sub").mkdir()
    table(clip="a").to_parquet(tmp_path / "one.parquet")
    table(clip="b").to_csv(tmp_path / "sub" / "two.csv")
    table().to_csv(tmp_path / "c.csv")
    (tmp_path / "notes.txt").write_text("no clip")
    dataset = ClipRowsDataset(str(tmp_path), max_bytes=10**6)
    clips = dataset.load()
    assert sorted(clips) == ["a", "b", "c"]
    assert set(dataset.sources()) == {"one.parquet", "sub/two.csv", "c.csv"}
    for load in pickle.loads(pickle.dumps(clips)).values():
        np.testing.assert_array_equal(load(LIMITS), CLIP)
    assert len({load.stamp for load in clips.values()}) == 3
    single = ClipRowsDataset(str(tmp_path / "c.csv"), max_bytes=10**6)
    assert list(single.load()) == ["c"]
    assert list(single.sources()) == ["file"]
    before = clips["c"].stamp
    pd.concat([table(), table(clip="d")]).drop(columns="clip").head(12).to_csv(tmp_path / "c.csv")
    (tmp_path / "c.csv").write_text((tmp_path / "c.csv").read_text() + "\n")
    assert clips["c"].stamp != before


def test_tables_that_cannot_be_read(tmp_path):
    with pytest.raises(DatasetError, match=r"--params=raw_clips=PATH\): there is no such folder"):
        ClipRowsDataset(str(tmp_path / "no"), max_bytes=10**6).load()
    with pytest.raises(DatasetError, match=r"it holds no table \(\*\.csv, \*\.parquet\)"):
        ClipRowsDataset(str(tmp_path), max_bytes=10**6).load()
    table(clip="a").to_csv(tmp_path / "a.csv")
    with pytest.raises(DatasetError, match=r"accepted are at most 10 \(max_bytes in the catalog\)"):
        ClipRowsDataset(str(tmp_path), max_bytes=10).load()
    table(clip="a").to_csv(tmp_path / "b.csv")
    with pytest.raises(DatasetError, match=r"a\.csv and .*b\.csv both hold a clip a; rename"):
        ClipRowsDataset(str(tmp_path), max_bytes=10**6).load()
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(DatasetError, match=r"a\.csv: .*expected frame, joint, x, y.*own_data\.md"):
        ClipRowsDataset(str(tmp_path), max_bytes=10**6).load()
    with pytest.raises(DatasetError, match="read only"):
        ClipRowsDataset(str(tmp_path), max_bytes=10**6).save({})


def test_openposes_files_are_grouped_into_clips(tmp_path):
    names = ["wave_000000000000", "wave_000000000002", "run_1_000000000005"]
    names += ["jump/000000000000", "jump/000000000001"]
    for number, name in enumerate(names):
        file = tmp_path / f"{name}_keypoints.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"people": [{"pose_keypoints_2d": [number, 1, 0.5] * 2}]}))
    (tmp_path / "other.json").write_text("{}")
    dataset = OpenPoseClipsDataset(str(tmp_path))
    clips = dataset.load()
    assert {name: load(LIMITS).shape for name, load in clips.items()} == {
        "wave": (1, 3, 2, 3), "run_1": (1, 1, 2, 3), "jump": (1, 2, 2, 3)
    }  # fmt: skip
    wave = pickle.loads(pickle.dumps(clips))["wave"](LIMITS)
    assert wave[0, :, 0, 1].tolist() == [1, 0, 1]
    assert len(dataset.sources()) == 5
    assert len({load.stamp for load in clips.values()}) == 3
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "wave_000000000000_keypoints.json").write_text("{}")
    with pytest.raises(DatasetError, match="both hold a clip wave"):
        dataset.load()
    with pytest.raises(DatasetError, match="there is no such folder"):
        OpenPoseClipsDataset(str(tmp_path / "no")).load()


def test_a_folder_of_any_one_format(tmp_path):
    np.savez(tmp_path / "a.npz", keypoint=CLIP[..., :2], keypoint_score=CLIP[..., 2])
    kind = "msf_kedro.datasets.AnyClipDataset"
    folder = ClipFolderDataset(path=str(tmp_path), dataset=kind, filename_suffix=".npz")
    np.testing.assert_array_equal(folder.load()["a"](LIMITS), CLIP)
    (tmp_path / "b.avi").write_text("")
    with pytest.raises(DatasetError, match=r"b\.avi: suffix '\.avi', expected one of"):
        AnyClipDataset(str(tmp_path / "b.avi"), LIMITS).load()


def test_a_clip_table_is_a_file_or_none(tmp_path):
    assert ClipTableDataset("").load() is None
    assert ClipTableDataset("").sources() == {}
    file = tmp_path / "clips.csv"
    file.write_text("clip,action,subject\na,1,2\n")
    dataset = ClipTableDataset(str(file))
    assert dataset.load().rows == {"a": (1, 2)}
    assert dataset.sources() == {"file": file}
    file.write_text("clip\na\n")
    with pytest.raises(DatasetError, match=r"clip table .*clips\.csv: columns .*own_data\.md"):
        dataset.load()
    with pytest.raises(DatasetError, match="no such file"):
        ClipTableDataset(str(tmp_path / "no.csv")).load()
    with pytest.raises(DatasetError, match="read only"):
        dataset.save({})


# --- PYSKL ---


def annotations(path, *names: str):
    clips = [
        {
            "frame_dir": name,
            "label": label,
            "keypoint": CLIP[..., :2],
            "keypoint_score": CLIP[..., 2],
        }
        for label, name in enumerate(names)
    ]
    content = {"annotations": clips, "split": {"xsub/train": [*names[:1]], "test": [*names[1:]]}}
    path.write_bytes(pickle.dumps(content))
    return path


def test_annotations_become_arrays_and_a_clip_table(tmp_path):
    file = annotations(tmp_path / "x.pkl", "S001", "v_a b.c")
    done = CliRunner().invoke(msf, ["convert-pyskl", str(file), str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "2 clips of 4 joints of 3 values" in done.output
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "v_a b.c.npy"), CLIP)
    told = ClipTableDataset(str(tmp_path / "out" / "clips.csv")).load()
    assert told.columns == ("action", "in_test", "in_xsub_train")
    assert told.rows == {"S001": (1, 0, 1), "v_a b.c": (2, 1, 0)}
    again = CliRunner().invoke(msf, ["convert-pyskl", str(file), str(tmp_path / "out")])
    assert again.exit_code == 1
    assert re.fullmatch(r"Error: \S+out: it is not empty; name a new folder\n", again.output)


@pytest.mark.parametrize("names", [["../a"], ["/a"], [".a"], ["a\n"], ["a", "a"], ["a\0"], [""]])
def test_no_annotation_leaves_the_folder(names, tmp_path):
    file = annotations(tmp_path / "x.pkl", *names)
    with pytest.raises(ValueError, match=r"x\.pkl: clip .*, expected letters"):
        convert(file, tmp_path / "out", 10**6)
    assert not (tmp_path / "out").exists()


def test_a_file_too_large_is_not_read(tmp_path):
    file = annotations(tmp_path / "x.pkl", "a")
    with pytest.raises(ValueError, match=r"accepted are at most 10 \(--max-bytes\)"):
        convert(file, tmp_path / "out", 10)
