"""The state of a training that has not ended, so that a run that breaks off can be continued."""

import io
import logging
import zipfile
from typing import Any

from kedro.io.core import AbstractDataset, DatasetError

from msf_kedro.runner.files import remove_partial, whole_or_nothing
from msf_kedro.runner.places import Place, remove_tree

logger = logging.getLogger(__name__)


class TrainingState:
    """The state of one training, in a folder; a `Checkpoint` as the training loop wants it.

    It is the state of whatever the key stands for: what was saved under another key is not given,
    and of a training that belongs to nothing, nothing is saved or given. What a training keeps of
    every epoch is written once, to a file of its own; the rest is replaced after every epoch.
    """

    def __init__(self) -> None:
        self._folder: Place | None = None
        self._key = ""
        self._written = 0  # how many of the kept items are in their files

    def belongs_to(self, key: str, folder: Place) -> None:
        """Say what the training is made from, and where; to be called before it starts.

        Also removes what killed runs left half-written.

        Args:
            key: stands for all that the result depends on: code, parameters and inputs.
            folder: where the state is kept; made when it is first saved.
        """
        self._key, self._folder = key, folder
        remove_partial(folder)

    def load(self) -> dict[str, Any] | None:
        """The state that was saved last under this key, on the CPU; None if there is none.

        A damaged state counts as missing; one of another key is removed.
        """
        if self._folder is None or not self._file("state").exists():
            return None
        try:
            key, state = _read(self._file("state"))
            kept = [_read(self._file(f"kept_{n}")) for n in range(state["kept"])]
        except Exception as error:  # PyTorch has no error of its own for what it cannot read
            logger.warning("%s is damaged, the training starts anew: %s", self._folder, error)
            return None
        if {key, *(others for others, _ in kept)} != {self._key}:
            self.clear()
            return None
        self._written = len(kept)
        return state | {"kept": [item for _, item in kept]}

    def save(self, state: dict[str, Any]) -> None:
        """Keep a state in place of the last one, whole or not at all."""
        if self._folder is None:
            return
        kept = state["kept"]
        for number in range(self._written, len(kept)):
            self._write(f"kept_{number}", kept[number])
        self._written = len(kept)
        self._write("state", state | {"kept": len(kept)})

    def clear(self) -> None:
        """Remove the state; to be called when what was trained is safely on disk."""
        if self._folder is not None:
            remove_tree(self._folder)
        self._written = 0

    def _write(self, name: str, content: Any) -> None:
        import torch

        with whole_or_nothing(self._file(name), lasting=False) as path:
            torch.save((self._key, content), path)

    def _file(self, name: str) -> Place:
        return self._folder / f"{name}.pt"


class TrainingStateDataset(AbstractDataset):
    """Where each node that reads it finds the state of its training, beside what it makes.

    One entry in the catalog does for all trainings. A folder is there only while its training has
    not ended.
    """

    is_scratch = True  # what is made does not depend on it
    beside_results = "training_state"  # the folder's name

    def __init__(self, metadata: dict | None = None):
        self.metadata = metadata  # read by Kedro-Viz

    def load(self) -> TrainingState:
        return TrainingState()

    def save(self, data: Any) -> None:
        raise DatasetError("a training state is written while a network is trained, not saved to")

    def _describe(self) -> dict[str, Any]:
        return {"folder": self.beside_results}


def _read(file: Place) -> tuple[str, Any]:
    """A file's key and content; PyTorch alone does not notice flipped bits in its tensors."""
    import torch

    content = io.BytesIO(file.read_bytes())
    with zipfile.ZipFile(content) as archive:
        if damaged := archive.testzip():
            raise ValueError(f"{damaged} in {file.name} is not as its checksum says")
    content.seek(0)
    key, state = torch.load(content, map_location="cpu", weights_only=True)
    return key, state
