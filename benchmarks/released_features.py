"""How long `gzssar_released` takes, and how much memory, on an archive of full shape.

Writes a synthetic archive (features, labels, logits, text features) with the sizes of the released
one for an environment's class split, runs the pipeline on it as `kedro run` does, and reports wall
time, processor time, peak memory and the time of every node. Features and texts of a class come
from one latent vector, so that figures above chance show that the data reached the right places;
they mean nothing else.

    python benchmarks/released_features.py --env=ntu60 --split=48-12
    python benchmarks/released_features.py --env=ntu60 --params=msf.steps=200
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from watching import Watch

from msf_kedro.zero_shot.splits import SplitConfig, get_split, parse_classes

ROOT = Path(__file__).parents[1]
WIDTH, TEXT_WIDTH, LATENT = 256, 512, 24
# Clips of a study with so many classes, and so many unseen ones: train, val and all test clips.
SIZES = {
    (60, 5): {"train": 36_700, "calibration_train": 31_200, "val": 2_000, "gtest": 16_500},
    (60, 12): {"train": 32_000, "calibration_train": 22_000, "val": 2_000, "gtest": 16_500},
    (120, 10): {"train": 60_000, "calibration_train": 54_000, "val": 4_000, "gtest": 59_000},
    (120, 24): {"train": 54_000, "calibration_train": 40_000, "val": 4_000, "gtest": 59_000},
}


class Archive:
    """Writes folders of arrays whose classes have a latent vector each."""

    def __init__(self, classes: int, seed: int = 0):
        self.rng = np.random.default_rng(seed)
        self.latents = self.rng.normal(size=(classes, LATENT)).astype(np.float32)
        to_features = self.rng.normal(size=(LATENT, WIDTH)).astype(np.float32)
        means = 0.3 + self.latents @ to_features * 0.6 / LATENT**0.5
        self.means = np.maximum(means, 0)

    def write_phase(self, folder: Path, train: list[int], groups: dict, files: dict) -> None:
        """`train` are the classes that logits know; groups are (classes, clips)."""
        folder.mkdir(parents=True)
        for group, (classes, clips) in groups.items():
            labels = self.rng.permutation(np.resize(np.array(classes) - 1, clips))
            features = self.draw(labels)
            label_file, logit_file = files[group]
            self.save(folder, group, labels, features, train, label_file, logit_file)
            if group == "gtest":  # the unseen ones are also the clips of ZSSAR
                unseen = ~np.isin(labels, np.array(train) - 1)
                rows = (labels[unseen], features[unseen])
                self.save(folder, "ztest", *rows, train, "z_label", None)

    def draw(self, labels: np.ndarray) -> np.ndarray:
        noise = self.rng.normal(size=(len(labels), WIDTH)).astype(np.float32)
        return np.maximum(self.means[labels] + 1.2 * noise, 0)

    def save(self, folder, group, labels, features, train, label_file, logit_file) -> None:
        np.save(folder / f"{group}.npy", features)
        np.save(folder / f"{label_file}.npy", labels)
        if logit_file:
            logits = 0.3 * (features @ self.means.T - (self.means**2).sum(1) / 2)
            others = np.setdiff1d(np.arange(len(self.means)), np.array(train) - 1)
            logits[:, others] -= 20  # these outputs were never a target
            np.save(folder / f"{logit_file}.npy", logits.astype(np.float32))

    def write_texts(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        for kind in ("lb", "ad", "md"):
            to_text = self.rng.normal(size=(LATENT, TEXT_WIDTH))
            noise = self.rng.normal(size=(len(self.latents), TEXT_WIDTH))
            texts = (self.latents @ to_text / LATENT**0.5 + 0.5 * noise) * 0.4
            np.save(folder / f"{kind}_{len(self.latents)}.npy", texts.astype(np.float32))


def write_archive(folder: Path, split: SplitConfig, classes: list[int], scale: float) -> None:
    """Both phases of a split, and texts, at a fraction of the full size."""
    full = SIZES[len(classes), len(split.unseen)]
    sizes = {name: max(len(classes) * 4, round(scale * size)) for name, size in full.items()}
    archive = Archive(len(classes))
    seen = sorted(set(classes) - set(split.unseen))
    inner = sorted(set(seen) - set(split.calibration_unseen))
    archive.write_phase(
        folder / "features" / f"shift_{len(split.unseen)}_r",
        seen,
        {"train": (seen, sizes["train"]), "gtest": (classes, sizes["gtest"])},
        {"train": ("train_label", None), "gtest": ("g_label", "gtest_out")},
    )
    unseen = split.calibration_unseen
    archive.write_phase(
        folder / "features" / f"shift_val_{len(unseen)}_r",
        inner,
        {
            "train": (inner, sizes["calibration_train"]),
            "val": (inner, sizes["val"]),
            "ztest": (unseen, sizes["gtest"] * len(unseen) // len(classes)),
        },
        {
            "train": ("train_label", None),
            "val": ("val_label", "val_out"),
            "ztest": ("z_label", "ztest_out"),
        },
    )
    archive.write_texts(folder / "texts")


def run(command: list[str]) -> tuple[list[tuple[str, float]], Watch]:
    """Run, pass the output on; the seconds from each node's end to the next, and the memory."""
    seconds, before = [], time.perf_counter()
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        watch = Watch(process.pid)
        for line in process.stdout:
            sys.stdout.write(line)
            end = re.search(r"INFO +(?:\d+ nodes|\d+/\d+  (.+?)(?:  .*)?$)", line.rstrip())
            if end:
                now = time.perf_counter()
                seconds.append((end[1] or "start-up", now - before))
                before = now
        watch.stop()
    if process.returncode:
        raise SystemExit(process.returncode)
    return seconds, watch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--env", default="ntu60")
    parser.add_argument("--split", help="default: the environment's first")
    parser.add_argument("--conf-source", default=str(ROOT / "conf"))
    parser.add_argument("--params", default="", help="further --params of the run")
    parser.add_argument("--runner", default="SequentialRunner")
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the full size")
    options = parser.parse_args()
    bootstrap_project(ROOT)
    split = {"split": options.split} if options.split else {}
    with KedroSession.create(
        ROOT, env=options.env, runtime_params=split, conf_source=options.conf_source
    ) as session:
        params = session.load_context().params
    config, classes = get_split(params["splits"], params["split"]), parse_classes(params["classes"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_archive(folder, config, classes, options.scale)
        size = sum(file.stat().st_size for file in folder.rglob("*.npy"))
        places = {
            "data_root": folder / "data",
            "released_features": folder / "features",
            "text_files": folder / "texts",
        }
        extra = [f"{key}={value}" for key, value in (places | {"split": params["split"]}).items()]
        seconds, watch = run(
            [
                *(sys.executable, "-m", "kedro", "run", "--pipelines=gzssar_released"),
                *(f"--env={options.env}", f"--conf-source={options.conf_source}"),
                f"--runner={options.runner}",
                "--params=" + ",".join([*extra, options.params]).strip(","),
            ]
        )
        written = sum(file.stat().st_size for file in (folder / "data").rglob("*.*"))
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu, peak = usage.ru_utime + usage.ru_stime, watch.peak["RssAnon"] / 1e9
    print(f"\n{'node':45} seconds")
    for node, spent in seconds:
        print(f"{node:45} {spent:7.1f}")
    print(
        f"{'all':45} {sum(spent for _, spent in seconds):7.1f}\n"
        f"{'processor time':45} {cpu:7.1f}\n"
        f"archive {size / 1e6:.0f} MB, artifacts {written / 1e6:.0f} MB, "
        f"peak own memory of {watch.processes} processes together {peak:.1f} GB,"
        f" load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
