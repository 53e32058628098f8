"""The folder of prepared chunks: whole files, shared by processes; damaged ones are made anew."""

import logging
import pickle
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DataCatalog, DatasetError

from msf_kedro.datasets import ClipChunksDataset
from msf_kedro.datasets.chunks import ChunksFolder

CHUNK = {
    "columns": {"name": ["a", "b"], "action": [1, None], "kept": [True, False]},
    "bodies": np.random.default_rng(0).normal(size=(3, 3, 25, 8)).astype(np.float32),
}


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "study" / "clip_chunks"


@pytest.fixture
def store(folder) -> ChunksFolder:
    return ClipChunksDataset(str(folder)).load()


def test_what_is_put_comes_back_in_any_process(store, folder):
    assert dict(store) == {}
    store["x"] = CHUNK
    other = pickle.loads(pickle.dumps(store))
    assert list(other) == ["x"]
    assert other["x"]["columns"] == CHUNK["columns"]
    np.testing.assert_array_equal(other["x"]["bodies"], CHUNK["bodies"])
    assert other["x"]["bodies"].dtype == np.float32
    del store["x"]
    assert "x" not in other
    with pytest.raises(KeyError):
        other["x"]


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def with_a_flipped_bit(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [truncated, with_a_flipped_bit, lambda data: b"", lambda data: b"garbage" * 99],
    ids=["truncated", "flipped bit", "empty", "garbage"],
)
def test_a_damaged_chunk_counts_as_not_done(damage, store, folder, caplog):
    store["x"] = CHUNK
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert store.get("x") is None
    assert "x.npz is damaged and will be prepared again" in caplog.text
    store["x"] = CHUNK
    assert store.get("x") is not None


def test_a_chunk_with_objects_is_not_unpickled(store, folder):
    folder.mkdir(parents=True)
    np.savez(folder / "x.npz", columns=np.array([{}], dtype=object), bodies=CHUNK["bodies"])
    assert store.get("x") is None


def test_a_chunk_is_whole_or_not_there(store, folder, monkeypatch):
    def half(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(OSError, match="disk full"):
        store["x"] = CHUNK
    assert list(folder.iterdir()) == []


def test_clearing_leaves_nothing_of_broken_runs(store, folder):
    store["x"] = CHUNK
    (folder / ".y.npz.123.partial").write_bytes(b"half")
    assert list(store) == ["x"]
    store.clear()
    assert not folder.exists()
    store.clear()


def test_a_catalog_builds_it_and_nothing_is_saved(folder):
    entry = {"type": "msf_kedro.datasets.ClipChunksDataset", "path": str(folder)}
    catalog = DataCatalog.from_config({"x": entry | {"metadata": {"kedro-viz": {}}}})
    assert len(catalog.load("x")) == 0
    assert not folder.exists()
    with pytest.raises(DatasetError, match="not saved to"):
        catalog.save("x", {})
