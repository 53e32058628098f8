"""Devices, precision and seeds."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from msf_kedro.runtime import (
    autocast,
    cluster,
    derive_seed,
    full_precision,
    generator,
    pick_device,
    pick_workers,
    seeded,
)

KEYS = [(), ("a",), ("b",), ("a", "b"), ("b", "a"), ("ab",), (0,), (1,), ("a", 0), ("a", 1), (0, 0)]


def test_every_purpose_has_a_seed_of_its_own():
    seeds = {(root, keys): derive_seed(root, *keys) for root in (0, 1, 42) for keys in KEYS}
    assert len(set(seeds.values())) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds.values())


def test_seeds_are_the_same_in_another_process():
    """Not so with `hash`, which Python salts."""
    code = "from msf_kedro.runtime import derive_seed; print(derive_seed(7, 'gate', 3))"
    path = f"import sys; sys.path[:] = {sys.path!r}; "
    found = subprocess.run(
        [sys.executable, "-c", path + code], capture_output=True, text=True, check=True
    )
    assert int(found.stdout) == derive_seed(7, "gate", 3)


@given(st.integers(0, 2**40))
def test_generators_repeat_themselves(root):
    first, second, other = generator(root, "x"), generator(root, "x"), generator(root, "y")
    numbers = torch.rand(4, generator=first)
    assert torch.equal(numbers, torch.rand(4, generator=second))
    assert not torch.equal(numbers, torch.rand(4, generator=other))


def test_seeded_seeds_inside_and_restores_the_global_state():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    inside = []
    for _ in range(2):
        with seeded(5, "init"):
            inside.append(torch.nn.Linear(3, 3).weight)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(*inside)
    torch.manual_seed(0)
    with pytest.raises(RuntimeError), seeded(5, "init"):
        torch.rand(1) @ torch.rand(7)
    assert torch.equal(torch.rand(3), expected)


def test_threads_that_seed_do_not_disturb_one_another():
    def draw(seed: int) -> torch.Tensor:
        with seeded(seed, "init"):
            parts = []
            for _ in range(20):
                parts.append(torch.rand(2))
                time.sleep(1e-4)  # lets the others in
            return torch.cat(parts)

    alone = [draw(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(draw, range(8)))
    assert all(map(torch.equal, together, alone))


def test_what_others_draw_meanwhile_does_not_count():
    def initialise() -> list[torch.Tensor]:
        with seeded(5, "init"):
            network = torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(20)))
            torch.nn.init.normal_(network[0].weight)
        return list(network.parameters())

    torch.manual_seed(0)
    alone, ended = initialise(), threading.Event()

    def draw() -> None:
        while not ended.is_set():
            torch.rand(1)

    other = threading.Thread(target=draw)
    other.start()
    for _ in range(20):
        assert all(map(torch.equal, initialise(), alone))
    ended.set()
    other.join()


def test_the_weights_are_those_that_the_global_generator_would_give():
    with seeded(5, "init"):
        network = torch.nn.Linear(3, 3)
    torch.manual_seed(derive_seed(5, "init"))
    assert torch.equal(network.weight, torch.nn.Linear(3, 3).weight)


def test_the_cpu_is_always_there():
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_the_best_there_is(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto") == torch.device(expected)


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="unknown device 'gpu'; use auto, cpu, cuda"):
        pick_device("gpu")


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps"])
def test_a_device_that_is_not_there_is_refused(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match=f"device '{name}' is not available.*use auto or cpu"):
        pick_device(name)


@pytest.mark.parametrize("name", ["meta", "xpu", "vulkan"])
def test_a_device_of_another_kind_is_refused(name):
    with pytest.raises(ValueError, match=f"device '{name}' is of no use here; use auto, cpu, cuda"):
        pick_device(name)


def test_a_gpu_that_is_one_too_many_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ValueError, match="device 'cuda:2' is not available"):
        pick_device("cuda:2")


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed is -1, expected 0 or more"):
        derive_seed(-1, "gate")


def test_there_is_no_mixed_precision_on_the_cpu():
    with autocast(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.gpu
def test_cuda_multiplies_in_bfloat16():
    device = pick_device("cuda")
    if not torch.cuda.is_bf16_supported():
        pytest.skip("this GPU has no bfloat16")
    x = torch.ones(4, 4, device=device)
    with autocast(device):
        assert (x @ x).dtype == torch.bfloat16


@pytest.mark.parametrize("before", [True, False])
def test_full_precision_stops_autocast_and_tf32_and_restores_both(before, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", before)
    x = torch.ones(2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with full_precision(torch.device("cpu")):
            assert not torch.backends.cudnn.allow_tf32
            assert (x @ x).dtype == torch.float32
        assert (x @ x).dtype == torch.bfloat16
        with pytest.raises(RuntimeError), full_precision(torch.device("cpu")):
            torch.ones(2) @ torch.ones(3)
    assert torch.backends.cudnn.allow_tf32 == before


def test_workers(monkeypatch):
    assert pick_workers(3) == 3
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 5}, raising=False)
    assert pick_workers(0) == 2
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: 7)
    assert pick_workers(0) == 7
    with pytest.raises(ValueError, match="workers is -1, expected 0"):
        pick_workers(-1)


def share(numbers: list[int]) -> list[int]:
    """Squares, by all workers of the cluster that this one belongs to."""
    with cluster() as pool:
        return list(pool.map(square, numbers))


def square(number: int) -> int:
    with cluster() as pool:  # parts may have parts
        assert pool is not None
    return number * number


def test_a_worker_shares_work_with_its_cluster_and_does_a_part_itself():
    from distributed import Client

    with cluster() as pool:
        assert pool is None
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=":0") as lone:
        assert lone.submit(share, [1, 2, 3]).result(60) == [1, 4, 9]
        with cluster() as pool:
            assert pool is None, "this process starts the work; it is no worker"
