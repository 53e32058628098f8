"""Checkpoints that others have released: PyTorch files, read only."""

import zipfile
from pathlib import Path
from typing import Any

from kedro.io.core import AbstractDataset, DatasetError

from msf_kedro.datasets.files import check_file
from msf_kedro.runner.places import local_copy, place

HINT = "give the file with --params=checkpoint=FILE (docs/ntu.md)"


class ReleasedShiftGCNDataset(AbstractDataset):
    """A state dict of Shift-GCN's release; only tensors and plain values are unpickled.

    Args:
        filepath: of the checkpoint; None for none, which is an error when it is loaded.
        max_bytes: of the file.

    Raises:
        DatasetError: on load, if no file is given, it cannot be read, or it holds anything but a
            released Shift-GCN.
    """

    def __init__(self, filepath: str | None, max_bytes: int, metadata: dict | None = None):
        self._path = place(filepath) if filepath else None
        self._max_bytes = max_bytes
        self.metadata = metadata  # read by Kedro-Viz

    def load(self) -> dict[str, Any]:
        import torch  # takes seconds

        from msf_kedro.released.checkpoint import convert

        if self._path is None:
            raise DatasetError(f"this run needs a released checkpoint: {HINT}")
        try:
            check_file(self._path, self._max_bytes, "max_bytes of released_checkpoint")
        except ValueError as error:
            raise DatasetError(f"checkpoint {error}; {HINT}") from error
        try:
            with local_copy(self._path) as path:
                packed = _is_packed(path)
                state_dict = (
                    None if packed else torch.load(path, map_location="cpu", weights_only=True)
                )
        except Exception as error:  # a damaged or foreign file can make PyTorch raise anything
            raise DatasetError(
                f"checkpoint {self._path}: not a PyTorch file of tensors alone"
                f" ({type(error).__name__}); download it again, or, if it holds other objects and"
                " you trust its source, load it in Python and save its state dict with torch.save"
            ) from error
        if packed:
            raise DatasetError(
                f"checkpoint {self._path}: an archive that is larger unpacked, which PyTorch's own"
                " never are; download it again"
            )
        try:
            convert(state_dict)
        except ValueError as error:
            raise DatasetError(f"checkpoint {self._path}: {error}") from error
        return state_dict

    def save(self, data: Any) -> None:
        raise DatasetError("released checkpoints are read only")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._path and str(self._path)}


def _is_packed(path: Path) -> bool:
    """Whether a file is a zip archive with more in it than its size; PyTorch's own are not."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return sum(record.file_size for record in archive.infolist()) > path.stat().st_size
