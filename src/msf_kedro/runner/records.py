"""The record beside every saved version: what made it.

`features.parquet` has `features.parquet.record.json` beside it. It is written before the artifact,
as unfinished, and completed once the artifact is in place: a version whose record is unfinished was
left by a run that was killed. A version without any record was put there by hand.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from .files import read_json, write_json
from .places import Place, joined, relative

ENDING = ".record.json"


@dataclass(frozen=True)
class Input:
    """What a node read into one of its arguments, but for parameters.

    Attributes:
        name: of the dataset.
        hash: of the content.
        path: of an artifact's file, in a record relative to its folder; None for raw input.
        version: of an artifact.
        files: how many files a raw input has; a raw input without files is generated.
        bytes: of these.
        newest: when the newest of these was changed.
    """

    name: str
    hash: str
    path: str | None = None
    version: str | None = None
    files: int | None = None
    bytes: int | None = None
    newest: str | None = None


@dataclass(frozen=True)
class Recipe:
    """All that decides what a node makes.

    Attributes:
        function: its qualified name.
        code: module → hash of what the function reaches there.
        parameters: argument → `name` of the parameter (None if it is given in code), and `value`.
        inputs: argument → what was read.
        names: texts among the parameters of the node and of all that its inputs were made from.
    """

    function: str
    code: dict[str, str]
    parameters: dict[str, dict[str, Any]]
    inputs: dict[str, Input]
    names: list[str]


@dataclass(frozen=True)
class Record:
    """What made a version of an artifact.

    Attributes:
        dataset: its name in the run that made it.
        run: the run's id.
        node: that made it.
        version: its version; None if the artifact has none.
        complete: whether the artifact is whole.
        recipe: what decides its content; None as long as it is not complete.
        content: SHA-256.
        bytes: of the artifact.
        made: when the node started, its seconds, the process's peak memory in bytes, the host.
        where: git commit, whether files were changed since, versions of packages, the machine.
    """

    dataset: str
    run: str
    node: str
    version: str | None
    complete: bool = False
    recipe: Recipe | None = None
    content: str = ""
    bytes: int = 0
    made: dict[str, Any] = field(default_factory=dict)
    where: dict[str, Any] = field(default_factory=dict)

    def write(self, file: Place) -> None:
        """Put the record beside an artifact."""
        content = asdict(self)
        if self.recipe:
            content["recipe"]["inputs"] = {
                argument: _input(read, file.parent)
                for argument, read in content["recipe"]["inputs"].items()
            }
        write_json(record_path(file), content, lasting=self.complete)


def record_path(file: Place) -> Place:
    """Where the record of an artifact is."""
    return file.with_name(file.name + ENDING)


def artifact_path(record: Place) -> Place:
    """The file that a record is of."""
    return record.with_name(record.name.removesuffix(ENDING))


def record_of(file: Place) -> Record | None:
    """What made an artifact; None if there is no (readable) record."""
    path = record_path(file)
    try:
        status = path.stat()
    except OSError:
        return None
    return _read(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=65536)
def _read(path: Place, size: int, changed: int) -> Record | None:
    content = read_json(path)
    if not isinstance(content, dict):
        return None
    try:
        if recipe := content.pop("recipe"):
            recipe["inputs"] = {k: Input(**v) for k, v in recipe["inputs"].items()}
            recipe = Recipe(**recipe)
        return Record(recipe=recipe, **content)
    except (KeyError, TypeError, AttributeError):  # of another version of this code
        return None


def _input(read: dict[str, Any], folder: Place) -> dict[str, Any]:
    """An input as a record in a folder has it: all artifacts can be moved together."""
    read = {key: value for key, value in read.items() if value is not None}
    if "path" in read:
        with suppress(ValueError):  # it is on another drive or storage
            read["path"] = relative(read["path"], folder)
    return read


def parents(file: Place) -> dict[str, Place]:
    """The artifacts that an artifact was made from, by the argument that read them."""
    record = record_of(file)
    if record is None or record.recipe is None:
        return {}
    return {
        argument: joined(file.parent, read.path)
        for argument, read in record.recipe.inputs.items()
        if read.path
    }


def ancestors(file: Place) -> dict[Place, Record | None]:
    """An artifact and all artifacts that it was made from, with their records."""
    found: dict[Place, Record | None] = {}
    todo = [file]
    while todo:
        path = todo.pop()
        if path not in found:
            found[path] = record_of(path)
            todo += parents(path).values()
    return found


def parameters(file: Place) -> Iterator[tuple[str, str, Any]]:
    """Node, parameter and value of all that an artifact was made with, from all its ancestors.

    A parameter is called by the argument that took it: `method_config` is that of the method which
    made the artifact, though there it may have been the second one's. Values that are given in code
    are left out.
    """
    for record in ancestors(file).values():
        taken = record.recipe.parameters if record and record.recipe else {}
        for argument, parameter in taken.items():
            if parameter["name"]:
                yield record.node, argument, parameter["value"]
