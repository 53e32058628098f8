"""Check-points that others have released: PyTorch files, read only."""

from pathlib import Path
from typing import Any

from kedro.io.core import AbstractDataset, DatasetError

HINT = "give the file with --params=checkpoint=FILE (docs/data.md)"


class CheckpointDataset(AbstractDataset):
    """A state dict in a `.pt` file, loaded on the CPU; nothing else in it is ever unpickled.

    Raises:
        DatasetError: on load, where no file is given, there is none, or it is no state dict.
    """

    def __init__(self, filepath: str | None, metadata: dict | None = None):
        self._path = Path(filepath) if filepath else None
        self.metadata = metadata  # read by Kedro-Viz

    def load(self) -> dict:
        import torch  # takes a second: only where tensors are really read

        if self._path is None:
            raise DatasetError(f"this run needs a check-point; {HINT}")
        if not self._path.is_file():
            raise DatasetError(f"check-point {self._path}: there is no such file; {HINT}")
        try:
            content = torch.load(self._path, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever a damaged or foreign file makes PyTorch raise
            raise DatasetError(
                f"check-point {self._path}: it cannot be read without unpickling objects"
                f" ({type(error).__name__}: {str(error).splitlines()[0][:200]}). Expected is a"
                " PyTorch file of tensors alone: download it again, or, if you trust its source,"
                " load it in Python and save its state dict by torch.save"
            ) from error
        if not isinstance(content, dict):
            raise DatasetError(
                f"check-point {self._path}: it holds a {type(content).__name__}, expected a state"
                " dict, a dictionary of names and tensors; save the model's state_dict() instead"
            )
        return content

    def save(self, data: Any) -> None:
        raise DatasetError(f"check-point {self._path}: released check-points are read only")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}
