"""Two runs at the same time on one data root end with the figures that each gives alone."""

import signal
import time
from functools import cache
from pathlib import Path

import pytest
from support.launched import Launched, complete, damaged_or_lost, unfinished
from support.sessions import artifacts, link_copy, read

from msf_kedro.runner.locks import is_held

CHANGED_ONLY = "--runner=msf_kedro.runner.ChangedOnlyRunner"
BEHIND_CLIPS = "--pipelines=splits,features,alignment,gate,evaluation"
BEHIND_FEATURES = "--pipelines=alignment,gate,evaluation"
BENCHMARK = {"benchmark.methods": "ridge", "benchmark.texts": "MD", "benchmark.splits": "split_1"}


@pytest.fixture(scope="module")
def base(launcher, tmp_path_factory) -> Path:
    """A data root with all of a run, never to be written to."""
    root = tmp_path_factory.mktemp("base") / "data"
    launcher.run("run", root=root)
    return root


@pytest.fixture
def root(base, tmp_path) -> Path:
    return link_copy(base, tmp_path / "data")


@pytest.fixture(scope="module")
def alone(launcher, base, tmp_path_factory):
    """What a run reports that has a copy of the data root for itself."""

    @cache
    def report(pipelines: str, **params) -> dict:
        if not params:
            return read(next(base.glob("08_reporting/**/metrics.json/*/metrics.json")))
        root = link_copy(base, tmp_path_factory.mktemp("alone") / "data")
        run = launcher.kedro("run", pipelines, root=root, **params)
        assert run.wait() == 0, run.said()
        return reported(run)

    return report


def reported(run: Launched) -> dict:
    """The figures and parameters that a run has reported."""
    (file,) = run.root.glob(f"08_reporting/**/metrics.json/{run.run_id}/metrics.json")
    return read(file)


def ended_well(*runs: Launched) -> None:
    for run in runs:
        assert run.wait() == 0, run.said()
        assert run.left() == []
    assert damaged_or_lost(runs[0].root, {}) == []


@pytest.mark.parametrize(
    ("pipelines", "first", "second", "runner"),
    [
        (BEHIND_CLIPS, {}, {"seed": 5}, "ParallelRunner"),
        (BEHIND_CLIPS, {"split": "split_2"}, {}, "ParallelRunner"),
        (BEHIND_FEATURES, {"texts": "MD"}, {"texts": "LB"}, "SequentialRunner"),
        (BEHIND_FEATURES, {"method": "ridge"}, {"msf.cycles": 3}, "ThreadRunner"),
        (BEHIND_FEATURES, {"method": "ridge"}, {"method": "ridge", "seed": 5}, "ThreadRunner"),
    ],
    ids=["seeds", "splits", "texts", "methods", "seeds of a method"],
)
def test_figures_are_those_of_a_run_alone(pipelines, first, second, runner, launcher, alone, root):
    one = launcher.kedro("run", pipelines, f"--runner={runner}", root=root, **first)
    time.sleep(1.5)
    other = launcher.kedro("run", pipelines, f"--runner={runner}", root=root, **second)
    ended_well(one, other)
    assert unfinished(root) == []
    assert reported(one) == alone(pipelines, **first)
    assert reported(other) == alone(pipelines, **second)


def test_a_run_beside_one_that_runs_what_has_changed(launcher, alone, root):
    one = launcher.kedro("run", BEHIND_FEATURES, root=root, seed=5)
    other = launcher.kedro("run", CHANGED_ONLY, root=root, **{"msf.cycles": 3})
    ended_well(one, other)
    assert reported(one) == alone(BEHIND_FEATURES, seed=5)
    assert reported(other) == alone(BEHIND_FEATURES, **{"msf.cycles": 3})


def test_a_benchmark_beside_a_single_job(launcher, alone, root):
    """Both make the same cell."""
    one = launcher.kedro("run", "--pipelines=benchmark", CHANGED_ONLY, root=root, **BENCHMARK)
    job = {"method": "ridge", "texts": "MD"}
    other = launcher.kedro("run", BEHIND_FEATURES, root=root, **job)
    ended_well(one, other)
    figures = alone(BEHIND_FEATURES, **job)
    assert reported(other) == figures
    (table,) = artifacts(root)["08_reporting/test/benchmark.parquet"]
    rows = read(table).query("gate == 'threshold'").sort_values("seed")
    for protocol, found in rows.groupby("protocol"):
        expected = figures[protocol]["gates"]["threshold"]
        for name in ("acc_seen", "acc_unseen", "harmonic_mean"):
            assert found[name].tolist() == expected[name]["values"], name


def test_who_makes_the_same_waits_says_for_whom_and_goes_on_when_that_is_killed(
    launcher, alone, root
):
    """The first is stopped while it makes the gates; meanwhile nothing may be pruned."""
    before, alone_by = complete(root), {"beside": "none"}  # or its gates are the first
    stop = {"at": "gates.parquet.", "number": signal.SIGSTOP}
    first = launcher.kedro("run", "--pipelines=gate", root=root, **stop, seed=5, **alone_by)
    first.wait_for_stop()
    lock = next(root.glob("06_models/**/gates.parquet/.lock"))
    assert is_held(lock)
    second = launcher.kedro("run", "--pipelines=gate,evaluation", root=root, **alone_by)
    second.wait_for("waiting to make gates.parquet (gate.fit_gates)")
    assert f"run {first.run_id} (process {first.pid} on " in second.said()
    assert "has been at it for" in second.said()
    pruning = launcher.kedro("msf", "prune", root=root)
    assert pruning.wait() == 1
    assert f"run {first.run_id} is at work" in pruning.said()
    assert damaged_or_lost(root, before) == []
    first.kill()
    assert first.wait() == -signal.SIGKILL
    ended_well(second)
    assert reported(second) == alone(BEHIND_FEATURES, **alone_by)
    assert not is_held(lock)
    launcher.run("run", "--nodes=evaluation.report", root=root, **alone_by)
    assert read(root / f"08_reporting/runs/{first.run_id}.json")["status"] == "interrupted"
    assert unfinished(root) == []
    assert "removed" in launcher.run("msf", "prune", root=root)


def test_a_run_reads_what_was_there_when_it_began(launcher, alone, root):
    """Newer features appear while it is stopped before its first node."""
    params = {"msf.cycles": 3}
    first = launcher.kedro(
        *("run", BEHIND_FEATURES), root=root, at="/.lock", number=signal.SIGSTOP, **params
    )
    first.wait_for_stop()
    launcher.run("run", "--pipelines=features", root=root, seed=5)
    first.kill(signal.SIGCONT)
    ended_well(first)
    assert reported(first) == alone(BEHIND_FEATURES, **params)
