"""Paths on this machine, and paths of the same manners on any storage that fsspec reaches.

`place("data/x")` is a `Path`, `place("s3://bucket/x")` a `StoredPath`. Whoever takes a `Place`
uses only what both have.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import total_ordering
from pathlib import Path, PurePath, PurePosixPath
from stat import S_IFDIR, S_IFREG
from typing import Any, NamedTuple

import fsspec
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem


class Status(NamedTuple):
    """What is known of a stored file, under the names that `os.stat` has for it."""

    st_mode: int
    st_size: int
    st_mtime_ns: int


@total_ordering
@dataclass(frozen=True)
class StoredPath:
    """A path on a file system of fsspec's, with the part of `pathlib.Path` that is needed here.

    Folders are there as long as something is in them; files appear whole, when all is written.
    """

    fs: AbstractFileSystem
    inner: PurePosixPath

    def __str__(self) -> str:
        return self.fs.unstrip_protocol(str(self.inner))

    def __lt__(self, other: "StoredPath") -> bool:
        return self.inner < other.inner

    def __truediv__(self, below: str | PurePath) -> "StoredPath":
        return StoredPath(self.fs, self.inner / below)

    name = property(lambda self: self.inner.name)
    stem = property(lambda self: self.inner.stem)
    suffix = property(lambda self: self.inner.suffix)
    parts = property(lambda self: self.inner.parts)
    parent = property(lambda self: StoredPath(self.fs, self.inner.parent))

    def with_name(self, name: str) -> "StoredPath":
        return StoredPath(self.fs, self.inner.with_name(name))

    def as_posix(self) -> str:
        return str(self)

    def absolute(self) -> "StoredPath":
        return self

    def relative_to(self, folder: "StoredPath") -> PurePosixPath:
        return self.inner.relative_to(folder.inner)

    def exists(self) -> bool:
        return self.fs.exists(str(self.inner))

    def is_file(self) -> bool:
        return self.fs.isfile(str(self.inner))

    def is_dir(self) -> bool:
        return self.fs.isdir(str(self.inner))

    def stat(self) -> Status:
        """Raises FileNotFoundError."""
        info = self.fs.info(str(self.inner))
        if info["type"] == "directory":
            return Status(S_IFDIR, 0, 0)
        changed = self.fs.modified(str(self.inner))
        return Status(S_IFREG, info["size"], round(changed.timestamp() * 1e9))

    def open(self, mode: str = "r", **kwargs: Any) -> Any:
        return self.fs.open(str(self.inner), mode, **kwargs)

    def read_bytes(self) -> bytes:
        return self.fs.cat_file(str(self.inner))

    def read_text(self, encoding: str = "utf-8") -> str:
        return self.read_bytes().decode(encoding)

    def mkdir(self, parents: bool = True, exist_ok: bool = True) -> None:
        """Folders need not be made."""

    def rmdir(self) -> None:
        """Folders need not be removed."""

    def unlink(self, missing_ok: bool = False) -> None:
        if self.exists():  # some storage does not say that nothing was there
            self.fs.rm_file(str(self.inner))
        elif not missing_ok:
            raise FileNotFoundError(str(self))

    def iterdir(self) -> Iterator["StoredPath"]:
        return self.glob("*")

    def glob(self, pattern: str) -> Iterator["StoredPath"]:
        found = self.fs.glob(f"{self.inner}/{pattern}")
        return (StoredPath(self.fs, PurePosixPath(path)) for path in found)

    def rglob(self, pattern: str) -> Iterator["StoredPath"]:
        """Files only."""
        found = (StoredPath(self.fs, PurePosixPath(path)) for path in self.fs.find(str(self.inner)))
        return (path for path in found if fnmatch(path.name, pattern))


Place = Path | StoredPath


def place(text: str | PurePath | StoredPath) -> Place:
    """The path that a text means.

    Who may read where, and endpoints, are said by the environment, as fsspec and the storage's own
    library read it, and not in the catalog.
    """
    if isinstance(text, StoredPath):
        return text
    protocol, separator, path = str(text).partition("://")
    if not separator or protocol in ("file", "local"):
        return Path(path if separator else text)
    # What others have written since must be seen.
    fs = fsspec.filesystem(protocol, use_listings_cache=False)
    return StoredPath(fs, PurePosixPath(fs._strip_protocol(str(text))))


def place_of(dataset: Any, path: PurePath | str) -> Place:
    """Where a path of a dataset's is, by the file system that the dataset reads through."""
    fs = getattr(dataset, "_fs", None) or getattr(dataset, "_filesystem", None)
    if fs is None or isinstance(fs, LocalFileSystem) or "://" in str(path):
        return place(path)
    return StoredPath(fs, PurePosixPath(path))


def relative(path: str, folder: Place) -> str:
    """A path as seen from a folder; raises ValueError if no such way leads there."""
    target = place(path)
    if isinstance(target, StoredPath) != isinstance(folder, StoredPath):
        raise ValueError(f"{path} and {folder} are not on one storage")
    if isinstance(target, StoredPath):
        return os.path.relpath(f"/{target.inner}", f"/{folder.inner}").replace(os.sep, "/")
    return Path(os.path.relpath(target, folder)).as_posix()


def joined(folder: Place, path: str) -> Place:
    """Where a relative path leads to from a folder."""
    if "://" in path:
        return place(path)
    if isinstance(folder, StoredPath):
        return StoredPath(folder.fs, PurePosixPath(os.path.normpath(folder.inner / path)))
    return Path(os.path.normpath(folder / path))


def remove_tree(folder: Place) -> None:
    """Remove a folder, if it is there, with all that is in it."""
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.exists():
        folder.fs.rm(str(folder.inner), recursive=True)


@contextmanager
def local_copy(path: Place) -> Iterator[Path]:
    """A file or folder on this machine; of a stored one a copy, which is removed afterwards.

    What has mapped a file keeps it after that.
    """
    if isinstance(path, Path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        path.fs.get(str(path.inner), str(copy), recursive=path.is_dir())
        yield copy


@contextmanager
def uploaded(target: StoredPath) -> Iterator[Path]:
    """A path on this machine to write a file or folder to, which is then copied to the storage."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / target.name
        yield written
        target.fs.makedirs(str(target.inner.parent), exist_ok=True)
        target.fs.put(str(written), str(target.inner), recursive=written.is_dir())
