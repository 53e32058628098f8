"""Versioned artifacts: parquet tables, tensor files, JSON reports and texts, written atomically."""

import json
from abc import abstractmethod
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from mmap import mmap
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pandas as pd
from kedro.io.core import DatasetError, Version
from kedro_datasets._typing import ImagePreview, JSONPreview, TablePreview

from msf_kedro.datasets.schema import Schema
from msf_kedro.runner.files import whole_or_nothing
from msf_kedro.runner.placed import PlacedDataset
from msf_kedro.runner.places import local_copy


class WholeFileDataset(PlacedDataset):
    """A file that is written under another name and then renamed: whole, or not at all.

    On other storage than this machine's it is written here and then copied there; to be read it is
    copied here first.
    """

    def load(self) -> Any:
        with local_copy(self._load_place()) as path:
            return self._read(path)

    def save(self, data: Any) -> None:
        with whole_or_nothing(self._save_place()) as path:
            self._write(data, path)

    @abstractmethod
    def _read(self, path: Path) -> Any: ...

    @abstractmethod
    def _write(self, data: Any, path: Path) -> None: ...


class TableDataset(WholeFileDataset):
    """A pandas table as parquet, with its index if that is named; checked on load and save.

    Args:
        schema: column or index level → kind, `*` for all other columns; see `Schema`.
        key: columns or index levels that are together unique and never missing.

    Raises:
        DatasetError: the table does not fit.
    """

    def __init__(
        self,
        filepath: str,
        version: Version | None = None,
        metadata: dict | None = None,
        schema: dict[str | int, str] | None = None,
        key: list[str | int] | None = None,
    ):
        super().__init__(filepath, version, metadata)
        self._schema = Schema(schema or {}, key or [])

    def _read(self, path: Path) -> pd.DataFrame:
        return self._checked(pd.read_parquet(path))

    def _write(self, data: pd.DataFrame, path: Path) -> None:
        self._checked(data).to_parquet(path, index=_is_named(data))

    def _checked(self, table: pd.DataFrame) -> pd.DataFrame:
        if misfit := self._schema.misfit(table):
            raise DatasetError(f"{self._filepath}: {misfit}")
        return table

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows, for Kedro-Viz."""
        table = self.load().head(nrows)
        table = table.reset_index() if _is_named(table) else table
        return json.loads(table.iloc[:, :24].to_json(orient="split"))


class TorchDataset(WholeFileDataset):
    """Tensors and plain values in nested dictionaries and lists, as a `.pt` file.

    Files are memory-mapped when loaded (`mmap`), and never unpickled into anything but tensors
    and plain values. `Blocks` at the top level of a dictionary are saved as one tensor, which is
    never held in memory. Equal content gives equal bytes.

    Raises:
        DatasetError: a tensor to be saved holds what is not finite.
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
        import torch  # takes a second: only when tensors are really read

        return torch.load(path, map_location="cpu", weights_only=True, mmap=self._mmap)

    def _write(self, data: dict, path: Path) -> None:
        import torch

        for name, tensor in _tensors(data):
            self._check_finite(tensor, name)
        with ExitStack() as scratch:
            whole = {
                name: scratch.enter_context(self._joined(blocks, name, path))
                for name, blocks in _blocks(data)
            }
            data = data | whole if whole else data
            # To an open file: given a path, PyTorch writes the file's name into the file.
            with path.open("wb") as file:
                torch.save(_canonical(data, {}, set()), file)

    @contextmanager
    def _joined(self, blocks: Any, name: str, path: Path) -> Iterator[Any]:
        """The tensor that blocks make up, mapped from a nameless scratch file beside `path`."""
        import torch

        with TemporaryFile(dir=path.parent) as file:
            for block in blocks:
                self._check_finite(block, f"a block of {name}")
                file.write(block.contiguous().view(torch.uint8).numpy())
            file.flush()
            yield torch.frombuffer(mmap(file.fileno(), 0), dtype=blocks.dtype).view(blocks.shape)

    def _check_finite(self, tensor: Any, name: str) -> None:
        # Both ends tell, without a second tensor: what is saved may fill the memory.
        if not tensor.is_floating_point() or not tensor.numel():
            return
        if not all(end.isfinite() for end in tensor.aminmax()):
            bad = int((~tensor.isfinite()).sum())
            raise DatasetError(
                f"{self._filepath}: {name} holds {bad} of {tensor.numel()} values that are"
                " not finite, expected none"
            )

    def preview(self) -> JSONPreview:
        """Shapes, first values and plain values, for Kedro-Viz."""
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


class SVGDataset(TextDataset):
    """A drawing as SVG."""

    def preview(self) -> ImagePreview:
        """The drawing itself, for Kedro-Viz."""
        return f"data:image/svg+xml;base64,{b64encode(self.load().encode()).decode()}"


class PageDataset(TextDataset):
    """An HTML page that needs nothing else."""


def _blocks(data: Any) -> list[tuple[str, Any]]:
    """The items of a dictionary that are `Blocks`."""
    from msf_kedro.clips.blocks import Blocks

    items = data.items() if isinstance(data, dict) else ()
    return [(name, value) for name, value in items if isinstance(value, Blocks)]


def _tensors(data: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The tensors in nested data, with their dotted names."""
    if hasattr(data, "is_floating_point"):
        yield name or "the tensor", data
    elif isinstance(data, dict | list | tuple):
        items = data.items() if isinstance(data, dict) else enumerate(data)
        for key, value in items:
            yield from _tensors(value, f"{name}.{key}" if name else str(key))


def _canonical(data: Any, strings: dict[str, str], storages: set[int]) -> Any:
    """Nested data as it pickles alike whatever of it is the same object in this process.

    Equal strings become one, containers several; every tensor has a memory of its own, its rows
    one after the other. An axis along which a tensor is expanded stays so, and takes no room.

    Args:
        strings: those met so far.
        storages: where the memory of the tensors met so far begins.
    """
    if isinstance(data, str):
        return strings.setdefault(data, data)
    if isinstance(data, dict):
        return {
            _canonical(key, strings, storages): _canonical(value, strings, storages)
            for key, value in data.items()
        }
    if isinstance(data, list | tuple):
        return type(data)(_canonical(value, strings, storages) for value in data)
    if not hasattr(data, "is_floating_point"):
        return data
    return _of_its_own(data, storages)


def _of_its_own(tensor: Any, storages: set[int]) -> Any:
    import torch

    once = [slice(0, 1) if stride == 0 else slice(None) for stride in tensor.stride()]
    single = tensor.detach()[tuple(once)]
    memory = single.untyped_storage()
    whole = single.is_contiguous() and memory.nbytes() == single.nbytes
    if not whole or memory.data_ptr() in storages:
        single = single.clone(memory_format=torch.contiguous_format)
    storages.add(single.untyped_storage().data_ptr())
    # Flat and back, as a tensor's strides along axes of length 1 are arbitrary, and saved.
    return single.flatten().view(single.shape).expand(tensor.shape)


def _is_named(table: pd.DataFrame) -> bool:
    return any(name is not None for name in table.index.names)


def _outline(data: Any) -> Any:
    """Nested data with each tensor replaced by its type, its shape and its first values."""
    if isinstance(data, dict):
        return {str(key): _outline(value) for key, value in data.items()}
    if hasattr(data, "dtype"):
        about = f"{str(data.dtype).removeprefix('torch.')} {tuple(data.shape)}"
        if not data.numel() or not data.ndim:
            return about
        head = data[(0,) * (data.ndim - 1)][:4].tolist()
        return f"{about}: {', '.join(f'{value:.4g}' for value in head)}, …"
    return data
