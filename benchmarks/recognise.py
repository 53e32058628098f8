"""Clips per second of a recogniser, and how long one clip takes, on the CPU.

    OMP_NUM_THREADS=1 python benchmarks/recognise.py --bundle FOLDER --clips FOLDER

Clips are read from their files and normalised each time, as `Recognizer.predict` does, one at a
time and in batches. Then: how long it takes to open a bundle and to describe a class, the first one
with the text encoder's loading, and a window of a stream. Medians of the rounds, wall time and
processor time: trust the latter where other programs run.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from msf_kedro.recognizer import Recognizer
from msf_kedro.recognizer.incoming import named_clips


def timed(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median wall and processor seconds."""
    walls, processors = [], []
    for _ in range(rounds):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return statistics.median(walls), statistics.median(processors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--clips", type=Path, required=True, help="a folder of clips' files")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 64, 256])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    def row(what: str, seconds: tuple[float, float], clips: int = 0) -> None:
        wall, processor = seconds
        rate = f"{clips / wall:8.1f} {clips / processor:8.1f}" if clips else ""
        print(f"{what:36} {1000 * wall:10.1f} {1000 * processor:10.1f} {rate}")

    print(f"{'':36} {'wall ms':>10} {'CPU ms':>10} {'clips/s':>8} {'per CPU s':>8}")
    row("open the bundle", timed(lambda: Recognizer.load(options.bundle), options.rounds))
    recognizer = Recognizer.load(options.bundle)
    files = [file for _, file in named_clips(options.clips)]
    if refused := [p for p in recognizer.predict(files[:8]) if p.refused]:
        raise SystemExit(str(refused[0]))
    for size in options.batches:
        batch = (files * -(-size // len(files)))[:size]
        row(f"{size} at a time", timed(lambda b=batch: recognizer.predict(b), options.rounds), size)
    words = {f"class {n}": f"The body moves in way {n}." for n in range(options.rounds + 1)}
    first, *others = words.items()
    row("describe a first class", timed(lambda: recognizer.describe(dict([first])), 1))
    rest = iter(others)
    row("describe another one", timed(lambda: recognizer.describe(dict([next(rest)])), len(others)))
    sets = iter(range(1, len(words) + 1))
    labels = recognizer.classes.label.tolist()
    clip = files[0]
    learnt = timed(lambda: recognizer.predict(clip, labels[: -next(sets)]), options.rounds)
    row("a clip among a new set of classes", learnt, 1)


if __name__ == "__main__":
    main()
