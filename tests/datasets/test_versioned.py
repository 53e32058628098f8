"""Artifacts on disk: what is saved comes back, whole or not at all, and never as code."""

import json
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io import DataCatalog, DatasetError, Version
from support.sessions import assert_equal

from msf_kedro.clips.blocks import Blocks
from msf_kedro.datasets import JSONDataset, TableDataset, TextDataset, TorchDataset

OLD, NEW = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"
TENSORS = {
    "weights": {"layer.weight": torch.arange(6.0).view(2, 3), "half": torch.ones(2).bfloat16()},
    "classes": [1, 7],
    "name": "joint",
}
TABLE = pd.DataFrame({"name": ["a", "b"], "kept": [True, False], "f0": np.float32([0.5, -1.5])})
REPORT = {"strict": {"mean": 0.25, "values": [0.0, 0.5]}, "seeds": [0, 1], "text": "LB → ∅"}

CASES = [(TorchDataset, "x.pt", TENSORS), (TableDataset, "x.parquet", TABLE)]
CASES += [(JSONDataset, "x.json", REPORT), (TextDataset, "x.md", "| LB | 1 ± 2 |\n")]
every_kind = pytest.mark.parametrize(("kind", "name", "data"), CASES)


def names(folder: Path) -> list[str]:
    """All files below a folder, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def spoil(monkeypatch, kind) -> None:
    """Let the next saves of this kind fail when half is written."""

    def half(self, data, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(kind, "_write", half)


@every_kind
def test_a_plain_file_comes_back(kind, name, data, tmp_path):
    data_set = kind(str(tmp_path / "new folder" / name))
    assert not data_set.exists()
    data_set.save(data)
    assert names(tmp_path) == [f"new folder/{name}"]
    assert data_set.exists()
    assert_equal(data_set.load(), data)
    data_set.save(data)  # over the old one


@every_kind
def test_versions_come_back_one_by_one(kind, name, data, tmp_path):
    path = str(tmp_path / name)
    assert not kind(path, version=Version(None, OLD)).exists()
    for version in (OLD, NEW):
        kind(path, version=Version(None, version)).save(data)
    assert names(tmp_path) == [f"{name}/{OLD}/{name}", f"{name}/{NEW}/{name}"]
    assert_equal(kind(path, version=Version(OLD, None)).load(), data)
    newest = kind(path, version=Version(None, None))
    assert newest.resolve_load_version() == NEW
    assert newest.exists()
    with pytest.raises(DatasetError, match=NEW):
        kind(path, version=Version(None, NEW)).save(data)


@every_kind
def test_a_save_that_fails_leaves_the_old_version_the_newest(
    kind, name, data, tmp_path, monkeypatch
):
    path = str(tmp_path / name)
    kind(path, version=Version(None, OLD)).save(data)
    with monkeypatch.context() as patch:
        spoil(patch, kind)
        with pytest.raises(DatasetError, match="disk full"):
            kind(path, version=Version(None, NEW)).save(data)
    assert names(tmp_path) == [f"{name}/{OLD}/{name}"]
    newest = kind(path, version=Version(None, None))
    assert newest.resolve_load_version() == OLD
    assert newest.exists()
    assert_equal(newest.load(), data)
    kind(path, version=Version(None, NEW)).save(data)  # the second try


@every_kind
def test_a_plain_save_that_fails_keeps_the_old_file(kind, name, data, tmp_path, monkeypatch):
    data_set = kind(str(tmp_path / name))
    data_set.save(data)
    spoil(monkeypatch, kind)
    with pytest.raises(DatasetError, match="disk full"):
        data_set.save(data)
    assert names(tmp_path) == [name]
    assert_equal(data_set.load(), data)


@every_kind
def test_what_was_never_saved_cannot_be_loaded(kind, name, data, tmp_path):
    with pytest.raises(DatasetError):
        kind(str(tmp_path / name), version=Version(None, None)).load()
    with pytest.raises(DatasetError, match=name):
        kind(str(tmp_path / name)).load()


@every_kind
def test_a_catalog_builds_it_with_metadata(kind, name, data, tmp_path):
    entry = {"type": f"msf_kedro.datasets.{kind.__name__}", "filepath": str(tmp_path / name)}
    entry |= {"versioned": True, "metadata": {"kedro-viz": {"layer": "models"}}}
    catalog = DataCatalog.from_config({"x": entry}, save_version=OLD)
    catalog.save("x", data)
    assert names(tmp_path) == [f"{name}/{OLD}/{name}"]
    assert_equal(catalog.load("x"), data)
    assert catalog.get("x").metadata == entry["metadata"]


# --- tensors ---


class Payload:
    """What a hostile pickle would hold."""


@pytest.mark.parametrize("mmap", [True, False])
def test_tensor_files_with_other_objects_are_refused(mmap, tmp_path):
    torch.save({"weights": torch.ones(2), "payload": Payload()}, tmp_path / "x.pt")
    with pytest.raises(DatasetError, match=r"(?s)Weights only load failed.*Payload"):
        TorchDataset(str(tmp_path / "x.pt"), mmap=mmap).load()


@pytest.mark.parametrize("mmap", [True, False])
def test_tensors_are_mapped_and_changes_stay_in_memory(mmap, tmp_path):
    data_set = TorchDataset(str(tmp_path / "x.pt"), mmap=mmap)
    data_set.save({"x": torch.zeros(1000)})
    loaded = data_set.load()["x"]
    maps = Path("/proc/self/maps")
    if maps.exists():  # on Linux
        assert (str(tmp_path / "x.pt") in maps.read_text()) == mmap
    loaded += 1
    assert data_set.load()["x"].sum() == 0


def test_a_mapped_file_may_be_saved_again(tmp_path):
    """The rename leaves the old file to those who still map it."""
    data_set = TorchDataset(str(tmp_path / "x.pt"))
    data_set.save({"x": torch.zeros(1000)})
    old = data_set.load()["x"]
    data_set.save({"x": old + 1})
    assert old.sum() == 0
    assert data_set.load()["x"].sum() == 1000


# --- tensors in blocks ---

BODIES = torch.arange(7 * 5, dtype=torch.float32).view(7, 5)
FIRST = torch.tensor([0, 3, 7])


def in_blocks(
    *cuts: int, shape=(7, 5), dtype=torch.float32, after: Exception | None = None
) -> tuple[Blocks, list]:
    """The bodies in blocks that end at some rows, and a list of what the saving did."""
    did = []

    def rows():
        start = 0
        for end in (*cuts, 7):
            did.append(end)
            yield BODIES[start:end].clone()
            start = end
        if after:
            raise after

    return Blocks(shape, dtype, rows, lambda: did.append("saved")), did


@pytest.mark.parametrize("mmap", [True, False])
def test_blocks_become_a_tensor_as_any_other(mmap, tmp_path):
    data_set = TorchDataset(str(tmp_path / "x.pt"), mmap=mmap)
    blocks, did = in_blocks(2, 2, 3)
    extra = {"first": FIRST, "name": "NTU", "scalar": torch.tensor(0.5)}
    extra |= {"names": ["a", "b"], "more": {"nested": FIRST + 1}}
    data_set.save({"bodies": blocks, **extra})
    assert did == [2, 2, 3, 7, "saved"]
    assert names(tmp_path) == ["x.pt"]
    assert_equal(data_set.load(), {"bodies": BODIES, **extra})
    for mapped in (True, False):
        found = torch.load(tmp_path / "x.pt", weights_only=True, mmap=mapped)
        assert torch.equal(found["bodies"], BODIES)
    data_set.load()["bodies"].zero_()
    assert torch.equal(data_set.load()["bodies"], BODIES), "what is loaded is private"


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (in_blocks(3, after=OSError("disk full")), "disk full"),
        (in_blocks(3, shape=(8, 5)), "the blocks have 7 rows in all, expected 8"),
        (in_blocks(3, shape=(6, 5)), "the blocks have 7 rows in all, expected 6"),
        (in_blocks(3, shape=(7, 4)), r"a block is .*float32 \(3, 5\), expected .* \(7, 4\)"),
        (in_blocks(3, dtype=torch.int32), r"a block is torch\.float32 .*, expected .*torch\.int32"),
    ],
    ids=["failure", "rows missing", "rows left", "width", "type"],
)
def test_blocks_that_fail_or_do_not_fit_leave_no_file(blocks, message, tmp_path):
    data_set = TorchDataset(str(tmp_path / "x.pt"))
    with pytest.raises(DatasetError, match=message):
        data_set.save({"bodies": blocks[0], "first": FIRST})
    assert names(tmp_path) == []
    assert "saved" not in blocks[1]


def resident(*kinds: str) -> int:
    """kB of this process's memory, of some kinds."""
    lines = [line.split() for line in Path("/proc/self/status").read_text().splitlines()]
    return sum(int(line[1]) for line in lines if line[0].rstrip(":") in kinds)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="not on Linux")
def test_large_blocks_are_never_together_in_memory(tmp_path):
    """While they are made none is mapped either; then they are, which memory need not hold."""
    block = torch.ones(2**20)
    made, own, done = [], [], threading.Event()

    def rows():
        for _ in range(64):
            made.append(resident("RssAnon", "RssFile"))
            yield block

    def watch():
        while not done.wait(0.001):
            own.append(resident("RssAnon"))

    def save():
        blocks = Blocks((64 * 2**20,), torch.float32, rows, lambda: None)
        TorchDataset(str(tmp_path / "x.pt")).save({"x": blocks})

    save()  # what only the first time takes
    made.clear()
    before = resident("RssAnon")
    watcher = threading.Thread(target=watch)
    watcher.start()
    save()
    done.set()
    watcher.join()
    assert (tmp_path / "x.pt").stat().st_size > 2**28
    assert len(own) > 10
    for peak in (max(made) - made[0], max(own) - before):
        assert peak < 2**14, "kB; the tensor has 2^18"


# --- tables and reports ---


def test_tables_lose_their_index_and_keep_their_types(tmp_path):
    data_set = TableDataset(str(tmp_path / "x.parquet"))
    table = TABLE.assign(performer=pd.array([1, None], dtype="Int64"))
    data_set.save(table.set_index(pd.Index([5, 9])))
    assert_equal(data_set.load(), table)


def test_tables_hold_arrays(tmp_path):
    """The gates' weights: a column of arrays, empty ones among them."""
    data_set = TableDataset(str(tmp_path / "x.parquet"))
    data_set.save(pd.DataFrame({"weights": [np.array([0.5, 1.0]), np.empty(0)]}))
    weights = data_set.load().weights
    assert [row.tolist() for row in weights] == [[0.5, 1.0], []]
    assert all(row.dtype == np.float64 for row in weights)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_reports_with_what_is_no_number_are_refused(number, tmp_path):
    data_set = JSONDataset(str(tmp_path / "x.json"))
    with pytest.raises(DatasetError, match="JSON compliant"):
        data_set.save({"mean": number})
    assert names(tmp_path) == []


# --- previews in Kedro-Viz ---


def test_previews(tmp_path):
    saved = {}
    for kind, name, data in CASES:
        saved[kind] = kind(str(tmp_path / name))
        saved[kind].save(data)
    assert json.loads(saved[TorchDataset].preview()) == {
        "weights": {"layer.weight": "float32 (2, 3)", "half": "bfloat16 (2,)"},
        "classes": [1, 7],
        "name": "joint",
    }
    assert saved[TableDataset].preview(nrows=1) == {
        "columns": ["name", "kept", "f0"],
        "index": [0],
        "data": [["a", True, 0.5]],
    }
    assert json.loads(saved[JSONDataset].preview()) == REPORT


def test_a_preview_of_a_wide_table_is_narrow(tmp_path):
    data_set = TableDataset(str(tmp_path / "x.parquet"))
    data_set.save(pd.DataFrame(np.zeros((9, 300)), columns=[f"f{i}" for i in range(300)]))
    preview = data_set.preview()
    assert (len(preview["data"]), len(preview["columns"])) == (5, 24)
