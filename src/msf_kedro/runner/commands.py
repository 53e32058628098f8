"""Commands for Kedro's command line: `status`, `lineage`, `versions`, `prune`, `verify`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from kedro.framework.cli.utils import _split_params, env_option
from kedro.framework.project import pipelines, settings
from kedro.framework.session import KedroSession
from kedro.framework.startup import ProjectMetadata
from kedro.io import CatalogProtocol

from .artifacts import artifact_of, choose_version, file_to_load
from .consistency import damaged
from .hooks import Lineage
from .housekeeping import Saved, recorded, remove_version, saved_versions, superfluous
from .lineage import tree
from .places import Place, place
from .plan import KEEP, describe, make_plan
from .runs import runs_of

params_option = click.option(
    "--params", default="", callback=_split_params, help="As of `kedro run`."
)


@click.command()
@env_option
@params_option
@click.option("--pipelines", "-p", "pipeline", default="__default__", help="A pipeline's name.")
@click.pass_obj
def status(metadata: ProjectMetadata, env: str, params: dict[str, Any], pipeline: str) -> None:
    """What would run, and why, with the runner that runs only what has changed."""
    with _catalog(metadata, env, params) as catalog:
        try:
            nodes = pipelines[pipeline]
        except KeyError as error:
            known = ", ".join(sorted(pipelines))
            raise click.ClickException(f"no pipeline {pipeline!r}; there are {known}") from error
        plan = make_plan(nodes, catalog, _lineage().project.recipes(nodes, catalog), frozenset())
    for line in describe(plan):
        click.echo(line)
    click.echo(f"{len(plan.names(KEEP))} of {len(plan)} nodes are kept")


@click.command()
@env_option
@params_option
@click.option("--version", default=None, help="The newest unless given.")
@click.argument("name")
@click.pass_obj
def lineage(
    metadata: ProjectMetadata, env: str, params: dict[str, Any], version: str | None, name: str
) -> None:
    """All that made an artifact: NAME is a dataset's name, or the path of a saved file."""
    file = place(name)
    if not file.is_file():
        with _catalog(metadata, env, params) as catalog:
            file = _file(catalog, name, version)
    for line in tree(file.absolute()):
        click.echo(line)


@click.command()
@env_option
@params_option
@click.argument("names", nargs=-1)
@click.pass_obj
def versions(
    metadata: ProjectMetadata, env: str, params: dict[str, Any], names: tuple[str, ...]
) -> None:
    """All saved versions with their sizes and the runs that need them.

    NAMES of datasets choose among them.
    """
    with _catalog(metadata, env, params) as catalog:
        root = runs_of(catalog).root.absolute()
        chosen = {_file(catalog, name, None).parent.parent for name in names}
    shown = [v for v in saved_versions(root) if not chosen or v.artifact in chosen]
    artifact = None
    for saved in shown:
        if saved.artifact != artifact:
            artifact = saved.artifact
            click.echo(artifact.relative_to(root))
        runs = [run for run in saved.runs if run != saved.record.run]
        needed = f"needed by {', '.join(runs)}" if runs else "needed by no other run"
        click.echo(f"  {saved.record.version}  {_bytes(saved.record.bytes):>9}  {needed}")
    click.echo(f"{len(shown)} versions, {_bytes(sum(saved.record.bytes for saved in shown))}")


@click.command()
@env_option
@params_option
@click.option("--keep", default=1, show_default=True, type=click.IntRange(min=1))
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.pass_obj
def prune(
    metadata: ProjectMetadata, env: str, params: dict[str, Any], keep: int, dry_run: bool
) -> None:
    """Remove all but the newest versions of each artifact.

    What the kept ones were made from stays too.
    """
    with _catalog(metadata, env, params) as catalog:
        runs = runs_of(catalog)
        if at_work := runs.running():
            raise click.ClickException(f"run {at_work[0]} is at work; prune when it has ended")
        going: list[Saved] = superfluous(saved_versions(runs.root.absolute()), keep)
    for saved in going:
        click.echo(f"{saved.record.version}  {_bytes(saved.record.bytes):>9}  {saved.artifact}")
        if not dry_run:
            remove_version(saved.file)
    done = "would be removed" if dry_run else "removed"
    click.echo(f"{len(going)} versions, {_bytes(sum(v.record.bytes for v in going))}, {done}")


@click.command()
@env_option
@params_option
@click.argument("names", nargs=-1)
@click.pass_obj
def verify(
    metadata: ProjectMetadata, env: str, params: dict[str, Any], names: tuple[str, ...]
) -> None:
    """Compare every saved version with the hash in its record; NAMES choose datasets."""
    with _catalog(metadata, env, params) as catalog:
        files = recorded(runs_of(catalog).root.absolute())
        if names:
            files = [_file(catalog, name, None) for name in names]
    problems = [problem for file in files if (problem := damaged(file))]
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.ClickException(f"{len(problems)} of {len(files)} versions are damaged")
    click.echo(f"{len(files)} versions are as they were saved")


COMMANDS = [status, lineage, versions, prune, verify]


@contextmanager
def _catalog(
    metadata: ProjectMetadata, env: str | None, params: dict[str, Any]
) -> Iterator[CatalogProtocol]:
    """The catalog of an environment."""
    with KedroSession.create(metadata.project_path, env=env, runtime_params=params) as session:
        yield session.load_context().catalog


def _lineage() -> Lineage:
    """The project's hook.

    Raises:
        ClickException: it has none.
    """
    for hook in settings.HOOKS:
        if isinstance(hook, Lineage):
            return hook
    raise click.ClickException(f"HOOKS in settings.py lack {Lineage.__module__}.Lineage")


def _file(catalog: CatalogProtocol, name: str, version: str | None) -> Place:
    """A version of a dataset's file.

    Raises:
        ClickException: there is no such dataset or version.
    """
    artifact = artifact_of(catalog, name) if name in catalog else None
    if artifact is None:
        raise click.ClickException(f"no dataset or file {name!r} that is saved to a file")
    if version:
        choose_version(catalog, name, version)
    file = file_to_load(catalog, artifact)
    if file is None:
        raise click.ClickException(
            f"{name} has no {f'version {version}' if version else 'version yet'} in {artifact.path}"
        )
    return file.absolute()


def _bytes(number: int) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
