"""Milliseconds a clip of a Shift-GCN, in training and evaluation, against ordinary layers.

    OMP_NUM_THREADS=1 python benchmarks/shift_gcn.py --sizes utd_mhad,ntu,released --rounds 5
    python benchmarks/shift_gcn.py --device cuda
    OMP_NUM_THREADS=1 python benchmarks/shift_gcn.py --sizes ntu --compile

`plain` is the same network with ordinary layers (convolutions, batch norms and their gradients,
`tests/support/plain_shift_gcn.py`); `project` is the project's. They have the same weights and
take turns, batch by batch, in the project's precision for the device (bfloat16 on CUDA). Bodies
are random numbers. On a CPU seconds are processor time. `--compile` adds the project's network
compiled by PyTorch, with the seconds of its first call, which compiles it. The `released` size has
shifts of up to 9.6 frames, `both bodies` as the release computes them, and `one body` only those
that are there.
"""

import argparse
import statistics
import sys
import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from msf_kedro import runtime
from msf_kedro.networks.shift_gcn import ShiftGCN, ShiftGCNConfig
from msf_kedro.networks.time_shift import TimeShift

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.plain_shift_gcn import PlainShiftGCN

CLASSES = 60
WIDEST_SHIFT = 9.6  # frames, in the released checkpoints


@dataclass(frozen=True)
class Size:
    """A network and a batch.

    Attributes:
        second: how many of the batch's clips have a second body.
    """

    widths: list[int]
    strided: list[int]
    joints: int
    frames: int
    clips: int
    second: int
    wide: bool = False


DEFAULT = ([32, 32, 64, 64, 128, 128], [3, 5])
RELEASED = ([*[64] * 4, *[128] * 3, *[256] * 3], [5, 8])
SIZES = {
    "utd_mhad": [("32 frames", Size(*DEFAULT, 20, 32, 16, 0))],
    "ntu": [("64 frames", Size(*DEFAULT, 25, 64, 16, 4))],
    "released": [
        ("300 frames, both bodies", Size(*RELEASED, 25, 300, 4, 4, wide=True)),
        ("300 frames, one body", Size(*RELEASED, 25, 300, 4, 0, wide=True)),
    ],
}


class Side:
    """One of the two networks, with its optimiser and a batch."""

    def __init__(self, network: nn.Module, batch: tuple[Tensor, ...], device: torch.device):
        self.network, self.device = network.to(device), device
        *self.bodies, self.labels = (part.to(device) for part in batch)
        self.optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, nesterov=True)

    def train(self) -> None:
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        with runtime.autocast(self.device):
            loss = F.cross_entropy(self.network(*self.bodies)[0], self.labels)
        loss.backward()
        self.optimizer.step()

    @torch.inference_mode()
    def evaluate(self) -> None:
        self.network.eval()
        with runtime.autocast(self.device):
            self.network(*self.bodies)


def sides(size: Size, device: torch.device, compiled: bool) -> dict[str, Side]:
    torch.manual_seed(0)
    project = ShiftGCN(ShiftGCNConfig(size.widths, size.strided), size.joints, CLASSES)
    for module in project.modules():
        if size.wide and isinstance(module, TimeShift):
            module.shift.data.uniform_(-WIDEST_SHIFT, WIDEST_SHIFT)
    plain = PlainShiftGCN(size.widths, size.strided, size.joints, CLASSES)
    plain.load_state_dict(project.state_dict())
    counts = torch.tensor([2] * size.second + [1] * (size.clips - size.second))
    clip = torch.arange(size.clips).repeat_interleave(counts)
    person = torch.cat([torch.arange(count) for count in counts])
    bodies = torch.randn(len(clip), 3, size.joints, size.frames)
    batch = bodies, clip, person, torch.randint(CLASSES, (size.clips,))
    networks = {"plain": plain, "project": project}
    if compiled:
        networks["compiled"] = torch.compile(deepcopy(project))
    return {name: Side(network, batch, device) for name, network in networks.items()}


def seconds_of(work, device: torch.device) -> float:
    if device.type != "cuda":
        start = time.process_time()
        work()
        return time.process_time() - start
    torch.cuda.synchronize(device)
    start = time.perf_counter()
    work()
    torch.cuda.synchronize(device)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="utd_mhad,ntu,released")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clips", type=int, help="in a batch; none: the size's own")
    parser.add_argument("--compile", action="store_true", help="compare PyTorch's compiler, too")
    options = parser.parse_args()
    device = runtime.pick_device(options.device)
    print(runtime.describe())
    print(f"{'':40}  ms a clip, medians of {options.rounds}")
    last = "  compiled  first call" if options.compile else ""
    print(f"{'':40}  {'plain':>8}  {'project':>8}  {'ratio':>5}{last}")
    for name in options.sizes.split(","):
        for what, size in SIZES[name]:
            if options.clips:
                second = options.clips * size.second // size.clips
                size = Size(**vars(size) | {"clips": options.clips, "second": second})
            ways = sides(size, device, options.compile)
            for kind in ("train", "evaluate"):
                taken = {way: [] for way in ways}
                for _ in range(options.rounds + 1):
                    for way, side in ways.items():
                        taken[way].append(seconds_of(getattr(side, kind), device))
                medians = {
                    way: statistics.median(seconds[1:]) * 1000 / size.clips
                    for way, seconds in taken.items()
                }
                ratio = medians["plain"] / medians["project"]
                row = f"{f'{name}, {what}, {kind}':40}  {medians['plain']:8.1f}"
                row += f"  {medians['project']:8.1f}  {ratio:5.2f}"
                if options.compile:
                    row += f"  {medians['compiled']:8.1f}  {taken['compiled'][0]:8.1f} s"
                print(row, flush=True)


if __name__ == "__main__":
    main()
