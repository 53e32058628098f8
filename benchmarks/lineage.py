"""What records, hashes and locks cost: the main job with the hook that writes them, and without.

    OMP_NUM_THREADS=1 python benchmarks/lineage.py --env=sample --rounds=3

Runs alternate, each in a process and a data root of its own; the table has medians, of seconds and
of processor seconds. The time inside the hook's methods is told apart. Each round ends with a run
that finds nothing changed.
"""

import argparse
import functools
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
WITH, WITHOUT, AGAIN = "with records", "without", "nothing changed"


def once(how: str, env: str, data_root: str) -> dict[str, float]:
    """Run the main job in this process; seconds of the whole and of the hook's parts."""
    started = time.perf_counter(), time.process_time()
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    from msf_kedro import settings
    from msf_kedro.runner import ChangedOnlyRunner, Lineage

    spent: Counter[str] = Counter()
    if how == WITHOUT:
        settings.HOOKS = tuple(hook for hook in settings.HOOKS if not isinstance(hook, Lineage))
        bootstrap_project(ROOT)
    for name, function in vars(Lineage).items():
        if hasattr(function, "kedro_impl"):
            setattr(Lineage, name, timed(function, spent))
    params = {"data_root": data_root}
    with KedroSession.create(ROOT, env=env, runtime_params=params) as session:
        session.run(runner=ChangedOnlyRunner() if how == AGAIN else None)
    seconds = time.perf_counter() - started[0], time.process_time() - started[1]
    return {"seconds": seconds[0], "processor": seconds[1]} | spent


def timed(function, spent: Counter[str]):
    """The same function; its seconds are added up under its name."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[function.__name__] += time.perf_counter() - started

    return call


def in_a_process(how: str, env: str, data_root: str) -> dict[str, float]:
    command = [
        sys.executable,
        __file__,
        f"--env={env}",
        f"--once={how}",
        f"--data-root={data_root}",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="sample")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", help=argparse.SUPPRESS)
    parser.add_argument("--data-root", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.once:
        print(json.dumps(once(given.once, given.env, given.data_root)))
        return
    found = defaultdict(list)
    for number in range(given.rounds):
        for how in (WITH, WITHOUT) if number % 2 else (WITHOUT, WITH):
            with tempfile.TemporaryDirectory() as data_root:
                found[how].append(in_a_process(how, given.env, data_root))
                if how == WITH:
                    found[AGAIN].append(in_a_process(AGAIN, given.env, data_root))
    whole, plain = (median(run["seconds"] for run in found[how]) for how in (WITH, WITHOUT))
    for how, runs in found.items():
        seconds, processor = (median(run[key] for run in runs) for key in ("seconds", "processor"))
        print(f"{how:<22}{seconds:8.2f} s  {processor:8.2f} s of the processor")
    print(f"difference            {whole - plain:8.2f} s  {whole / plain - 1:8.2%}")
    parts = {name for run in found[WITH] for name in run} - {"seconds", "processor"}
    inside = {name: median(run.get(name, 0) for run in found[WITH]) for name in parts}
    for name, part in sorted(inside.items(), key=lambda item: -item[1]):
        print(f"  {name:<20}{part:8.3f} s  {part / whole:8.2%}")
    print(
        f"  {'in the hook':<20}{sum(inside.values()):8.3f} s  {sum(inside.values()) / whole:8.2%}"
    )


if __name__ == "__main__":
    main()
