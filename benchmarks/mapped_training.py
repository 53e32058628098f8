"""How much memory training on a `skeletons.pt` of several GB takes.

Writes a file of random bodies block by block, as the stage `skeletons` does, maps it as the catalog
does, extracts features of clips from all over it, trains on them, and reports the resident memory
of this process: its own pages and those of mapped files, which the system may drop at any time.
Needs Linux, for /proc.

    python benchmarks/mapped_training.py --gigabytes 4 --file /tmp/skeletons.pt
"""

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas as pd
import torch

from msf_kedro import runtime
from msf_kedro.clips.augment import AugmentConfig
from msf_kedro.clips.blocks import Blocks
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.store import Skeletons
from msf_kedro.datasets import TorchDataset
from msf_kedro.networks.extractor import LabelledClips, ShiftGCNTraining, extract, train
from msf_kedro.networks.shift_gcn import ShiftGCN, ShiftGCNConfig

BODY = (3, 25, 300)
BLOCK = 128
CLASSES = 55
LAYOUT = get_layout("kinect_v2_25")


def resident() -> dict[str, float]:
    """MB of this process's memory."""
    lines = [line.split() for line in Path("/proc/self/status").read_text().splitlines()]
    return {line[0][3:-1]: int(line[1]) / 1024 for line in lines if line[0].startswith("Rss")}


@contextmanager
def watched(what: str) -> Iterator[None]:
    """Report the peak memory in use inside."""
    peak, done, start = resident(), threading.Event(), time.monotonic()
    before = peak["Anon"]

    def watch():
        while not done.wait(0.02):
            peak.update({kind: max(peak[kind], now) for kind, now in resident().items()})

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield
    done.set()
    watcher.join()
    print(
        f"{what:24s} {time.monotonic() - start:6.1f} s, own memory {peak['Anon']:.0f} MB"
        f" (before {before:.0f}), mapped files {peak['File']:.0f} MB"
    )


def blocks(bodies: int) -> Iterator[torch.Tensor]:
    generator = runtime.generator(0, "bodies")
    for start in range(0, bodies, BLOCK):
        yield torch.randn(min(BLOCK, bodies - start), *BODY, generator=generator)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=512, help="to train on and take features of")
    options = parser.parse_args()
    bodies = int(options.gigabytes * 1e9 / 4 / torch.Size(BODY).numel())
    data_set = TorchDataset(str(options.file))
    with watched("writing"):
        rows = Blocks((bodies, *BODY), torch.float32, partial(blocks, bodies), lambda: None)
        names = [f"clip {number}" for number in range(bodies)]
        data_set.save({"names": names, "bodies": rows, "first": torch.arange(bodies + 1)})
    print(f"{options.file.stat().st_size / 1e9:.2f} GB, {bodies} bodies")
    with watched("mapping"):
        skeletons = Skeletons(**data_set.load())
    clips = torch.linspace(0, bodies - 1, options.clips).long()
    network = ShiftGCN(ShiftGCNConfig([16, 32], [2]), 25, CLASSES)
    with watched("features of 32 at a time"):
        extract(network, skeletons, "joint", LAYOUT, clips, batch_size=32)
    labelled = LabelledClips(clips, clips % CLASSES)
    config = ShiftGCNTraining(
        epochs=1,
        batch_size=32,
        learning_rate=0.1,
        warmup_epochs=0,
        milestones=[],
        weight_decay=0.0,
        graph_weight_decay=0.0,
    )
    augmentation = AugmentConfig(turn=0.0, tilt=0.0, scale=0.0, crop=0.0)
    nobody = LabelledClips(clips[:0], clips[:0])
    with watched("training, batches of 32"):
        history = train(
            *("benchmark", network, skeletons, "joint", LAYOUT, labelled, nobody),
            *(config, augmentation, runtime.generator(0, "batches")),
        )
    print(pd.DataFrame(history).to_string(index=False))


if __name__ == "__main__":
    main()
