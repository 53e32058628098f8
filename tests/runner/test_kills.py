"""Runs that are killed at random moments lose nothing, leave nothing, and are continued.

`KILLS=50 pytest tests/runner/test_kills.py -s` kills more often, and prints the counts.
"""

import os
import random
import re
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from kedro.framework.project import pipelines
from support.launched import Launched, Launcher, complete, damaged_or_lost, unfinished
from support.sessions import artifacts, assert_equal, context, link_copy, read

KILLS = int(os.environ.get("KILLS", "12"))
PACKAGE = "msf_kedro.runner"
CHANGED_ONLY = ["ChangedOnlyRunner", "ChangedOnlyThreadRunner", "ChangedOnlyParallelRunner"]
PLAIN = ["SequentialRunner", "ThreadRunner", "ParallelRunner"]
STAGES = ["skeletons", "splits", "semantics", "features", "alignment", "gate", "evaluation"]
STAGES += ["report"]
EPOCHS = {"shift_gcn_training.epochs": 5}  # so that many kills fall between two of them
SIGNALS = [signal.SIGKILL] * 6 + [signal.SIGTERM, signal.SIGINT]
TEXTS = "04_feature/test/MiniLM/text_features.parquet"  # take as long as all else


@dataclass
class Counts:
    """What became of the kills."""

    found: Counter = field(default_factory=Counter)

    def __str__(self) -> str:
        return ", ".join(f"{number} {what}" for what, number in self.found.items())


@pytest.fixture(scope="module")
def counts():
    counts = Counts()
    yield counts
    print(f"\n{counts}")


@pytest.fixture(scope="module")
def undisturbed(launcher, tmp_path_factory) -> Path:
    """A data root that a run has filled that nobody killed."""
    root = tmp_path_factory.mktemp("undisturbed")
    launcher.run("run", root=root, **EPOCHS)
    return root


def strike(launcher, root, chance, counts: Counts, *arguments: str, changes: int = 90) -> bool:
    """Kill a run at a random moment, unless it ends before, and look at what it leaves.

    Args:
        changes: of files; the moment is before one of them, or some time after the start.

    Returns:
        Whether it was killed.
    """
    before, states = complete(root), kept_states(root)
    if chance.random() < 0.7:
        at = chance.randint(1, changes)
        run = launcher.kedro("run", *arguments, root=root, at=at, **EPOCHS)
    else:
        run = launcher.kedro("run", *arguments, root=root, **EPOCHS)
        run.kill_after(chance.uniform(0.2, 1.0 + changes / 50), chance.choice(SIGNALS))
    status = run.wait()
    hit = status != 0
    assert status in (0, 1, *(-number for number in SIGNALS)), run.said()
    assert status != 1 or "KeyboardInterrupt" in run.said() or "Aborted!" in run.said(), run.said()
    assert run.left() == []
    assert damaged_or_lost(root, before) == []
    counts.found["kills" if hit else "ended before"] += 1
    counts.found["trainings continued"] += continued(run, states, root)
    return hit


def kept_states(root: Path) -> dict[Path, int]:
    """The trainings that broke off, and the epochs that are kept of them."""
    files = root.rglob("training_state/state.pt")
    return {file: len(torch.load(file, weights_only=True)[1]["history"]) for file in files}


def continued(run: Launched, states: dict[Path, int], root: Path) -> int:
    """How many trainings went on; none that a run has ended began anew."""
    went_on = Counter(map(int, re.findall(r"goes on after epoch (\d+)", run.said())))
    ended = Counter(epochs for file, epochs in states.items() if not file.exists())
    assert ended <= went_on <= Counter(states.values())
    return went_on.total()


def assert_nothing_is_made_twice(root: Path, undisturbed: Path) -> None:
    """No node ran again of which all was whole."""
    whole = Counter((record.node, record.run) for record in complete(root).values())
    wanted = Counter(record.node for record in complete(undisturbed).values())
    times = Counter(node for (node, _), number in whole.items() if number == wanted[node])
    assert set(times.values()) == {1}


def assert_same_in_the_end(root: Path, undisturbed: Path) -> None:
    """The newest versions are those of a run that nobody killed, byte by byte."""
    expected = artifacts(undisturbed)
    found = {name: files for name, files in artifacts(root).items() if name in expected}
    assert set(found) == set(expected)
    for name, (file,) in expected.items():
        newest = found[name][-1]
        if "histor" in name:  # holds seconds
            assert_equal(read(newest), read(file), name)
        else:
            assert newest.read_bytes() == file.read_bytes(), name


@pytest.mark.parametrize("runner", CHANGED_ONLY)
def test_what_was_killed_is_continued_to_the_same_end(
    runner, launcher, undisturbed, counts, tmp_path
):
    chance = random.Random(runner)
    which, hits, root = f"--runner={PACKAGE}.{runner}", 0, None
    while hits < KILLS * 0.24:
        if root is None:
            root = tmp_path / f"after_{hits}"
            if hits or runner != "ChangedOnlyRunner":
                text_features = Path("04_feature/test/MiniLM")
                link_copy(undisturbed / text_features, root / text_features)
        if strike(launcher, root, chance, counts, which):
            hits += 1
        else:
            assert_whole(launcher, root, undisturbed, which)
            root = None
    if root:
        assert_whole(launcher, root, undisturbed, which)


def assert_whole(launcher: Launcher, root: Path, undisturbed: Path, which: str) -> None:
    """A last run makes what is missing, and then all is as if nobody had been killed."""
    states = kept_states(root)
    run = launcher.kedro("run", which, root=root, **EPOCHS)
    assert run.wait() == 0, run.said()
    continued(run, states, root)
    assert unfinished(root) == []
    assert_nothing_is_made_twice(root, undisturbed)
    assert_same_in_the_end(root, undisturbed)


def test_every_stage_under_the_plain_runners(launcher, undisturbed, counts, tmp_path):
    """Each is killed under all runners, then runs to its end."""
    context("test")  # knows the pipelines
    chance, hits = random.Random(1), 0
    while hits < KILLS * 0.28:
        root = tmp_path / f"after_{hits}"
        for stage in STAGES:
            changes = min(90, 12 + 8 * len(pipelines[stage].all_outputs()))
            for runner in PLAIN:
                which = (f"--pipelines={stage}", f"--runner={runner}")
                hits += strike(launcher, root, chance, counts, *which, changes=changes)
            launcher.run("run", f"--pipelines={stage}", root=root, **EPOCHS)
            assert unfinished(root) == []
        assert_same_in_the_end(root, undisturbed)
