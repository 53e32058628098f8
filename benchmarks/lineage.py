"""What records, hashes and locks cost in a whole run.

    OMP_NUM_THREADS=1 python benchmarks/lineage.py --env=sample

Runs the main job of a study in a data root of its own, adds up the time inside the hook that writes
records, and compares it with the time of the whole run. Then runs it again with nothing changed.
"""

import argparse
import functools
import tempfile
import time
from collections import Counter
from pathlib import Path

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

ROOT = Path(__file__).parents[1]
seconds: Counter[str] = Counter()


def timed(function):
    """The same function; its time is added up under its name."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            seconds[function.__name__] += time.perf_counter() - started

    return call


def run(env: str, data_root: str, **options) -> float:
    """Seconds of a run."""
    started = time.perf_counter()
    params = {"data_root": data_root}
    with KedroSession.create(ROOT, env=env, runtime_params=params) as session:
        session.run(**options)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="sample")
    env = parser.parse_args().env
    bootstrap_project(ROOT)
    from msf_kedro.runner import ChangedOnlyRunner, Lineage

    for name, function in vars(Lineage).items():
        if hasattr(function, "kedro_impl"):
            setattr(Lineage, name, timed(function))
    with tempfile.TemporaryDirectory() as data_root:
        whole = run(env, data_root)
        spent = dict(seconds)
        again = run(env, data_root, runner=ChangedOnlyRunner())
    print(f"the whole run       {whole:8.2f} s")
    for name, part in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {name:<20}{part:6.2f} s  {part / whole:6.2%}")
    print(f"  {'in all':<20}{sum(spent.values()):6.2f} s  {sum(spent.values()) / whole:6.2%}")
    print(f"nothing changed     {again:8.2f} s")


if __name__ == "__main__":
    main()
