"""Processes that a run has started end with it, whatever they do and however it ends."""

import os
import signal
import subprocess
import sys
import time

import pytest
from support.launched import processes
from support.sessions import ROOT

# Of a pool: one sleeps, one computes in Python, one in a library, one has started another.
PARENT = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
import numpy as np
from msf_kedro.runner.locks import let_children_end_with_this

def sleep(tell):
    tell.put(os.getpid())
    time.sleep(600)

def spin(tell):
    tell.put(os.getpid())
    while True:
        pass

def multiply(tell):
    tell.put(os.getpid())
    square = np.ones((3000, 3000))
    while True:
        square @ square

def start(tell):
    tell.put(os.getpid())
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        pool.submit(sleep, tell).result()

let_children_end_with_this()
fork = multiprocessing.get_context("fork")
with fork.Manager() as manager, ProcessPoolExecutor(5, fork) as pool:
    tell = manager.Queue()
    for work in (sleep, spin, multiply, start):
        pool.submit(work, tell)
    at_work = {tell.get() for _ in range(5)}
    idle = {process.pid for process in multiprocessing.active_children()}
    print(*(at_work | idle), flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_forked_processes_end_with_their_parent(number):
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:
        children = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(children) == 7, "five of the pool, the manager, and one of a worker"
        parent.send_signal(number)
    until = time.monotonic() + 60
    while (alive := set(children) & dict(processes()).keys()) and time.monotonic() < until:
        time.sleep(0.05)
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    assert not alive
