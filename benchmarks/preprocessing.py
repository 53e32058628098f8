"""How fast, and in how much memory, `.skeleton` files become skeletons.

Writes a corpus of a given size, with the sample's movements at the lengths of NTU's clips, lets
`kedro run --pipelines=skeletons` prepare it, watches the processes and extrapolates to NTU RGB+D
120. Needs Linux, for /proc. 10,000 clips are 3.7 GB; a corpus of the right size that is already
there is reused.

    python benchmarks/preprocessing.py --clips 10000 --folder /tmp/corpus
    python benchmarks/preprocessing.py --clips 10000 --folder /tmp/corpus --kill-after 20
    python benchmarks/preprocessing.py --clips 10000 --folder /tmp/corpus \
        --params normalise.window=300,normalise.resample=false
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from watching import KINDS, Watch

from msf_kedro.sample import ACTIONS, generate_clip, write_skeleton

ROOT = Path(__file__).parents[1]
FULL = 114_480  # clips of NTU RGB+D 120
FRAMES = (100, 150)
WITHOUT_BODY = 200  # one clip in so many, as in NTU
NTU_60 = [action for action in ACTIONS if action <= 60]
ORIENTATION = "-0.2059422 0.05349901 0.9692109 -0.1239193"  # as many digits as in recordings


def clip_of(number: int) -> tuple[str, str]:
    """Name and text of one clip of the corpus."""
    rest, action = divmod(number, len(NTU_60))
    rest, performer = divmod(rest, 40)
    rest, replication = divmod(rest, 2)
    setup, camera = divmod(rest, 3)
    action, performer = NTU_60[action], performer + 1
    name = f"S{setup + 1:03d}C{camera + 1:03d}P{performer:03d}R{replication + 1:03d}A{action:03d}"
    frames = int(np.random.default_rng(number).integers(FRAMES[0], FRAMES[1] + 1))
    if number % WITHOUT_BODY == WITHOUT_BODY - 1:
        return name, "\n".join([str(frames)] + ["0"] * frames) + "\n"
    clip = generate_clip(action, performer, rest * 2 + replication + 1, seed=0, frames=frames)
    return name, write_skeleton(clip).replace(" 1 0 0 0 2\n", f" {ORIENTATION} 2\n")


def write_clip(number: int, folder: Path) -> None:
    name, text = clip_of(number)
    (folder / f"{name}.skeleton").write_text(text)


def write_corpus(folder: Path, clips: int) -> None:
    """Write the corpus, unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    there = len(list(folder.glob("*.skeleton")))
    if there == clips:
        return
    if there:
        sys.exit(f"{folder} holds {there} clips, not {clips}: remove it or name another folder")
    start = time.monotonic()
    with ProcessPoolExecutor() as pool:
        list(pool.map(partial(write_clip, folder=folder), range(clips), chunksize=50))
    print(f"written in {time.monotonic() - start:.0f} s")


def run(command: list[str], kill_after: float | None) -> dict:
    """Run a command and watch it; kill it outright, like a power cut, after so many seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"})
    watch = Watch(process.pid)
    try:
        process.wait(kill_after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    watch.stop()
    seconds = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    killed = bool(kill_after) and process.returncode < 0
    if process.returncode and not killed:
        sys.exit(f"the run failed with {process.returncode}")
    return {"seconds": seconds, "cpu": cpu, "peak": watch.peak, "processes": watch.processes}


def size(folder: Path, pattern: str) -> int:
    return sum(file.stat().st_size for file in folder.rglob(pattern))


def report(clips: int, text: int, skeletons: int, result: dict) -> None:
    seconds, cores = result["seconds"], os.cpu_count()
    rate, scale = clips / seconds, FULL / clips
    kinds = ", ".join(f"{KINDS[key]} {value / 1e6:.0f} MB" for key, value in result["peak"].items())
    print(
        f"{clips} clips, {text / 1e9:.2f} GB of text, skeletons {skeletons / 1e9:.2f} GB\n"
        f"wall {seconds:.1f} s, {rate:.0f} files/s, {rate / cores:.0f} files/s per core of {cores};"
        f" CPU {result['cpu']:.1f} s, {clips / result['cpu']:.0f} files per CPU second\n"
        f"peak resident memory of {result['processes']} processes together: {kinds}\n"
        f"load of the machine: {os.getloadavg()[0]:.1f}\n"
        f"{FULL} clips at this rate: {FULL / rate / 60:.1f} min with {cores} cores,"
        f" {text * scale / 1e9:.0f} GB of text, skeletons {skeletons * scale / 1e9:.1f} GB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, required=True, help="where the corpus is or goes")
    parser.add_argument("--env", default="ntu60", help="a study on NTU's clips")
    parser.add_argument("--params", default="", help="more --params for kedro run")
    parser.add_argument("--kill-after", type=float, help="seconds; then run again to the end")
    options = parser.parse_args()
    write_corpus(options.folder / "raw", options.clips)
    data = options.folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    params = [f"data_root={data}", f"raw_clips={options.folder / 'raw'}", options.params]
    command = [sys.executable, "-m", "kedro", "run", f"--env={options.env}"]
    command += ["--pipelines=skeletons", f"--params={','.join(filter(None, params))}"]
    if options.kill_after:
        run(command, options.kill_after)
        chunks = len(list(data.rglob("*.npz")))
        print(f"killed after {options.kill_after:.0f} s: {chunks} chunks are finished; once more")
    result = run(command, None)
    text, skeletons = size(options.folder / "raw", "*.skeleton"), size(data, "skeletons.pt")
    report(options.clips, text, skeletons, result)


if __name__ == "__main__":
    main()
