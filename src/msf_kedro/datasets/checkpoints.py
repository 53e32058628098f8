"""Checkpoints that others have released: PyTorch files, read only."""

from pathlib import Path
from typing import Any

from kedro.io.core import AbstractDataset, DatasetError

HINT = "give the file with --params=checkpoint=FILE (docs/ntu.md)"


class ReleasedShiftGCNDataset(AbstractDataset):
    """A state dict of Shift-GCN's release; only tensors and plain values are unpickled.

    Raises:
        DatasetError: on load, if no file is given, it cannot be read, or it holds anything but a
            released Shift-GCN.
    """

    def __init__(self, filepath: str | None, metadata: dict | None = None):
        self._path = Path(filepath) if filepath else None
        self.metadata = metadata  # read by Kedro-Viz

    def load(self) -> dict[str, Any]:
        import torch  # takes seconds

        from msf_kedro.released.checkpoint import convert

        if self._path is None:
            raise DatasetError(f"this run needs a released checkpoint: {HINT}")
        if not self._path.is_file():
            raise DatasetError(f"checkpoint {self._path}: there is no such file; {HINT}")
        try:
            state_dict = torch.load(self._path, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged or foreign file can make PyTorch raise anything
            raise DatasetError(
                f"checkpoint {self._path}: not a PyTorch file of tensors alone"
                f" ({type(error).__name__}); download it again, or, if it holds other objects and"
                " you trust its source, load it in Python and save its state dict with torch.save"
            ) from error
        try:
            convert(state_dict)
        except ValueError as error:
            raise DatasetError(f"checkpoint {self._path}: {error}") from error
        return state_dict

    def save(self, data: Any) -> None:
        raise DatasetError("released checkpoints are read only")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._path and str(self._path)}
