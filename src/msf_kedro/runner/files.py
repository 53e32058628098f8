"""Files that are written whole or not at all, and hashes of what they hold."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .places import Place, StoredPath, uploaded

PARTIAL = ".partial"  # the end of the names of files that are being written


@contextmanager
def whole_or_nothing(target: Place, lasting: bool = True) -> Iterator[Path]:
    """A path on this machine to write to; it replaces `target` if all goes well.

    It is beside `target`, or if that is on another storage, a file to be copied there.

    Args:
        lasting: whether the content is on the disk before the name is, so that a power failure
            leaves no empty file; False for what may be lost.
    """
    if isinstance(target, StoredPath):
        with uploaded(target) as path:
            yield path
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}{PARTIAL}")
    try:
        yield partial
        if lasting:
            _flush(partial)
        partial.replace(target)
        if lasting:
            _flush(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def remove_partial(folder: Place) -> list[Path]:
    """Remove what killed processes have left half-written in a folder; gives what it was."""
    if isinstance(folder, StoredPath):  # where nothing is half-written
        return []
    left = [path for path in folder.glob(f".*{PARTIAL}") if path.is_file()]
    for path in left:
        path.unlink(missing_ok=True)
    return left


def write_json(target: Place, content: Any, lasting: bool = True) -> None:
    """Write a JSON file, whole or not at all."""
    with whole_or_nothing(target, lasting) as path:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_json(file: Place) -> Any | None:
    """What a JSON file holds; None if there is none, or it is damaged."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def content_hash(path: Place) -> str:
    """SHA-256 of a file, or of the names and contents of all files in a folder."""
    if path.is_dir():
        parts = [
            [file.relative_to(path).as_posix(), content_hash(file)]
            for file in sorted(path.rglob("*"))
            if file.is_file() and not file.name.endswith(PARTIAL)
        ]
        return text_hash(json.dumps(parts))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def text_hash(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def size(path: Place) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def _flush(path: Path) -> None:
    """Have the system write a file, or a folder's names, to the disk."""
    with suppress(OSError):  # some file systems cannot flush a folder
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
