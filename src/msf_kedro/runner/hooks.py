"""The Kedro hook that records what every run does."""

import logging
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from click import ClickException
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from . import consistency
from .artifacts import Artifact, artifact_of, dataset_of, scratch_of
from .files import content_hash, read_json, size
from .housekeeping import remove_version
from .locks import WorkLock, end_with_parent, let_children_end_with_this
from .places import Place
from .recipes import Recipes, recipe_hash
from .records import Recipe, Record
from .runs import Project, Run, runs_of
from .uncollected import uncollected

logger = logging.getLogger(__name__)

# Runs of this process by id. A runner looks up here what the hook has begun.
open_runs: dict[str, Run] = {}


def open_run(run_id: str | None) -> Run | None:
    """The run of that id, if it is at work in this process."""
    return open_runs.get(run_id) if run_id else None


@dataclass
class _Work:
    """A node at work."""

    run_id: str
    recipe: Recipe
    where: dict[str, Any]
    outputs: dict[str, Artifact]
    scratch: list[Any]
    catalog: CatalogProtocol
    saved: dict[str, Place] = field(default_factory=dict)
    lock: WorkLock | None = None
    started: float = field(default_factory=time.time)


class Lineage:
    """Records beside every saved version, a file for every run, and checks before it begins.

    Args:
        packages: whose code counts; a changed helper in another package goes unnoticed.
        immaterial: parameters that do not change what nodes make.
        machine: what records say of the machine beside its platform, such as its devices.

    Raises:
        ClickException: in `before_pipeline_run`, if inputs are not there or damaged, or do not fit
            together.
    """

    def __init__(
        self,
        packages: Iterable[str],
        immaterial: Iterable[str] = (),
        machine: Callable[[], dict[str, Any]] = dict,
    ):
        self.project = Project(tuple(packages), frozenset(immaterial), machine)
        self._working: dict[str, _Work] = {}
        let_children_end_with_this()  # here, as a runner may start some before its run

    @hook_impl(trylast=True)
    @uncollected()
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        run = Run(run_params["run_id"], pipeline, catalog, self.project)
        open_runs[run.run_id] = run
        try:
            if conflict := consistency.mixed(pipeline, catalog):
                raise ClickException(conflict)
            for note in consistency.stale(pipeline, catalog):
                logger.warning("%s; `kedro msf status` says what to run", note)
            if lacking := run.settle_inputs(pipeline):
                raise ClickException(consistency.missing(lacking, catalog, pipelines))
        except ClickException as error:
            self._end(run.run_id, error)
            raise

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any]) -> None:
        self._end(run_params["run_id"])

    @hook_impl
    def on_pipeline_error(self, error: Exception, run_params: dict[str, Any]) -> None:
        self._end(run_params["run_id"], error)

    def _end(self, run_id: str, error: Exception | None = None) -> None:
        for work in self._working.values():
            if work.lock:
                work.lock.release()
        self._working.clear()
        if run := open_runs.pop(run_id, None):
            run.end(error)

    @lru_cache(maxsize=4)  # noqa: B019 (hooks live as long as the process)
    def _about(self, file: Place) -> tuple[Recipes, dict[str, Any]]:
        """What a run's file says, for the processes that its nodes run in, and on what machine."""
        about = read_json(file)
        if about["host"] != socket.gethostname():
            about["where"] |= {"machine": self.project.describe_machine()}
        return Recipes.from_state(about["recipes"]), about["where"]

    @hook_impl
    def before_node_run(
        self, node: Node, catalog: CatalogProtocol, inputs: dict[str, Any], run_id: str
    ) -> None:
        end_with_parent()
        recipes, where = self._about(runs_of(catalog).file(run_id))
        artifacts = {name: artifact_of(catalog, name) for name in node.outputs}
        outputs = {name: artifact for name, artifact in artifacts.items() if artifact}
        scratch = [(inputs[name], folder) for name, folder in scratch_of(node, catalog).items()]
        recipe = recipes.recipe(node.name, catalog)
        begun = [unfinished for unfinished, _ in scratch]
        work = _Work(run_id, recipe, where, outputs, begun, catalog)
        self._working[node.name] = work
        if outputs:
            first = min(outputs.values(), key=lambda artifact: artifact.path)
            work.lock = WorkLock(first.lock, f"run {run_id}")
            work.lock.acquire(f"{first.path.name} ({node.name})")
            self._remove_attempt(work)
        for unfinished, folder in scratch:
            if hasattr(unfinished, "belongs_to"):
                unfinished.belongs_to(recipe_hash(recipe), folder)

    @staticmethod
    def _remove_attempt(work: _Work) -> None:
        """Remove what a worker that died has left of this very version, so that it can be made."""
        for artifact in work.outputs.values():
            if artifact.versioned:
                remove_version(artifact.file(work.run_id))

    @hook_impl
    def on_node_error(self, node: Node) -> None:
        self._leave(node)

    @hook_impl
    def before_dataset_saved(self, dataset_name: str, node: Node) -> None:
        if found := self._output(node, dataset_name):
            work, artifact, file = found
            self._record(work, artifact, file, node).write(file)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        if not (found := self._output(node, dataset_name)):
            return
        work, _, file = found
        work.saved[dataset_name] = file
        if len(work.saved) == len(work.outputs):
            self._complete(work, node)
            self._leave(node)

    def _complete(self, work: _Work, node: Node) -> None:
        """Say that all a node makes is whole: at once, so that a kill leaves all of it or none."""
        seconds = round(time.time() - work.started, 3)
        made = {"started": work.started, "seconds": seconds, "peak_memory": _peak()}
        made |= {"host": socket.gethostname()}
        about = {"complete": True, "recipe": work.recipe, "made": made, "where": work.where}
        records = {
            file: Record(
                **vars(self._record(work, work.outputs[name], file, node))
                | about
                | {"content": content_hash(file), "bytes": size(file)}
            )
            for name, file in work.saved.items()
        }
        for file, record in records.items():
            record.write(file)
        for unfinished in work.scratch:
            if hasattr(unfinished, "clear"):
                unfinished.clear()

    def _output(self, node: Node, name: str) -> tuple[_Work, Artifact, Place] | None:
        work = self._working.get(node.name)
        artifact = work and work.outputs.get(name)
        if not artifact:
            return None
        dataset = dataset_of(work.catalog, name)
        version = dataset.resolve_save_version() if artifact.versioned else None
        return work, artifact, artifact.file(version)

    @staticmethod
    def _record(work: _Work, artifact: Artifact, file: Place, node: Node) -> Record:
        return Record(artifact.name, work.run_id, node.name, artifact.version(file))

    def _leave(self, node: Node) -> None:
        work = self._working.pop(node.name, None)
        if work and work.lock:
            work.lock.release()


def _peak() -> int | None:
    """The most memory that this process has used, in bytes."""
    try:
        import resource
        import sys
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
