"""Whether what a run reads is there, and fits together: nothing damaged, no ancestor twice."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from .artifacts import Artifact, artifact_of, file_to_load
from .files import content_hash
from .places import Place
from .records import ancestors, record_of

NOW = "this run"


def damaged(file: Place) -> str | None:
    """What is wrong with an artifact's content, compared with its record; None if nothing is."""
    record = record_of(file)
    if record is None or not record.complete:
        return None
    if not file.exists():
        return f"{file} is gone; restore it, or remove the folder {file.parent}"
    if content_hash(file) == record.content:
        return None
    return (
        f"{file}: its content is not what run {record.run} saved there; restore it, or remove the"
        f" folder {file.parent} and make it again"
    )


def missing(
    lacking: Sequence[Artifact], catalog: CatalogProtocol, known: Mapping[str, Pipeline]
) -> str:
    """That nothing has made yet what a run would read, and what makes it.

    Args:
        lacking: some artifacts without a version.
        known: pipelines by name, of which the first that makes all of them is named.
    """
    paths = {artifact.path for artifact in lacking}
    making = (name for name, other in known.items() if paths <= made_by(other, catalog))
    first, *others = lacking
    told = f"{first.name} and {len(others)} more have" if others else f"{first.name} has"
    how = f", for instance `kedro run --pipelines={name}`" if (name := next(making, None)) else ""
    return (
        f"{told} not been made yet (no version in {first.path}): run first what makes this{how},"
        " with the --env and --params of this run"
    )


def mixed(pipeline: Pipeline, catalog: CatalogProtocol) -> str | None:
    """What does not fit together among the inputs of a node, if all of the pipeline runs."""
    made: dict[Place, dict[Place, _Use]] = {}  # by nodes of this run: path → ancestors
    for node in pipeline.nodes:
        uses: dict[Place, _Use] = {}
        for name in node.inputs:
            artifact = artifact_of(catalog, name)
            if artifact is None:
                continue
            above = made.get(artifact.path) or dict(_saved(catalog, artifact))
            for path, use in above.items():
                other = uses.setdefault(path, use)
                if use.content != other.content:
                    return _conflict(node.name, path, other, use)
        for name in node.outputs:
            if artifact := artifact_of(catalog, name):
                own = _Use(name, NOW, NOW)
                made[artifact.path] = uses | {artifact.path: own}
    return None


def stale(pipeline: Pipeline, catalog: CatalogProtocol) -> Iterator[str]:
    """What the pipeline reads although something that it was made from has been made anew."""
    outputs = made_by(pipeline, catalog)
    for name in sorted(pipeline.inputs()):
        artifact = artifact_of(catalog, name)
        if artifact is None or artifact.path in outputs:
            continue
        file = file_to_load(catalog, artifact)
        for ancestor, record in ancestors(file).items() if file else ():
            if record is None or ancestor == file or record.version is None:
                continue
            above = Artifact(record.dataset, ancestor.parent.parent, True)
            newest = above.newest()
            if above.path in outputs:
                newer = NOW
            elif newest and (latest := record_of(newest)) and latest.content != record.content:
                newer = f"version {above.version(newest)}"
            else:
                continue
            yield (
                f"{name} was made from {record.dataset} of version {record.version}, which"
                f" {newer} replaces"
            )
            break


class _Use(NamedTuple):
    """An artifact's content as a node would see it, through one of its inputs."""

    through: str
    version: str | None
    content: str


def made_by(pipeline: Pipeline, catalog: CatalogProtocol) -> set[Place]:
    """Where a pipeline's outputs are saved."""
    return {a.path for name in pipeline.all_outputs() if (a := artifact_of(catalog, name))}


def _saved(catalog: CatalogProtocol, artifact: Artifact) -> Iterator[tuple[Place, _Use]]:
    file = file_to_load(catalog, artifact)
    for ancestor, record in ancestors(file).items() if file else ():
        if record:
            path = ancestor.parent.parent if record.version else ancestor
            yield path, _Use(artifact.name, record.version, record.content)


def _conflict(node: str, path: Place, one: _Use, other: _Use) -> str:
    told = [
        f"{use.through} is of {use.version if use.version == NOW else f'version {use.version}'}"
        for use in (one, other)
    ]
    return (
        f"{node} would mix two versions of {path.name} ({path}): what it reads as {told[0]}, as"
        f" {told[1]}; make both anew from the same, for instance with"
        f" --runner={__package__}.ChangedOnlyRunner, or choose versions with --load-versions"
    )
