"""Versioned artifacts: parquet tables, tensor files, JSON reports, texts; each written whole."""

import json
import mmap
import os
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
from kedro.io.core import AbstractVersionedDataset, DatasetError, Version
from kedro_datasets._typing import JSONPreview, TablePreview

IN_MEMORY = 2**26  # bytes; Blocks of no more are put together and saved as any tensor


@contextmanager
def whole_or_nothing(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; it takes its place if all goes well, or is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


class WholeFileDataset(AbstractVersionedDataset):
    """A local file that is written beside its place and then renamed: whole, or not at all."""

    def __init__(self, filepath: str, version: Version | None = None, metadata: dict | None = None):
        super().__init__(filepath=PurePosixPath(filepath), version=version)
        self.metadata = metadata  # read by Kedro-Viz

    def load(self) -> Any:
        return self._read(Path(self._get_load_path()))

    def save(self, data: Any) -> None:
        with whole_or_nothing(Path(self._get_save_path())) as path:
            self._write(data, path)
        self._saved(data)

    @abstractmethod
    def _read(self, path: Path) -> Any: ...

    @abstractmethod
    def _write(self, data: Any, path: Path) -> None: ...

    def _saved(self, data: Any) -> None:
        """What is to be done when the file has its place."""

    def _exists(self) -> bool:
        try:
            return Path(self._get_load_path()).is_file()
        except DatasetError:  # no version has been saved
            return False

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}


class TableDataset(WholeFileDataset):
    """A pandas table as parquet, without its index."""

    def _read(self, path: Path) -> pd.DataFrame:
        return pd.read_parquet(path)

    def _write(self, data: pd.DataFrame, path: Path) -> None:
        data.to_parquet(path, index=False)

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows, for Kedro-Viz."""
        table = self.load().iloc[:nrows, :24]
        return json.loads(table.to_json(orient="split"))


class TorchDataset(WholeFileDataset):
    """Tensors and plain values in nested dictionaries and lists, as a `.pt` file.

    Files are memory-mapped when loaded (`mmap`), and never unpickled into anything but tensors
    and plain values. A dictionary may hold `Blocks`: they become a tensor in the file, as any
    other, that is never whole in memory.
    """

    def __init__(
        self,
        filepath: str,
        mmap: bool = True,
        version: Version | None = None,
        metadata: dict | None = None,
    ):
        super().__init__(filepath, version, metadata)
        self._mmap = mmap

    def _read(self, path: Path) -> dict:
        import torch  # takes a second: only where tensors are really read

        return torch.load(path, map_location="cpu", weights_only=True, mmap=self._mmap)

    def _write(self, data: dict, path: Path) -> None:
        import torch

        blocks = _blocks(data)
        if sum(value.nbytes for value in blocks.values()) > IN_MEMORY:
            _write_in_blocks(data, blocks, path)
        else:
            whole = {name: value.tensor() for name, value in blocks.items()}
            torch.save(data | whole if whole else data, path)

    def _saved(self, data: dict) -> None:
        for blocks in _blocks(data).values():
            blocks.saved()

    def preview(self) -> JSONPreview:
        """Shapes and plain values, for Kedro-Viz."""
        return json.dumps(_outline(self.load()))


class JSONDataset(WholeFileDataset):
    """A report as JSON."""

    def _read(self, path: Path) -> Any:
        return json.loads(path.read_text())

    def _write(self, data: Any, path: Path) -> None:
        path.write_text(json.dumps(data, indent=2, allow_nan=False) + "\n")

    def preview(self) -> JSONPreview:
        """The report itself, for Kedro-Viz."""
        return json.dumps(self.load())


class TextDataset(WholeFileDataset):
    """A text, such as a Markdown or HTML page, as UTF-8."""

    def _read(self, path: Path) -> str:
        return path.read_text(encoding="utf-8")

    def _write(self, data: str, path: Path) -> None:
        path.write_text(data, encoding="utf-8")


def _blocks(data: Any) -> dict[str, Any]:
    """Those of a dictionary's values that are `Blocks`."""
    from msf_kedro.clips.blocks import Blocks

    items = data.items() if isinstance(data, dict) else ()
    return {name: value for name, value in items if isinstance(value, Blocks)}


def _write_in_blocks(data: dict, blocks: dict[str, Any], path: Path) -> None:
    """Write what `torch.save` would, with room for the tensors; then map it and fill them.

    Such a file holds no check sums of the tensors; PyTorch does not look at them.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    if nested := [name for name, value in data.items() if isinstance(value, dict | list)]:
        raise DatasetError(f"{nested}: beside Blocks only tensors and plain values can be saved")
    with FakeTensorMode():
        room = {name: torch.empty(b.shape, dtype=b.dtype) for name, b in blocks.items()}
    with torch.serialization.skip_data(materialize_fake_tensors=True):
        torch.save(data | room, path)
    _reserve(path)
    for name, value in data.items():
        if name in blocks:
            _fill(path, name, blocks[name])
        elif isinstance(value, torch.Tensor):
            _mapped(path, name).copy_(value)


def _fill(path: Path, name: str, blocks: Any) -> None:
    """Copy blocks into their tensor in the file; each is mapped anew, or all would stay mapped."""
    row = 0
    for block in blocks.rows():
        _mapped(path, name)[row : row + len(block)].copy_(block)
        row += len(block)
    if row != blocks.shape[0]:
        raise DatasetError(f"{name}: its blocks have {row} rows, expected {blocks.shape[0]}")


def _mapped(path: Path, name: str) -> Any:
    """A tensor of a file; what is written to it is written to the file."""
    import torch

    with torch.serialization.set_default_mmap_options(mmap.MAP_SHARED):
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)[name]


def _reserve(path: Path) -> None:
    """Let a full disk be an error now: where a mapped file cannot grow, the process is killed."""
    if hasattr(os, "posix_fallocate"):  # on Linux
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _outline(data: Any) -> Any:
    """Nested data with each tensor replaced by its type and shape."""
    if isinstance(data, dict):
        return {str(key): _outline(value) for key, value in data.items()}
    if hasattr(data, "dtype"):
        return f"{str(data.dtype).removeprefix('torch.')} {tuple(data.shape)}"
    return data
