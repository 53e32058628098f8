"""Clips per second of a Shift-GCN in the release's size, on one core of the CPU.

    python benchmarks/released_shift_gcn.py --clips 32 --bodies 1

Two ways to the same answer, taking turns: `all_bodies` computes absent bodies too, as the
release does; `shared` is the project's way and computes one absent body per batch. Weights are
random, time shifts as wide as the release's. Seconds are processor time, so that other programs
matter little.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from msf_kedro.networks.padded_shift_gcn import AT_ONCE, PaddedShiftGCN
from msf_kedro.networks.shift_gcn import PERSONS, ShiftGCN, ShiftGCNConfig
from msf_kedro.networks.time_shift import TimeShift

WIDTHS = [*[64] * 4, *[128] * 3, *[256] * 3]
JOINTS = 25
WIDEST_SHIFT = 9.6


def release_size(draw: torch.Generator) -> PaddedShiftGCN:
    network = ShiftGCN(ShiftGCNConfig(WIDTHS, strided_units=[5, 8]), JOINTS, classes=60)
    for module in network.modules():
        if isinstance(module, TimeShift):
            module.shift.data.uniform_(-WIDEST_SHIFT, WIDEST_SHIFT, generator=draw)
    return PaddedShiftGCN(network)


def all_bodies(released: PaddedShiftGCN, clips: torch.Tensor) -> torch.Tensor:
    bodies = clips.permute(0, 4, 1, 3, 2).flatten(0, 1)
    person = torch.arange(PERSONS).repeat(len(clips))
    parts = zip(bodies.split(AT_ONCE), person.split(AT_ONCE), strict=True)
    found = torch.cat([released.network.body_features(*part) for part in parts])
    return released.network.classifier(found.unflatten(0, (-1, PERSONS)).mean(dim=1))


def shared(released: PaddedShiftGCN, clips: torch.Tensor) -> torch.Tensor:
    return released(clips)[0]


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=32, help="in one batch")
    parser.add_argument("--bodies", type=int, default=1, choices=(1, 2), help="in every clip")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    draw = torch.Generator().manual_seed(0)
    released = release_size(draw)
    clips = torch.randn(options.clips, 3, options.frames, JOINTS, PERSONS, generator=draw)
    clips[..., options.bodies :] = 0

    ways: tuple[Callable, ...] = (all_bodies, shared)
    seconds = {way: [] for way in ways}
    answers = {}
    for _ in range(options.rounds):
        for way in ways:
            start = time.process_time()
            answers[way] = way(released, clips)
            seconds[way].append(time.process_time() - start)
    slowest = statistics.median(seconds[all_bodies])
    for way in ways:
        median = statistics.median(seconds[way])
        apart = (answers[way] - answers[all_bodies]).abs().max()
        print(
            f"{way.__name__:12} {options.clips / median:7.2f} clips/s"
            f"  {slowest / median:5.2f} x  logits differ by at most {apart:.1e}"
        )


if __name__ == "__main__":
    main()
