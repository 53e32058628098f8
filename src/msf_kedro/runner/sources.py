"""Fingerprints of raw input: files that no node has made, and input that is generated.

A class of datasets that reads anything else than one file or folder says what by a method
`sources() -> dict[str, Path]`: every file it reads, under a name that does not depend on where the
files lie. What else decides its content is its configuration and its code.
"""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, MemoryDataset

from .code import Code
from .files import content_hash, read_json, text_hash, write_json
from .places import Place, StoredPath, place_of
from .plain import plain, texts
from .records import Input

# Of a dataset's configuration: where it is, and what does not change what is read.
IMMATERIAL = {
    *("type", "filepath", "path", "version", "versioned", "metadata", "credentials"),
    *("fs_args", "save_args", "load_version", "save_version"),
}
SETTLED = 2.0  # seconds; a file changed later than that could change again at the same time stamp


@dataclass(frozen=True)
class Seen:
    """A file as it was when it was hashed last."""

    size: int
    changed: int
    hash: str


class Sources:
    """Raw inputs, with a memory of the hashes of their files.

    Args:
        memory: a folder that keeps them, so that only what has changed is read again.
        code: that readers of raw input are made of.
    """

    def __init__(self, memory: Place, code: Code):
        self._memory, self._code = memory, code
        self._known: dict[str, Input] = {}

    def of(
        self,
        name: str,
        dataset: AbstractDataset | None,
        config: dict[str, Any],
        version: Place | None = None,
    ) -> Input | None:
        """A raw input; None if nothing is known of what it holds.

        Args:
            config: the dataset's entry in the catalog.
            version: the file to read, of a dataset with versions.
        """
        if dataset is None or isinstance(dataset, MemoryDataset):
            return None
        if name not in self._known:
            files = {"file": version} if version else sources_of(dataset)
            self._known[name] = self._read(name, type(dataset), config, files)
        return self._known[name]

    def _read(
        self, name: str, reader: type, config: dict[str, Any], files: dict[str, Place]
    ) -> Input:
        config = {key: plain(value) for key, value in config.items() if key not in IMMATERIAL}
        config = {key: value for key, value in config.items() if not _is_place(value)}
        readers = [reader, *(text for text in texts(config) if self._code.covers(text))]
        code = [self._code.reached_by(each) for each in readers]
        seen = self._hashes(name, files)
        content = [config, code, [[key, seen[key].hash] for key in sorted(seen)]]
        newest = max((file.changed for file in seen.values()), default=None)
        return Input(
            name,
            text_hash(json.dumps(content)),
            files=len(seen),
            bytes=sum(file.size for file in seen.values()),
            newest=newest and datetime.fromtimestamp(newest / 1e9, UTC).isoformat("T", "seconds"),
        )

    def _hashes(self, name: str, files: dict[str, Place]) -> dict[str, Seen]:
        if not files:
            return {}
        memory = self._memory / f"{name}.json"
        before = {key: Seen(*entry) for key, entry in (read_json(memory) or {}).items()}
        now, found = time.time(), {}
        for key, file in files.items():
            try:
                status = file.stat()
            except OSError:  # it is gone; loading it will say so
                continue
            known = before.get(key)
            same = known and (known.size, known.changed) == (status.st_size, status.st_mtime_ns)
            digest = known.hash if same else content_hash(file)
            found[key] = Seen(status.st_size, status.st_mtime_ns, digest)
        kept = {k: s for k, s in found.items() if now - s.changed / 1e9 > SETTLED}
        if kept != before:
            entries = {key: [s.size, s.changed, s.hash] for key, s in kept.items()}
            write_json(memory, entries, lasting=False)
        return found


def sources_of(dataset: AbstractDataset) -> dict[str, Place]:
    """The files that a dataset reads, each under a name that does not depend on its place."""
    if hasattr(dataset, "sources"):
        return dataset.sources()
    place: Any = getattr(dataset, "_filepath", None) or getattr(dataset, "_path", None)
    if place is None:
        return {}
    place = place if isinstance(place, StoredPath) else place_of(dataset, place)
    if place.is_dir():
        files = (file for file in sorted(place.rglob("*")) if file.is_file())
        return {file.relative_to(place).as_posix(): file for file in files}
    return {"file": place} if place.is_file() else {}


def _is_place(value: Any) -> bool:
    """Whether a part of a dataset's configuration says where files are, and not what they hold."""
    return isinstance(value, str) and bool(value) and ("://" in value or Path(value).exists())
