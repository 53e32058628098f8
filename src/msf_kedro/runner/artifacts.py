"""Kedro's datasets as files: where an artifact's versions are, and which one a run reads."""

from dataclasses import dataclass
from typing import Any

from kedro.io import AbstractDataset, AbstractVersionedDataset, CatalogProtocol
from kedro.io.core import Version
from kedro.pipeline.node import Node

from .locks import ENDING
from .places import Place, place, place_of
from .records import Record, record_of


@dataclass(frozen=True)
class Artifact:
    """A dataset that is saved to a file or folder.

    Attributes:
        name: of the dataset.
        path: as in the catalog; the same path is the same artifact, whatever the dataset's name.
        versioned: whether it is a folder of versions.
    """

    name: str
    path: Place
    versioned: bool

    @property
    def lock(self) -> Place:
        """What stands for the lock on what is being made."""
        if self.versioned:
            return self.path / ENDING
        return self.path.with_name(f".{self.path.name}{ENDING}")

    def file(self, version: str | None) -> Place:
        """Where a version is, or the only one."""
        return self.path / version / self.path.name if self.versioned and version else self.path

    def version(self, file: Place) -> str | None:
        return file.parent.name if self.versioned else None

    def files(self) -> list[Place]:
        """All versions that are there whole, the newest first; those of unfinished runs are not."""
        if not self.versioned:
            found = [self.path] if self.path.exists() else []
        else:
            found = sorted(self.path.glob(f"*/{self.path.name}"), reverse=True)
        return [file for file in found if not _unfinished(record_of(file))]

    def newest(self) -> Place | None:
        return next(iter(self.files()), None)


def is_parameter(name: str) -> bool:
    """Whether a dataset is a parameter, or all of them."""
    return name == "parameters" or name.startswith("params:")


def is_scratch(dataset: AbstractDataset) -> bool:
    """Whether a dataset holds unfinished work, which decides nothing about what is made.

    Such a class says so by `is_scratch = True`.
    """
    return getattr(dataset, "is_scratch", False)


def scratch_of(node: Node, catalog: CatalogProtocol) -> dict[str, Place]:
    """Datasets with unfinished work that a node reads → the folders that it lies in.

    A dataset names its folder as its `_filepath`; or one name for the folders of all nodes that
    read it as `beside_results`: each has its own, beside the first of the files that it saves.
    """
    found = {}
    for name in node.inputs:
        dataset = None if is_parameter(name) else dataset_of(catalog, name)
        if dataset is None or not is_scratch(dataset):
            continue
        if hasattr(dataset, "_filepath"):
            found[name] = place(dataset._filepath)
        elif results := [a.path for name in node.outputs if (a := artifact_of(catalog, name))]:
            found[name] = min(results).parent / dataset.beside_results
    return found


def dataset_of(catalog: CatalogProtocol, name: str) -> AbstractDataset | None:
    """The dataset of that name; None for one that is only in memory."""
    return catalog.get(name)


def artifact_of(catalog: CatalogProtocol, name: str) -> Artifact | None:
    """The file that a dataset is saved to; None if it has none."""
    dataset = None if is_parameter(name) else dataset_of(catalog, name)
    path: Any = getattr(dataset, "_filepath", None)
    if path is None or is_scratch(dataset):
        return None
    versioned = isinstance(dataset, AbstractVersionedDataset) and dataset._version is not None
    return Artifact(name, place_of(dataset, path), versioned)


def chosen_version(catalog: CatalogProtocol, name: str) -> str | None:
    """The version that the user, or a plan, has chosen to load; None for the newest."""
    version = getattr(dataset_of(catalog, name), "_version", None)
    return version.load if version else None


def choose_version(catalog: CatalogProtocol, name: str, version: str | None) -> None:
    """Have a dataset load this version, whatever appears later; None for the newest."""
    dataset = dataset_of(catalog, name)
    dataset.release()
    dataset._version = Version(version, dataset._version.save)


def file_to_load(catalog: CatalogProtocol, artifact: Artifact) -> Place | None:
    """The file that loading an artifact reads: the chosen version, else the newest."""
    if chosen := chosen_version(catalog, artifact.name):
        file = artifact.file(chosen)
        return file if file.exists() else None
    return artifact.newest()


def _unfinished(record: Record | None) -> bool:
    return record is not None and not record.complete
