"""All versions below a folder: how large they are, who needs them, which may go."""

from collections import defaultdict
from dataclasses import dataclass

from .places import Place, remove_tree
from .records import ENDING, Record, ancestors, artifact_path, record_of, record_path


@dataclass(frozen=True)
class Saved:
    """A saved version.

    Attributes:
        file: the artifact.
        record: what made it.
        runs: ids of the runs that made something of it, and of the one that made it.
    """

    file: Place
    record: Record
    runs: list[str]

    @property
    def artifact(self) -> Place:
        """The folder of all its versions."""
        return self.file.parent.parent


def saved_versions(root: Place) -> list[Saved]:
    """All whole versions below a folder, by path, the newest of an artifact first."""
    records = {file: record_of(file) for file in recorded(root) if file.exists()}
    records = {file: record for file, record in records.items() if record and record.complete}
    needed: dict[Place, set[str]] = defaultdict(set)
    for file, record in records.items():
        for ancestor in ancestors(file):
            needed[ancestor].add(record.run)
    found = [Saved(file, record, sorted(needed[file])) for file, record in records.items()]
    found = [saved for saved in found if saved.record.version is not None]
    newest_first = sorted(found, key=lambda saved: saved.record.version, reverse=True)
    return sorted(newest_first, key=lambda saved: saved.artifact)


def superfluous(versions: list[Saved], keep: int) -> list[Saved]:
    """The versions that neither are among the newest nor made anything of what is kept.

    Args:
        keep: how many of each artifact are kept.
    """
    by_artifact: dict[Place, list[Saved]] = defaultdict(list)
    for saved in versions:
        by_artifact[saved.artifact].append(saved)
    kept = {
        ancestor
        for of_one in by_artifact.values()
        for saved in of_one[:keep]
        for ancestor in ancestors(saved.file)
    }
    return [saved for saved in versions if saved.file not in kept]


def remove_version(file: Place) -> None:
    """Remove a version with its record and, where nothing else is in it, its folder."""
    if file.is_dir():
        remove_tree(file)
    else:
        file.unlink(missing_ok=True)
    record_path(file).unlink(missing_ok=True)
    if file.parent.is_dir() and not any(file.parent.iterdir()):
        file.parent.rmdir()


def recorded(root: Place) -> list[Place]:
    """All artifacts below a folder that have a record, in order of their paths."""
    return [artifact_path(record) for record in sorted(root.rglob(f"*{ENDING}"))]
