"""Every dataset takes URLs: what is saved comes back, what is read is as from a local folder."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io import DatasetError, Version
from support.archives import make_archive, write_archive
from support.limits import LIMITS
from support.sessions import assert_equal
from support.versions import NEW, save_and_load_versions

from msf_kedro.clips.blocks import Blocks
from msf_kedro.datasets import (
    BundleDataset,
    ClassTextsDataset,
    ClipChunksDataset,
    ClipFolderDataset,
    ClipRowsDataset,
    ClipTableDataset,
    IncomingClassesDataset,
    IncomingClipsDataset,
    JSONDataset,
    MissingListsDataset,
    OpenPoseClipsDataset,
    ReleasedFeaturesDataset,
    ReleasedShiftGCNDataset,
    TableDataset,
    TextDataset,
    TextFilesDataset,
    TorchDataset,
    TrainingStateDataset,
)
from msf_kedro.recognizer.bundle import Bundle
from msf_kedro.runner.places import place

CLIP = np.random.default_rng(0).normal(size=(1, 7, 25, 3)).astype("f4")
BUNDLE = Bundle({"classes": [1]}, {"weights": torch.ones(2)}, "# card\n")


def sent(local: Path, url: str) -> str:
    """A copy of a folder on other storage."""
    target = place(url)
    target.fs.makedirs(str(target.inner), exist_ok=True)
    for file in sorted(path for path in local.rglob("*") if path.is_file()):
        with (target / file.relative_to(local)).open("wb") as opened:
            opened.write(file.read_bytes())
    return url


@pytest.mark.parametrize(
    ("kind", "name", "data"),
    [
        (TorchDataset, "x.pt", {"a": torch.arange(6.0).view(2, 3), "names": ["joint"]}),
        (TableDataset, "x.parquet", pd.DataFrame({"name": ["a"], "f0": [0.5]})),
        (JSONDataset, "x.json", {"mean": 0.25}),
        (TextDataset, "x.md", "1 ± 2\n"),
    ],
)
def test_versions_come_back_one_by_one(kind, name, data, storage, tmp_path):
    path = f"{storage}/{name}"
    save_and_load_versions(kind, path, data)
    kind(str(tmp_path / name)).save(data)
    assert place(f"{path}/{NEW}/{name}").read_bytes() == (tmp_path / name).read_bytes()


def test_what_was_mapped_and_what_comes_in_blocks(storage):
    data_set = TorchDataset(f"{storage}/x.pt")
    rows = torch.arange(6.0).view(3, 2)
    data_set.save({"bodies": Blocks((3, 2), torch.float32, lambda: iter([rows[:1], rows[1:]]))})
    assert torch.equal(data_set.load()["bodies"], rows)


def test_bundles(storage):
    data_set = BundleDataset(f"{storage}/bundle", version=Version(None, NEW))
    data_set.save(BUNDLE)
    loaded = BundleDataset(f"{storage}/bundle", version=Version(None, None)).load()
    assert loaded.card == BUNDLE.card
    assert torch.equal(loaded.tensors["weights"], BUNDLE.tensors["weights"])


def test_states_and_chunks_stay_until_they_are_cleared(storage):
    folder = place(f"{storage}/training_state")
    state = TrainingStateDataset().load()
    state.belongs_to("key", folder)
    assert state.load() is None
    state.save({"epoch": 1, "kept": [torch.ones(2)]})
    again = TrainingStateDataset().load()
    again.belongs_to("key", folder)
    assert_equal(again.load(), {"epoch": 1, "kept": [torch.ones(2)]})
    again.clear()
    assert state.load() is None

    store = ClipChunksDataset(f"{storage}/clip_chunks").load()
    store["k"] = {"columns": {"name": ["a"]}, "bodies": CLIP}
    assert list(store) == ["k"]
    assert store["k"]["columns"] == {"name": ["a"]}
    np.testing.assert_array_equal(store["k"]["bodies"], CLIP)
    del store["k"]
    with pytest.raises(KeyError):
        store["k"]
    store.clear()
    assert len(store) == 0


@pytest.fixture
def raw(tmp_path) -> Path:
    """Raw input of many kinds."""
    for name in ("clips/a.npy", "clips/sub/b.npy"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / name, CLIP)
    (tmp_path / "rows").mkdir()
    rows = [(0, j, 0.1 * j, 0.2, 0.3) for j in range(2)]
    pd.DataFrame(rows, columns=["frame", "joint", "x", "y", "z"]).to_csv(
        tmp_path / "rows/walk.csv", index=False
    )
    (tmp_path / "openpose").mkdir()
    people = {"people": [{"pose_keypoints_2d": [1.0, 2.0, 0.5] * 25}]}
    (tmp_path / "openpose/run_000000000000_keypoints.json").write_text(json.dumps(people))
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/missing.txt").write_text("S001\nS002\n")
    (tmp_path / "table.csv").write_text("clip,action\na,1\nb,2\n")
    (tmp_path / "classes.csv").write_text("label\njump\n")
    (tmp_path / "texts").mkdir()
    np.save(tmp_path / "texts/LB.npy", np.ones((2, 3), "f4"))
    write_archive(tmp_path / "released", make_archive())
    return tmp_path


def loaded(value):
    """With what can be called called."""
    if isinstance(value, dict):
        return {key: loaded(item) for key, item in value.items()}
    if not callable(value):
        return value
    try:
        return np.asarray(value())
    except TypeError:
        return np.asarray(value(LIMITS))


NPY = {"dataset": "msf_kedro.datasets.NpyClipDataset", "filename_suffix": ".npy"}


@pytest.mark.parametrize(
    ("kind", "argument", "name", "others"),
    [
        (ClipFolderDataset, "path", "clips", NPY),
        (ClipRowsDataset, "path", "rows", {"max_bytes": 10_000}),
        (ClipRowsDataset, "path", "rows/walk.csv", {"max_bytes": 10_000}),
        (OpenPoseClipsDataset, "path", "openpose", {}),
        (ReleasedFeaturesDataset, "path", "released", {"max_bytes": 100_000}),
        (TextFilesDataset, "path", "texts", {"chosen": "texts", "max_bytes": 100_000}),
    ],
)
def test_raw_input_is_as_from_a_local_folder(kind, argument, name, others, raw, storage):
    url = sent(raw, storage)
    here = kind(**{argument: str(raw / name)}, **others)
    there = kind(**{argument: f"{url}/{name}"}, **others)
    found, expected = loaded(there.load()), loaded(here.load())
    assert found.keys() == expected.keys()
    assert found
    for key in found:
        np.testing.assert_array_equal(found[key], expected[key])
    if hasattr(here, "sources"):
        assert there.sources().keys() == here.sources().keys()
    with pytest.raises(DatasetError, match="elsewhere"):
        kind(**{argument: f"{url}/elsewhere"}, **others).load()


def test_lists_tables_and_what_is_to_be_recognised(raw, storage):
    url = sent(raw, storage)
    (lines,) = MissingListsDataset(f"{url}/lists").load().values()
    assert lines == ["S001", "S002"]
    assert ClipTableDataset(f"{url}/table.csv").load().rows.keys() == {"a", "b"}
    clips = IncomingClipsDataset(f"{url}/clips").load()
    assert clips.keys() == {"a", "sub/b"}
    np.testing.assert_array_equal(np.load(clips["sub/b"], allow_pickle=False), CLIP)
    assert IncomingClassesDataset(f"{url}/classes.csv").load().label.tolist() == ["jump"]


def test_class_texts_and_checkpoints_say_what_is_wrong_with_a_url(storage):
    with pytest.raises(DatasetError, match="there is no such file"):
        ClassTextsDataset(f"{storage}/texts.csv").load()
    with pytest.raises(DatasetError, match="there is no such file"):
        ReleasedShiftGCNDataset(f"{storage}/x.pt", 1000).load()
    torch.save({"x": torch.ones(1)}, opened := place(f"{storage}/y.pt").open("wb"))
    opened.close()
    with pytest.raises(DatasetError, match=r"y\.pt"):
        ReleasedShiftGCNDataset(f"{storage}/y.pt", 10_000).load()
