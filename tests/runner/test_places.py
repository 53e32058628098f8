"""Paths on other storage have the manners of `pathlib.Path`."""

import pickle
from pathlib import Path

import pytest

from msf_kedro.runner.files import (
    content_hash,
    read_json,
    remove_partial,
    size,
    whole_or_nothing,
    write_json,
)
from msf_kedro.runner.locks import WorkLock, is_held
from msf_kedro.runner.places import StoredPath, joined, local_copy, place, relative, remove_tree


@pytest.fixture(params=["here", "memory", "s3"])
def folder(request, tmp_path):
    """A folder of this machine, then some of other storage."""
    if request.param == "here":
        return tmp_path
    root = request.getfixturevalue("s3") if request.param == "s3" else "memory://"
    return place(f"{root}/{tmp_path.name}")


def test_files_are_written_found_and_removed(folder):
    file = folder / "a" / "x.json"
    assert not file.exists()
    assert read_json(file) is None
    write_json(file, {"x": 1})
    write_json(file.with_name("y.txt"), 2)
    assert read_json(file) == {"x": 1}
    assert (file.name, file.stem, file.suffix) == ("x.json", "x", ".json")
    assert file.is_file()
    assert file.parent.is_dir()
    assert not file.is_dir()
    assert file.stat().st_size == size(file) == len(file.read_bytes())
    assert size(folder / "a") == size(file) + size(file.with_name("y.txt"))
    assert sorted(file.parent.iterdir()) == sorted(file.parent.glob("*"))
    assert list(folder.glob("*/x.json")) == list(folder.rglob("*.json")) == [file]
    assert file.relative_to(folder).as_posix() == "a/x.json"
    assert place(str(file)) == file
    assert pickle.loads(pickle.dumps(file)) == file
    file.unlink()
    file.unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        file.unlink()
    with pytest.raises(FileNotFoundError):
        file.stat()
    remove_tree(folder / "a")
    remove_tree(folder / "a")
    assert not (folder / "a").exists()


def test_content_counts_and_not_the_place(folder, tmp_path):
    for root in (folder / "one", tmp_path / "two"):
        write_json(root / "a.json", 1)
        write_json(root / "b" / "c.json", 2)
    assert content_hash(folder / "one") == content_hash(tmp_path / "two")
    assert content_hash(folder / "one" / "a.json") != content_hash(folder / "one/b/c.json")


def test_a_write_that_fails_leaves_what_was_there(folder):
    write_json(folder / "x.json", "old")
    with pytest.raises(OSError, match="full"), whole_or_nothing(folder / "x.json") as path:  # noqa: PT012
        path.write_text("half")
        raise OSError("disk full")
    assert read_json(folder / "x.json") == "old"
    assert remove_partial(folder) == []
    assert [file.name for file in folder.rglob("*")] == ["x.json"]


def test_ways_between_files_are_the_same_everywhere(folder):
    file, other = folder / "a/v1/x.pt", folder / "b/c/v2/y.pt"
    way = relative(str(other), file.parent)
    assert way == "../../b/c/v2/y.pt"
    assert joined(file.parent, way) == other


def test_no_way_leads_from_one_storage_to_another(tmp_path):
    with pytest.raises(ValueError, match="not on one storage"):
        relative("memory://x", tmp_path)


def test_a_copy_is_here_as_long_as_it_is_used(folder):
    write_json(folder / "a" / "x.json", 1)
    for what, file in (("a/x.json", ""), ("a", "x.json")):
        with local_copy(folder / what) as copy:
            assert isinstance(copy, Path)
            assert read_json(copy / file if file else copy) == 1
        assert copy.exists() == isinstance(folder, Path)


def test_a_lock_is_held_wherever_it_stands_for(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("KEDRO_LOCKS", str(tmp_path / "locks"))
    lock = WorkLock(folder / "x" / ".lock", "me")
    assert not is_held(folder / "x" / ".lock")
    lock.acquire("x")
    assert is_held(folder / "x" / ".lock")
    assert not is_held(folder / "y" / ".lock")
    lock.release()
    assert not is_held(folder / "x" / ".lock")
    assert not isinstance(folder, StoredPath) or not (folder / "x").exists()
