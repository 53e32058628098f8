"""Artifacts on disk: what is saved comes back, whole or not at all, and never as code."""

import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io import DataCatalog, DatasetError, Version
from support.sessions import ROOT, assert_equal
from support.versions import NEW, OLD, save_and_load_versions

from msf_kedro.clips.blocks import Blocks
from msf_kedro.datasets import JSONDataset, TableDataset, TextDataset, TorchDataset

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
    save_and_load_versions(kind, path, data)
    assert names(tmp_path) == [f"{name}/{OLD}/{name}", f"{name}/{NEW}/{name}"]


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

    return Blocks(shape, dtype, rows), did


@pytest.mark.parametrize("mmap", [True, False])
def test_blocks_become_a_tensor_as_any_other(mmap, tmp_path):
    data_set = TorchDataset(str(tmp_path / "x.pt"), mmap=mmap)
    blocks, did = in_blocks(2, 2, 3)
    extra = {"first": FIRST, "name": "NTU", "scalar": torch.tensor(0.5)}
    extra |= {"names": ["a", "b"], "more": {"nested": FIRST + 1}}
    data_set.save({"bodies": blocks, **extra})
    assert did == [2, 2, 3, 7]
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


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_tensors_that_are_not_finite_are_refused_by_name_and_number(bad, tmp_path):
    data_set = TorchDataset(str(tmp_path / "x.pt"))
    weights = torch.zeros(2, 3)
    weights[1, :2] = bad
    saved = {"none": torch.empty(0), "state": {"first": FIRST, "layers": [FIRST, weights.half()]}}
    message = r"x\.pt: state\.layers\.1 holds 2 of 6 values that are not finite, expected none"
    with pytest.raises(DatasetError, match=message):
        data_set.save(saved)
    large = {"x": torch.full((2, 2), 3e38), "most": [torch.tensor(3e38).double() * 1e200]}
    data_set.save(large)
    assert_equal(data_set.load(), large)


def test_blocks_that_are_not_finite_are_refused(tmp_path):
    def rows():
        yield BODIES
        yield BODIES / 0

    blocks = Blocks((14, 5), torch.float32, rows)
    message = r"x\.pt: a block of bodies holds 35 of 35 values that are not finite"
    with pytest.raises(DatasetError, match=message):
        TorchDataset(str(tmp_path / "x.pt")).save({"bodies": blocks})
    assert names(tmp_path) == []


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
        blocks = Blocks((64 * 2**20,), torch.float32, rows)
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


# --- equal content, equal bytes ---


def content(alike: bool) -> dict:
    """Tensors and values; `alike` says whether equal parts are one object, and lie in one memory.

    Otherwise they are views of others, of other strides, and strings made one by one.
    """
    rows = torch.arange(12.0).view(3, 4)
    if alike:
        name, both, row = "joint", [rows, rows], rows[:1].contiguous()
        parts = {"name": name, name: both, "names": [name, name], "row": row}
        return parts | {"wide": row.expand(9, 4)}
    names = ["".join(["jo", "int"]) for _ in range(4)]
    padded, columns = torch.zeros(5, 4), rows.t().contiguous()
    padded[1:4] = rows
    row = torch.zeros(4, 1, 7)[:, :, 3].t() + rows[:1]
    parts = {"name": names[0], names[1]: [padded[1:4], columns.t()], "names": names[2:]}
    return parts | {"row": row, "wide": row.clone().expand(9, 4)}


def test_how_content_lies_in_memory_does_not_matter(tmp_path):
    assert_equal(content(True), content(False))
    files = [tmp_path / "first" / "x.pt", tmp_path / "second" / "y.pt"]
    for file, alike in zip(files, (True, False), strict=True):
        TorchDataset(str(file)).save(content(alike))
    assert files[0].read_bytes() == files[1].read_bytes()
    assert_equal(TorchDataset(str(files[1])).load(), content(True))
    TorchDataset(str(files[0])).save(TorchDataset(str(files[1])).load())
    assert files[0].read_bytes() == files[1].read_bytes()
    blocks, _ = in_blocks(2, 3)
    for file, bodies in zip(files, (blocks, BODIES), strict=True):
        TorchDataset(str(file)).save({"bodies": bodies, "first": FIRST})
    assert files[0].read_bytes() == files[1].read_bytes()


def test_an_expanded_tensor_takes_the_room_of_one_and_a_view_its_own(tmp_path):
    data_set = TorchDataset(str(tmp_path / "x.pt"))
    data_set.save({"x": torch.zeros(1, 1000).expand(1000, 1000), "y": torch.zeros(1000, 1000)[0]})
    assert (tmp_path / "x.pt").stat().st_size < 20_000
    assert data_set.load()["x"].shape == (1000, 1000)


def test_content_that_differs_gives_other_bytes(tmp_path):
    files = []
    for number, change in enumerate(({}, {"name": "bone"}, {"row": torch.ones(1, 4)})):
        files.append(tmp_path / f"{number}.pt")
        TorchDataset(str(files[-1])).save(content(True) | change)
    assert len({file.read_bytes() for file in files}) == 3


SAVED_BY_A_PROCESS = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
import test_versioned
test_versioned.save_one_of_each(Path(sys.argv[1]))
"""


def save_one_of_each(folder: Path) -> None:
    for kind, name, data in CASES:
        kind(str(folder / name)).save(data)
    TorchDataset(str(folder / "blocks.pt")).save({"bodies": in_blocks(2, 3)[0], "first": FIRST})
    index = pd.MultiIndex.from_product([[1, 2], ["a", "b"]], names=["seed", "name"])
    table = pd.DataFrame({"f0": np.arange(4.0), "text": pd.array(["x", None] * 2, "string")}, index)
    TableDataset(str(folder / "indexed.parquet")).save(table)


def test_two_processes_write_the_same_bytes(tmp_path):
    for folder, seed in (("first", "1"), ("second", "2")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": seed}
        paths = [ROOT / "src", ROOT / "tests", ROOT / "tests" / "datasets"]
        command = [sys.executable, "-c", SAVED_BY_A_PROCESS, tmp_path / folder, *paths]
        subprocess.run(list(map(str, command)), env=environment, check=True)
    files = names(tmp_path / "first")
    assert len(files) == 6
    for name in files:
        contents = [(tmp_path / folder / name).read_bytes() for folder in ("first", "second")]
        assert contents[0] == contents[1], name


# --- tables and reports ---


def test_tables_keep_their_types(tmp_path):
    data_set = TableDataset(str(tmp_path / "x.parquet"))
    table = TABLE.assign(performer=pd.array([1, None], dtype="Int64"))
    data_set.save(table)
    assert_equal(data_set.load(), table)


def test_tables_hold_arrays(tmp_path):
    """The gates' weights: a column of arrays, empty ones among them."""
    data_set = TableDataset(str(tmp_path / "x.parquet"))
    data_set.save(pd.DataFrame({"weights": [np.array([0.5, 1.0]), np.empty(0)]}))
    weights = data_set.load().weights
    assert [row.tolist() for row in weights] == [[0.5, 1.0], []]
    assert all(row.dtype == np.float64 for row in weights)
    strict = checked(tmp_path, {"weights": "vector"})
    strict.save(data_set.load())
    with pytest.raises(DatasetError, match="column 'weights' holds object values, expected vector"):
        strict.save(pd.DataFrame({"weights": [np.array([0.5, np.nan]), np.empty(0)]}))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_reports_with_what_is_no_number_are_refused(number, tmp_path):
    data_set = JSONDataset(str(tmp_path / "x.json"))
    with pytest.raises(DatasetError, match="JSON compliant"):
        data_set.save({"mean": number})
    assert names(tmp_path) == []


# --- tables: index, schema, key ---


def test_a_named_index_is_kept_and_any_other_is_not(tmp_path):
    data_set = TableDataset(str(tmp_path / "x.parquet"))
    data_set.save(TABLE.set_index(pd.Index([5, 9])))
    assert_equal(data_set.load(), TABLE)
    classes = pd.Index([3, 12], name="class_id")
    logits = pd.DataFrame(np.eye(2, dtype="f4"), pd.Index(["a", "b"], name="name"), classes)
    several = pd.concat({(1, 0): logits, (2, 0): logits}, names=["candidate", "seed"])
    for table in (logits, several):
        data_set.save(table)
        assert_equal(data_set.load(), table)
        assert data_set.load().columns.tolist() == [3, 12], "numbers stay numbers"


CHECKED = pd.DataFrame(
    {
        "name": ["a", "b", "c"],
        "seed": [0, 0, 1],
        "performer": pd.array([1, 2, None], dtype="Int64"),
        "kept": [True, False, True],
        "reason": pd.array(["bad", None, None], dtype="string"),
        "f0": np.float32([0.5, 1, 2]),
    }
)
KINDS = {
    "name": "string", "seed": "integer", "performer": "integer", "kept": "boolean",
    "reason": "string", "f0": "finite",
}  # fmt: skip


def checked(path: Path, schema: dict, key: list | None = None) -> TableDataset:
    return TableDataset(str(path / "x.parquet"), schema=schema, key=key)


@pytest.mark.parametrize("index", [[], ["name"], ["seed", "name"]], ids=len)
@pytest.mark.parametrize("key", [[], ["name"], ["seed", "name"]], ids=len)
def test_a_table_that_fits_passes_with_its_key_in_columns_or_index(index, key, tmp_path):
    table = CHECKED.set_index(index) if index else CHECKED
    data_set = checked(tmp_path, KINDS, key)
    data_set.save(table)
    assert_equal(data_set.load(), table)
    checked(tmp_path, {"name": "string"}).save(table)  # other columns may be of any kind
    checked(tmp_path, KINDS | {"*": "string"}).save(table)  # there is no other


@pytest.mark.parametrize(
    ("change", "schema", "key", "message"),
    [
        ({"name": [1, 2, 3]}, KINDS, [], "column 'name' holds int64 values, expected string ones"),
        ({"name": ["a", "b", 3]}, KINDS, [], "column 'name' holds object values, expected string"),
        ({"seed": [0.0, 1, 2]}, KINDS, [], "column 'seed' holds float64 .*, expected integer ones"),
        ({"kept": [0, 1, 1]}, KINDS, [], "column 'kept' holds int64 values, expected boolean ones"),
        ({"f0": list("xyz")}, KINDS, [], "column 'f0' holds .* values, expected finite ones"),
        ({"f0": [0, np.nan, 0]}, KINDS, [], "column 'f0' holds 1 of 3 values that are not finite"),
        ({"f0": [0, np.inf, -np.inf]}, KINDS, [], "'f0' holds 2 of 3 values that are not finite"),
        ({}, {"performer": "finite"}, [], "'performer' holds 1 of 3 values that are not finite"),
        ({"f0": [True] * 3}, {"f0": "number"}, [], "holds bool values, expected number ones"),
        ({"more": ["x"] * 3}, KINDS | {"*": "number"}, [], "column 'more' holds .* number ones"),
        ({}, KINDS | {"side": "string"}, [], r"no column 'side', expected one beside \['name'"),
        ({}, {}, ["candidate"], r"no column 'candidate', expected one beside \['name', 'seed'"),
        ({"name": list("aba")}, {}, ["name"], r"row 3 of 3 has \{'name': 'a'\}, expected every na"),
        ({"name": list("aab")}, {}, ["seed", "name"], "row 2 of 3 .*expected every seed, name onc"),
        ({"name": ["a", None, "b"]}, {}, ["name"], "row 2 of 3 .*name once and none missing"),
        ({}, {}, ["performer"], "row 3 of 3 .*expected every performer once and none missing"),
    ],
)
@pytest.mark.parametrize("index", [[], ["name", "seed"]], ids=len)
def test_a_table_that_does_not_fit_is_neither_saved_nor_loaded(
    index, change, schema, key, message, tmp_path
):
    table = CHECKED.assign(**change)
    table = table.set_index(index) if index else table
    if index and "one beside" in message:
        message = message.partition(" beside")[0]
    with pytest.raises(DatasetError, match=f"x.parquet: .*{message}"):
        checked(tmp_path, schema, key).save(table)
    assert names(tmp_path) == []
    if "object" not in message:  # parquet refuses what is neither text nor number
        checked(tmp_path, {}).save(table)
        with pytest.raises(DatasetError, match=f"x.parquet: .*{message}"):
            checked(tmp_path, schema, key).load()


def test_integer_columns_are_meant_by_the_star_and_an_empty_table_may_lack_all_rows(tmp_path):
    logits = pd.DataFrame(np.eye(2), pd.Index(["a", "b"], name="name"), [3, 12])
    data_set = checked(tmp_path, {"name": "string", "*": "finite"}, ["name"])
    for table in (logits, logits.iloc[:0], logits[[]]):
        data_set.save(table)
        assert data_set.load().shape == table.shape
    with pytest.raises(DatasetError, match="column 12 holds 1 of 2 values that are not finite"):
        data_set.save(logits.replace({12: {1.0: np.nan}}))


def test_an_unknown_kind_is_refused_by_the_catalog():
    entry = {"type": "msf_kedro.datasets.TableDataset", "filepath": "x", "schema": {"a": "int"}}
    with pytest.raises(DatasetError, match=r"schema has kinds \['int'\], expected some of .*'int"):
        DataCatalog.from_config({"x": entry}).get("x")


# --- previews in Kedro-Viz ---


def test_previews(tmp_path):
    saved = {}
    for kind, name, data in CASES:
        saved[kind] = kind(str(tmp_path / name))
        saved[kind].save(data)
    assert json.loads(saved[TorchDataset].preview()) == {
        "weights": {"layer.weight": "float32 (2, 3): 0, 1, 2, …", "half": "bfloat16 (2,): 1, 1, …"},
        "classes": [1, 7],
        "name": "joint",
    }
    assert saved[TableDataset].preview(nrows=1) == {
        "columns": ["name", "kept", "f0"],
        "index": [0],
        "data": [["a", True, 0.5]],
    }
    saved[TableDataset].save(TABLE.set_index(["name", "kept"]))
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
