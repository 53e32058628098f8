"""What workers of a Dask cluster gain: measured with one and two, simulated with more.

    OMP_NUM_THREADS=1 python benchmarks/cluster.py measure --env=test --rounds=3
    python benchmarks/cluster.py simulate --env=utd_mhad --measured=DATA_ROOT --workers=1,2,8,64

`measure` starts a scheduler and workers of one thread each on this machine, has every worker import
what it needs by a first run, and then times runs of the stages `splits` and `features`, the two
numbers of workers taking turns; the table has medians of the runs' seconds.

`simulate` measures nothing: it takes the seconds of nodes from the runs that are recorded below a
data root, and hands the nodes of the benchmark to workers as they become ready. A node without a
recorded time of its own takes the mean of those with the same function and method, or else the
same function; the output says how many.
"""

import argparse
import heapq
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from statistics import mean, median

ROOT = Path(__file__).parents[1]
STAGES = "--pipelines=splits,features"


def kedro(env: str, data_root: Path, *arguments: str) -> float:
    """Run a command; the seconds that its run's file says it took."""
    command = [sys.executable, "-m", "kedro", "run", f"--env={env}"]
    command += [f"--params=data_root={data_root}", *arguments]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    *_, file = sorted((data_root / "08_reporting" / "runs").glob("*.json"))
    return json.loads(file.read_text())["seconds"]


def start_cluster(stack: ExitStack, folder: Path, workers: int) -> Path:
    """A scheduler and workers of one thread each; the scheduler's file."""
    file = folder / f"scheduler_{workers}.json"
    dask = str(Path(sys.executable).with_name("dask"))
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    place = ["--scheduler-file", str(file), "--no-dashboard"]
    worker = ["worker", *place, "--nthreads", "1", "--nworkers", str(workers)]
    for command in (["scheduler", "--port", "0", *place], worker):
        with (folder / f"{command[0]}_{workers}.log").open("w") as log:
            process = subprocess.Popen(
                [dask, *command], cwd=folder, env=environment, stdout=log, stderr=log
            )
        stack.callback(process.terminate)
        while not file.exists():
            time.sleep(0.1)
    return file


def measure(env: str, rounds: int, numbers: list[int]) -> None:
    """Print the seconds of runs with some numbers of workers, and the speed-up."""
    seconds: dict[int, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = {number: start_cluster(stack, folder, number) for number in numbers}
        for n in range(-1, rounds):
            for number, file in files.items():
                root = folder / f"{n}_{number}"
                kedro(env, root, "--pipelines=skeletons")
                runner = "--runner=msf_kedro.runner.DaskRunner"
                took = kedro(env, root, STAGES, runner, f"--runner-params=scheduler_file={file}")
                if n >= 0:  # the first run imports
                    seconds[number].append(took)
    print(f"{env}, {STAGES}, {rounds} rounds, load {os.getloadavg()[0]:.1f}")
    for number, took in seconds.items():
        ratio = median(seconds[numbers[0]]) / median(took)
        print(f"{number:>3} workers {median(took):8.1f} s   speed-up {ratio:.2f}")


def recorded(data_root: Path) -> dict[str, float]:
    """The seconds of every node, as its newest run says."""
    found: dict[str, float] = {}
    for file in sorted((data_root / "08_reporting" / "runs").glob("*.json")):
        nodes = json.loads(file.read_text()).get("nodes", {})
        found |= {name: node["seconds"] for name, node in nodes.items() if "seconds" in node}
    return found


def kind_of(name: str, methods: set[str]) -> tuple[str, str]:
    """What of a node's name decides how long it takes: its function, and its method if it has one.

    A single job's nodes name no method; they are those of `msf`.
    """
    parts = name.split(".")
    return parts[-1], next((part for part in parts if part in methods), "msf")


def simulate(env: str, data_root: Path, numbers: list[int]) -> None:
    """Print how long the benchmark of an environment would take with some numbers of workers."""
    from kedro.framework.project import pipelines
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    from msf_kedro.methods import METHODS

    with KedroSession.create(ROOT, env=env) as session:
        session.load_context()
        pipeline = pipelines["benchmark"]
    known = recorded(data_root)
    by_kind, by_function = defaultdict(list), defaultdict(list)
    for name, took in known.items():
        kind = kind_of(name, set(METHODS))
        by_kind[kind].append(took)
        by_function[kind[0]].append(took)
    names = [node.name for node in pipeline.nodes]
    seconds, how = {}, defaultdict(int)
    for name in names:
        kind = kind_of(name, set(METHODS))
        for told, times in (
            ("itself", [known[name]] if name in known else []),
            ("function and method", by_kind[kind]),
            ("function", by_function[kind[0]]),
            ("nothing", [0.0]),
        ):
            if times:
                seconds[name] = mean(times)
                how[told] += 1
                break
    print(f"SIMULATION of {len(names)} nodes of the benchmark of {env}, one node a worker")
    print("seconds of nodes by", ", ".join(f"{told}: {number}" for told, number in how.items()))
    after = {
        node.name: {other.name for other in others}
        for node, others in pipeline.node_dependencies.items()
    }
    longest = {}
    for name in names:  # in an order in which what a node needs comes first
        longest[name] = seconds[name] + max((longest[n] for n in after[name]), default=0)
    print(
        f"all together {sum(seconds.values()):.0f} s, longest chain {max(longest.values()):.0f} s"
    )
    for number in numbers:
        took = schedule(names, seconds, after, number)
        share = sum(seconds.values()) / took / number
        print(f"{number:>3} workers {took:8.0f} s   {share:.0%} of them at work")


def schedule(
    names: list[str], seconds: dict[str, float], after: dict[str, set[str]], workers: int
) -> float:
    """When the last node ends if each starts on the next free worker, in the pipeline's order."""
    before = defaultdict(list)
    missing = {name: len(after[name]) for name in names}
    for name in names:
        for other in after[name]:
            before[other].append(name)
    place = {name: number for number, name in enumerate(names)}
    ready = [place[name] for name in names if not missing[name]]
    heapq.heapify(ready)
    at_work: list[tuple[float, int]] = []
    now = 0.0
    while ready or at_work:
        while ready and len(at_work) < workers:
            number = heapq.heappop(ready)
            heapq.heappush(at_work, (now + seconds[names[number]], number))
        now, number = heapq.heappop(at_work)
        for name in before[names[number]]:
            missing[name] -= 1
            if not missing[name]:
                heapq.heappush(ready, place[name])
    return now


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["measure", "simulate"])
    parser.add_argument("--env", default="test")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measured", type=Path, help="a data root with recorded runs")
    parser.add_argument("--workers", default="1,2")
    chosen = parser.parse_args()
    numbers = [int(number) for number in chosen.workers.split(",")]
    if chosen.what == "measure":
        measure(chosen.env, chosen.rounds, numbers)
    else:
        simulate(chosen.env, chosen.measured, numbers)
