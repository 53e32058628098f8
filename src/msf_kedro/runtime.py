"""The one place that chooses devices, precision, processes and seeds."""

import os
import sys
import zlib
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

# What draws numbers, of PyTorch, its tensors and `nn.init`.
_RANDOM = {"rand", "randn", "uniform_", "normal_", "kaiming_uniform_", "kaiming_normal_"}
_RANDOM |= {"xavier_uniform_", "xavier_normal_", "trunc_normal_"}


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


@contextmanager
def cluster() -> Iterator[Executor | None]:
    """The Dask cluster whose worker this is, to share work with the others; None elsewhere.

    Meanwhile this worker is free to do a part of that work.
    """
    distributed = sys.modules.get("distributed")  # which a worker has imported
    try:
        distributed and distributed.get_worker()
    except ValueError:
        distributed = None
    if distributed is None:
        yield None
        return
    with distributed.worker_client() as client:
        yield client.get_executor(pure=False)


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


def seeded(root: int, *keys: str | int) -> TorchFunctionMode:
    """Inside, weights are initialised from a generator of one purpose, not from the global one.

    Threads share that one: whatever another thread draws meanwhile would change the weights.
    """
    return _DrawFrom(generator(root, *keys))


class _DrawFrom(TorchFunctionMode):
    """Inside, functions that draw random numbers draw them from this generator."""

    def __init__(self, generator: torch.Generator):
        super().__init__()
        self._generator = generator

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function.__name__ in _RANDOM and kwargs.get("generator") is None:
            kwargs = kwargs | {"generator": self._generator}
        return function(*args, **kwargs)
