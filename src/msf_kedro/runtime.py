"""The one place that chooses devices, precision, processes and seeds."""

import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_global_generator = threading.RLock()


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        ValueError: the named device is unknown or not there.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next((kind for kind, there in available.items() if there), "cpu"))
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"unknown device {name!r}; use auto, cpu, cuda, cuda:N or mps") from error
    if device.type not in ("cpu", *available):
        raise ValueError(f"device {name!r} is of no use here; use auto, cpu, cuda, cuda:N or mps")
    there = available.get(device.type, True)
    if device.type == "cuda" and there:
        there = (device.index or 0) < torch.cuda.device_count()
    if not there:
        raise ValueError(f"device {name!r} is not available on this machine; use auto or cpu")
    return device


def describe() -> dict[str, str | int | list[str]]:
    """The machine, as far as it can change what is computed: devices and threads."""
    devices = [torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())]
    capability = torch.backends.cpu.get_cpu_capability()
    return {"cuda": devices, "cpu": capability, "threads": torch.get_num_threads()}


def autocast(device: torch.device) -> torch.autocast:
    """Mixed precision where it helps: bfloat16 on CUDA devices that have it, otherwise none."""
    enabled = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """True float32 inside, whatever surrounds it: no autocast, and no TF32 in convolutions."""
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32
    cudnn.allow_tf32 = False
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        cudnn.allow_tf32 = before


def pick_workers(number: int) -> int:
    """How many processes share some work; 0 takes one for each core that this one may use.

    Raises:
        ValueError: the number is negative.
    """
    if number < 0:
        raise ValueError(f"workers is {number}, expected 0 (one a core) or more")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return number or usable or 1


def derive_seed(root: int, *keys: str | int) -> int:
    """A seed for one purpose, from the root seed and the names of that purpose.

    Raises:
        ValueError: the root seed is negative.
    """
    if root < 0:
        raise ValueError(f"seed is {root}, expected 0 or more")
    words = [key if isinstance(key, int) else zlib.crc32(key.encode()) for key in keys]
    # The number of words comes last, as SeedSequence does not see zeros at the end.
    entropy = [root, *words, len(words)] if words else [root]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> 1)


def generator(root: int, *keys: str | int) -> torch.Generator:
    """A CPU random generator for one purpose; the same seed and names give the same numbers."""
    return torch.Generator().manual_seed(derive_seed(root, *keys))


@contextmanager
def seeded(root: int, *keys: str | int) -> Iterator[None]:
    """Seed PyTorch's global generator inside, for weight initialisation, and restore it after.

    Other threads wait, as they share the generator.
    """
    with _global_generator, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(root, *keys))
        yield
