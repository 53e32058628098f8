"""Runs: what one is made of, what it reads, and what becomes of it, kept in a file of its own."""

import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from click import ClickException
from kedro.framework import project as kedro_project
from kedro.io import AbstractDataset, CatalogProtocol, DatasetError
from kedro.pipeline import Pipeline

from .artifacts import Artifact, artifact_of, choose_version, file_to_load, scratch_of
from .code import Code
from .consistency import damaged, made_by
from .files import read_json, remove_partial, write_json
from .locks import ENDING, WorkLock, is_held, lock_file
from .places import Place, StoredPath, place, remove_tree
from .plan import KEEP, RUN, Decision
from .recipes import Recipes
from .records import record_of, record_path
from .sources import Sources

RUNS = "runs"  # the catalog's entry
RAW_FILES = "raw_files"  # below the folder of runs: hashes of raw files
MADE, KEPT, NOT_REACHED = "made", "kept", "not reached"


class RunsDataset(AbstractDataset):
    """The folder of all runs: a file `<run id>.json` for each, and what is known of raw files.

    Args:
        path: the folder.
        root: the folder below which all artifacts lie, for `verify`, `versions` and `prune`.
    """

    def __init__(self, path: str, root: str, metadata: dict | None = None):
        self.folder, self.root = place(path), place(root)
        self.metadata = metadata  # read by Kedro-Viz
        self._package = kedro_project.PACKAGE_NAME

    def __setstate__(self, state: dict[str, Any]) -> None:
        """See `use_settings`."""
        self.__dict__.update(state)
        use_settings(self._package)

    def load(self) -> dict[str, dict[str, Any]]:
        """Run id → what became of it, the oldest first."""
        files = sorted(self.folder.glob("*.json"))
        return {file.stem: content for file in files if (content := read_json(file))}

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self.folder}: runs are written as they run")

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self.folder), "root": str(self.root)}

    def file(self, run_id: str) -> Place:
        return self.folder / f"{run_id}.json"

    def is_running(self, run_id: str) -> bool:
        """Whether the process of a run is alive.

        Other storage has no locks: of a run of another machine, what its file says.
        """
        if is_held(self.folder / f"{run_id}{ENDING}"):
            return True
        if not isinstance(self.folder, StoredPath):
            return False
        about = read_json(self.file(run_id)) or {"status": "", "host": ""}
        return about["status"] == "running" and about["host"] != socket.gethostname()

    def running(self) -> list[str]:
        """The ids of all runs whose processes are alive."""
        locks = sorted(lock_file(self.folder / ENDING).parent.glob(f"*{ENDING}"))
        return [lock.name.removesuffix(ENDING) for lock in locks if is_held(lock)]


def use_settings(package: str | None) -> None:
    """Give a process that was started afresh the settings of a project.

    Kedro gives them to forked ones only: in others no hook would be called, and nothing recorded.
    Not by `configure_project`, which Kedro would then call again for every node, and which fails
    the second time.
    """
    if kedro_project.PACKAGE_NAME is None and package:
        kedro_project.settings.configure(f"{package}.settings")


@dataclass(frozen=True)
class Project:
    """What the records of a project say beside what a run itself knows.

    Attributes:
        packages: whose code counts.
        immaterial: parameters that do not change what nodes make.
        machine: gives what to say of the machine, such as its devices.
    """

    packages: tuple[str, ...]
    immaterial: frozenset[str]
    machine: Callable[[], dict[str, Any]]

    def describe_machine(self) -> dict[str, Any]:
        """The machine that this process is on."""
        return {"platform": platform.platform(), **self.machine()}

    def recipes(self, pipeline: Pipeline, catalog: CatalogProtocol) -> Recipes:
        """The recipes of a pipeline's nodes as they are now."""
        code = Code.today(self.packages)
        memory = runs_of(catalog).folder / RAW_FILES
        return Recipes.of(pipeline, catalog, code, Sources(memory, code), self.immaterial)


class Run:
    """One run, from before its first node to its end.

    Raises:
        ClickException: the catalog has no entry `runs`, or another run has the same id.
    """

    def __init__(self, run_id: str, pipeline: Pipeline, catalog: CatalogProtocol, project: Project):
        self.run_id, self.pipeline, self.catalog = run_id, pipeline, catalog
        self._runs, self._started = runs_of(catalog), time.time()
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
        lock = self._runs.folder / f"{run_id}{ENDING}"
        if is_held(lock):
            raise ClickException(
                f"another run, which is at work, began in the same millisecond, {run_id}, by which"
                " versions are called; start this one again"
            )
        self._lock = WorkLock(lock, f"run {run_id}, {command}")
        self._lock.acquire(f"run {run_id}")
        _close_interrupted(self._runs)
        if self._runs.running() == [run_id]:
            remove_partial(self._runs.folder)
            remove_partial(self._runs.folder / RAW_FILES)
        _sweep(pipeline, catalog, self._runs)
        _clear_finished(pipeline, catalog)
        self._nodes = {node.name: node for node in pipeline.nodes}
        self._verified: set[Place] = set()
        self.recipes = project.recipes(pipeline, catalog)
        self.decisions: dict[str, Decision] = {}
        self._finished: set[str] = set()
        self.about = {
            "run": run_id,
            "status": "running",
            "command": command,
            "folder": str(Path.cwd()),
            "started": _when(self._started),
            "process": os.getpid(),
            "host": socket.gethostname(),
            "where": _where(project),
            "recipes": self.recipes.state(),
        }
        self._write()

    def settle_inputs(self, pipeline: Pipeline) -> list[Artifact]:
        """Have a part of the run's pipeline read the versions that are there now, and its own.

        Returns:
            What it reads of which there is none.

        Raises:
            ClickException: the content of one is not what was saved.
        """
        for name, _ in self._versioned_outputs(pipeline):
            choose_version(self.catalog, name, self.run_id)
        outputs, lacking = made_by(pipeline, self.catalog), []
        for name in sorted(pipeline.datasets()):
            artifact = artifact_of(self.catalog, name)
            if artifact is None or artifact.path in outputs:
                continue
            if file := file_to_load(self.catalog, artifact):
                if artifact.versioned:
                    choose_version(self.catalog, name, artifact.version(file))
                self._verify(file)
            elif artifact.versioned:
                lacking.append(artifact)
        return lacking

    def look_at_what_is_there(self) -> None:
        """Have datasets that the pipeline makes stand for what is there now, until it is made."""
        for name, artifact in self._versioned_outputs(self.pipeline):
            file = artifact.newest()
            choose_version(self.catalog, name, artifact.version(file) if file else None)

    def _versioned_outputs(self, pipeline: Pipeline) -> Iterator[tuple[str, Artifact]]:
        """What a part of the pipeline makes, under all names that the whole has for it."""
        paths = made_by(pipeline, self.catalog)
        for name in sorted(self.pipeline.datasets()):
            artifact = artifact_of(self.catalog, name)
            if artifact and artifact.versioned and artifact.path in paths:
                yield name, artifact

    def _verify(self, file: Place) -> None:
        if file not in self._verified:
            if problem := damaged(file):
                raise ClickException(problem)
            self._verified.add(file)

    def end(self, error: BaseException | None = None) -> None:
        """Write down what became of every node, and leave."""
        nodes = {node.name: self._outcome(node) for node in self.pipeline.nodes}
        self.about |= {
            "status": "failed" if error else "done",
            "ended": _when(time.time()),
            "seconds": round(time.time() - self._started, 3),
            "nodes": nodes,
        }
        if error:
            self.about["error"] = f"{type(error).__name__}: {error}"
        self._write()
        self._lock.release()

    def finish(self, node: str) -> tuple[int, int]:
        """Count a node that has run: its number, and how many have run, will or may."""
        self._finished.add(node)
        kept = {name for name, decision in self.decisions.items() if decision.what == KEEP}
        return len(self._finished), len(self._nodes) - len(kept - self._finished)

    def seconds(self, node: str) -> float | None:
        """How long a node has taken in this run; None if it makes no artifact."""
        return self._outcome(self._nodes[node]).get("seconds")

    def seconds_before(self) -> float | None:
        """How long all nodes took when they last ran; None if one never has.

        One that makes no artifact is taken to take no time.
        """
        total = 0.0
        for node in self._nodes.values():
            if not node.outputs:
                continue
            made = (artifact_of(self.catalog, name) for name in node.outputs)
            files = [file for artifact in made if artifact and (file := artifact.newest())]
            record = record_of(files[0]) if files else None
            if record is None or "seconds" not in record.made:
                return None
            total += record.made["seconds"]
        return total

    def _outcome(self, node) -> dict[str, Any]:
        decision = self.decisions.get(node.name, Decision(RUN, "asked for"))
        why = decision.why
        if decision.what == KEEP:
            return {"outcome": KEPT, "why": why}
        for name in node.outputs:
            artifact = artifact_of(self.catalog, name)
            record = record_of(artifact.file(self.run_id)) if artifact else None
            if record and record.complete and record.run == self.run_id:
                return {"outcome": MADE, "why": why, "seconds": record.made["seconds"]}
        return {"outcome": NOT_REACHED if node.outputs else "run", "why": why}

    def _write(self) -> None:
        write_json(self._runs.file(self.run_id), self.about, lasting=False)


def runs_of(catalog: CatalogProtocol) -> RunsDataset:
    """The folder of runs that the catalog names.

    Raises:
        ClickException: it names none.
    """
    dataset = catalog.get(RUNS)
    if not isinstance(dataset, RunsDataset):
        raise ClickException(
            f"the catalog has no entry {RUNS!r} of type {__package__}.RunsDataset; runs are"
            " recorded there"
        )
    return dataset


def _close_interrupted(runs: RunsDataset) -> None:
    """Say of runs that were killed that they were."""
    for lock in lock_file(runs.folder / ENDING).parent.glob(f"*{ENDING}"):
        run_id = lock.name.removesuffix(ENDING)
        about = read_json(runs.file(run_id))
        if not runs.is_running(run_id) and about and about["status"] == "running":
            write_json(runs.file(run_id), about | {"status": "interrupted"}, lasting=False)


def _sweep(pipeline: Pipeline, catalog: CatalogProtocol, runs: RunsDataset) -> None:
    """Remove what killed runs have left unfinished of the artifacts that a pipeline makes."""
    for name in sorted(pipeline.all_outputs()):
        artifact = artifact_of(catalog, name)
        if artifact is None or not artifact.versioned or not artifact.path.is_dir():
            continue
        is_held(artifact.lock)  # which removes one that nobody holds
        for folder in artifact.path.iterdir():
            if not folder.is_dir() or runs.is_running(folder.name):
                continue
            remove_partial(folder)
            file = folder / artifact.path.name
            record = record_of(file)
            if record is not None and not record.complete:
                file.unlink(missing_ok=True)
                record_path(file).unlink()
            if not any(folder.iterdir()):
                folder.rmdir()


def _clear_finished(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Remove unfinished work that was finished after all, by runs that were killed right then."""
    for node in pipeline.nodes:
        for folder in scratch_of(node, catalog).values():
            outputs = [a for name in node.outputs if (a := artifact_of(catalog, name))]
            records = [record_path(file) for a in outputs if (file := a.newest())]
            whole = len(records) == len(outputs) and all(record.exists() for record in records)
            if not folder.is_dir() or not whole or any(is_held(a.lock) for a in outputs):
                continue
            worked = max(path.stat().st_mtime_ns for path in (folder, *folder.rglob("*")))
            if all(worked < record.stat().st_mtime_ns for record in records):
                remove_tree(folder)


def _where(project: Project) -> dict[str, Any]:
    """The state of code, packages and machine."""
    commit = _git("rev-parse", "HEAD")
    return {
        "commit": commit,
        "changed_since": bool(_git("status", "--porcelain")) if commit else None,
        "python": platform.python_version(),
        "packages": _packages(project.packages),
        "machine": project.describe_machine(),
    }


def _packages(names: Iterable[str]) -> dict[str, str]:
    """Versions of packages and of what they directly need."""
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # not installed, but run from its folder
            continue
        for requirement in needed:
            if "extra ==" not in requirement:
                wanted = "".join(c if c.isalnum() or c in "-_." else " " for c in requirement)
                wanted = wanted.split()[0]
                found[wanted] = metadata.version(wanted)
    return found


def _git(*command: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *command], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
