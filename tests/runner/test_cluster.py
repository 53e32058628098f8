"""Runs on a Dask cluster of processes that were started from the command line."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from click import ClickException
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node
from kedro.runner.task import Task
from support.launched import complete, unfinished
from support.sessions import ROOT, artifacts, assert_equal, link_copy, read

from msf_kedro.runner import DaskRunner
from msf_kedro.runner.cluster import Nodes

STAGES = "--pipelines=splits,features"
# Long enough to be hit, and else as short as can be.
PARAMS = {"shift_gcn_training.epochs": 8, "streams.bone_motion": 0, "streams.joint_motion": 0}
PATIENCE = 120.0  # seconds


@contextmanager
def started(*command: str, folder: Path):
    """A process in a session of its own, with all that it starts."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    dask = str(Path(sys.executable).with_name("dask"))
    log = (folder / f"{'_'.join(command[:2])}.log").open("w")
    with log, subprocess.Popen(
        [dask, *command], cwd=folder, env=environment, stdout=log, stderr=log,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process.pid
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def cluster(folder: Path):
    """A scheduler and two workers; gives the scheduler's file, and the workers' processes."""
    file = folder / "scheduler.json"
    worker = ("--scheduler-file", str(file), "--nthreads", "1", "--no-dashboard")
    with ExitStack() as stack:
        command = ("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        stack.enter_context(started(*command, folder=folder))
        until = time.monotonic() + PATIENCE
        while not file.exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        workers = [
            stack.enter_context(started("worker", f"--name={n}", *worker, *more, folder=folder))
            for n, more in enumerate((["--resources", "GPU=1"], ["--resources", "GPU=1"]))
        ]
        yield file, workers


def trainer(root: Path) -> int:
    """The process that trains a network, which has got through an epoch."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for state in root.glob("06_models/**/training_state/state.pt"):
            lock = state.parents[1] / "shift_gcn.pt/.lock"
            if lock.exists() and (owner := re.search(r"process (\d+)", lock.read_text())):
                return int(owner[1])
        time.sleep(0.01)
    raise AssertionError("nothing was trained")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes in /proc")
def test_a_run_outlives_one_of_its_workers_and_equals_a_sequential_one(launcher, tmp_path):
    alone, root = tmp_path / "alone", tmp_path / "root"
    launcher.run("run", "--pipelines=skeletons", root=root, **PARAMS)
    link_copy(root, alone)
    (folder := tmp_path / "cluster").mkdir()
    with cluster(folder) as (file, workers):
        params = f"--runner-params=scheduler_file={file}"
        runner = "--runner=msf_kedro.runner.ChangedOnlyDaskRunner"
        run = launcher.kedro("run", STAGES, runner, params, root=root, **PARAMS)
        struck = os.getsid(trainer(root))
        assert struck in workers
        os.killpg(struck, signal.SIGKILL)
        launcher.run("run", STAGES, root=alone, **PARAMS)  # meanwhile
        assert run.wait() == 0, run.said()
        again = launcher.run("run", STAGES, runner, params, root=root, **PARAMS)
        assert re.search(r"\b(\d+) nodes: \1 are kept", again)
    assert unfinished(root) == []
    assert len(complete(root)) == len(complete(alone))
    expected, found = artifacts(alone), artifacts(root)
    assert found.keys() == expected.keys()
    for name, (file,) in expected.items():
        (made,) = found[name]
        if "histor" in name:  # holds seconds
            assert_equal(read(made), read(file), name)
        else:
            assert made.read_bytes() == file.read_bytes(), name
    about = json.loads((root / f"08_reporting/runs/{run.run_id}.json").read_text())
    assert about["status"] == "done"
    assert {node["outcome"] for node in about["nodes"].values()} == {"made"}


@pytest.mark.parametrize(
    ("tags", "gpu", "resources"),
    [("gpu", True, {"GPU": 1}), ("gpu", False, None), (None, True, None)],
)
def test_nodes_with_the_tag_gpu_ask_for_a_worker_that_has_one(tags, gpu, resources):
    asked = {}
    pool = SimpleNamespace(submit=lambda *given, **options: asked.update(options) or Future())
    client = SimpleNamespace(get_executor=lambda **_: pool)
    work = node(abs, "x", "y", name="train", tags=tags)
    Nodes(client, gpu).submit(Task(work, DataCatalog(), False, run_id="now", parallel=True))
    assert asked["resources"] == resources


def test_what_would_be_in_one_workers_memory_is_refused():
    catalog = DataCatalog({"x": MemoryDataset(1)})
    with pytest.raises(ClickException, match="y would only be in the memory of one worker"):
        DaskRunner(workers=1).run(Pipeline([node(abs, "x", "y", name="n")]), catalog)
