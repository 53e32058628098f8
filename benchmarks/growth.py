"""How time and memory of every stage grow with the number of clips, and of classes.

Makes up clips (`.npy`, 20 frames, 25 joints) and class texts, and runs one stage of `gzssar` after
another, each in a process of its own, with small networks that are hardly trained, so that what
grows is what belongs to clips and classes. A stage's seconds are processor time, its memory is what
its processes hold together and the system cannot drop; both include Kedro's start. Prints a table
in Markdown, and draws it if told where. Needs Linux, for /proc.

    OMP_NUM_THREADS=1 python benchmarks/growth.py --clips 1000,4000,16000 --classes 20
    OMP_NUM_THREADS=1 python benchmarks/growth.py --clips 4000 --classes 10,60,240
    python benchmarks/growth.py --drawing docs/images/growth.svg    # both, all sizes
"""

import argparse
import csv
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from watching import Watch

from msf_kedro.drawings.charts.panels import Panel, panels_chart
from msf_kedro.sample import ACTIONS, generate_clip

ROOT = Path(__file__).parents[1]
STAGES = (
    *("skeletons", "splits", "semantics", "features", "alignment", "gate", "evaluation", "report"),
)
FRAMES, SUBJECTS = 20, 10
SIZES = {"clips": [(n, 20) for n in (1000, 4000, 16_000)]}
SIZES["classes"] = [(4000, k) for k in (10, 60, 240)]
VAES = {"latent": 16, "cycles": 2, "steps": 50, "latents_per_class": 50, "classifier_steps": 20}
SCHEDULE = {"skeleton_kl_from": 10, "text_kl_from": 20, "cross_from": 20}
PARAMETERS = {
    "clips": {"name_pattern": r"a(?P<action>\d+)_s(?P<subject>\d+)_t(?P<take>\d+)"},
    "seeds": [0, 1],
    "normalise": {"window": 16},
    "parts": {
        "train": "subject <= 6",
        "calibration_held_out": "subject == 6",
        "test_held_out": "subject == 6 and take == 1",
    },
    "shift_gcn": {"widths": [8], "strided_units": []},
    "shift_gcn_training": {"epochs": 1, "warmup_epochs": 0, "batch_size": 64},
    "streams": {"joint": 1.0, "bone": 0, "joint_motion": 0, "bone_motion": 0},
    "msf": VAES | SCHEDULE,
}


class Cost(NamedTuple):
    """Of one stage: processor seconds, and gigabytes at their peak."""

    seconds: float
    memory: float


def write_study(folder: Path, clips: int, classes: int) -> None:
    """Clips, class texts, and a copy of the configuration with an environment for them."""
    write_clips(folder / "clips", clips, classes)
    with (ROOT / "data/01_raw/class_texts/ntu_120.csv").open(newline="") as file:
        known = list(csv.DictReader(file))
    with (folder / "texts.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, known[0])
        table.writeheader()
        for number in range(classes):
            again = f" {number // len(known) + 1} times" if number >= len(known) else ""
            row = {key: f"{text}{again}" for key, text in known[number % len(known)].items()}
            table.writerow(row | {"class_id": number + 1})
    shutil.copytree(ROOT / "conf", folder / "conf")
    environment = folder / "conf" / "growth"
    environment.mkdir()
    fifth = classes // 5
    split = {
        "unseen": list(range(1, fifth + 1)),
        "calibration_unseen": list(range(fifth + 1, 2 * fifth + 1)),
    }
    given = {
        "globals": {"study": "growth", "classes": f"1-{classes}", "splits": {"split_1": split}}
        | {"class_texts": str(folder / "texts.csv"), "data_root": str(folder / "data")},
        "catalog": {
            "raw_clips": {
                "type": "msf_kedro.datasets.ClipFolderDataset",
                "path": str(folder / "clips"),
                "dataset": "msf_kedro.datasets.AnyClipDataset",
                "filename_suffix": ".npy",
            }
        },
        "parameters": PARAMETERS,
    }
    for name, content in given.items():
        (environment / f"{name}.yml").write_text(yaml.safe_dump(content))


def write_clips(folder: Path, clips: int, classes: int) -> None:
    """Sample movements with a sway of each class's own, subject after subject."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    bodies = [generate_clip(action, 1, 1, seed=0, frames=FRAMES)[:1] for action in sorted(ACTIONS)]
    sways = draw.normal(scale=0.05, size=(classes, 25, 3))
    time = np.sin(np.linspace(0, 6, FRAMES))[:, None, None]
    for number in range(clips):
        rest, place = divmod(number, classes)
        take, subject = divmod(rest, SUBJECTS)
        clip = bodies[place % len(bodies)] + time * sways[place]
        clip = clip + draw.normal(scale=0.005, size=clip.shape)
        name = f"a{place + 1:03d}_s{subject + 1:02d}_t{take + 1:04d}.npy"
        np.save(folder / name, clip.astype(np.float32))


def run_stage(stage: str, folder: Path) -> Cost:
    """Run a stage in a process of its own, and watch it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "kedro", "run", f"--pipelines={stage}", "--env=growth"]
    command += [f"--conf-source={folder / 'conf'}"]
    with (folder / f"{stage}.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        watch = Watch(process.pid, every=0.02)
        process.wait()
        watch.stop()
    if process.returncode:
        sys.exit((folder / f"{stage}.log").read_text()[-3000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, watch.peak["RssAnon"] / 1e9)


def measure(clips: int, classes: int) -> dict[str, Cost]:
    """Every stage's cost for a study of some size."""
    with tempfile.TemporaryDirectory() as name:
        write_study(Path(name), clips, classes)
        costs = {}
        for stage in STAGES:
            costs[stage] = run_stage(stage, Path(name))
            told = f"{clips} clips, {classes} classes, {stage}: {costs[stage].seconds:.1f} s,"
            print(told, f"{costs[stage].memory:.2f} GB", file=sys.stderr, flush=True)
    return costs


def table(what: str, sizes: list[tuple[int, int]], found: list[dict[str, Cost]]) -> Iterator[str]:
    """A Markdown table: a row for each stage, seconds and gigabytes at each size.

    Behind them what more clips or classes add, from each size to the next: as every stage has a
    start that does not grow, these show whether it grows faster than they do.
    """
    numbers = [size[what == "classes"] for size in sizes]
    unit = 1000 if what == "clips" else 100
    steps = list(pairwise(numbers))
    heads = [f"{number:,} {what}" for number in numbers]
    heads += [f"{unit:,} more, from {one:,} to {other:,}" for one, other in steps]
    yield f"| stage | {' | '.join(heads)} |"
    yield "|---" * (1 + len(heads)) + "|"
    for stage in STAGES:
        costs = [costs[stage] for costs in found]
        cells = [f"{cost.seconds:.1f} s, {cost.memory:.2f} GB" for cost in costs]
        for (one, other), (less, more) in zip(steps, pairwise(costs), strict=True):
            seconds, memory = (
                unit * (y - x) / (other - one) for x, y in zip(less, more, strict=True)
            )
            cells.append(f"{seconds:+.1f} s, {1000 * memory:+.0f} MB")
        yield f"| `{stage}` | {' | '.join(cells)} |"


def drawing(what: str, sizes: list[tuple[int, int]], found: list[dict[str, Cost]]) -> str:
    """A row for each stage: seconds and gigabytes against clips or classes."""
    scale, axis = (1000, "clips, thousands") if what == "clips" else (1, what)
    numbers = [size[what == "classes"] / scale for size in sizes]
    panels = []
    for stage in STAGES:
        for field, label, kind in (("seconds", "s", "seen"), ("memory", "GB", "unseen")):
            values = [getattr(costs[stage], field) for costs in found]
            panels.append(Panel(stage, axis, label, {kind: (stage, numbers, values)}))
    return panels_chart(panels, f"Time and memory of every stage, against {what}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", help="numbers, such as 1000,4000; default: both series")
    parser.add_argument("--classes", default="20", help="numbers, of at least 10")
    parser.add_argument("--drawing", type=Path, help="an .svg file to write, of the first series")
    options = parser.parse_args()
    series = SIZES
    if options.clips:
        clips, classes = (
            [int(number) for number in text.split(",")] for text in (options.clips, options.classes)
        )
        sizes = [(n, k) for n in clips for k in classes]
        series = {"classes" if len(classes) > 1 else "clips": sizes}
    done: dict[tuple[int, int], dict[str, Cost]] = {}
    measured = {}
    for what, sizes in series.items():
        for size in sizes:
            done[size] = done.get(size) or measure(*size)
        measured[what] = sizes, [done[size] for size in sizes]
        print(f"\nload of the machine {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores\n")
        print("\n".join(table(what, *measured[what])), flush=True)
    if options.drawing:
        what = next(iter(measured))
        options.drawing.write_text(drawing(what, *measured[what]))


if __name__ == "__main__":
    main()
