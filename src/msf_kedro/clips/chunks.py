"""Clips prepared chunk by chunk on all cores; finished chunks are kept until everything is saved.

Worker processes import this file: without PyTorch and pandas they start quickly and stay small.
"""

import hashlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from typing import TypedDict

import numpy as np
from jaxtyping import Float

from msf_kedro.clips.clip import LoadClip, Recipe, prepare_clip

FORMAT = 1  # raise it whenever the same clips give other chunks, so that old ones are not used
CLIPS_PER_CHUNK = 128  # bounds the memory of a process and what is lost when a run breaks off
CLIPS_PER_WORKER = 1000  # starting a process takes as long as preparing a few hundred clips

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

Columns = dict[str, list]


class Chunk(TypedDict):
    """Some prepared clips: their rows of the clip table, by column, and the kept ones' bodies."""

    columns: Columns
    bodies: Float[np.ndarray, "B C V W"]


def cut(raw: Mapping[str, LoadClip], recipe: Recipe) -> dict[str, dict[str, LoadClip]]:
    """The chunks, in order of clip names: a hash of all that determines a chunk → its clips.

    A loader may have a `stamp` that identifies what it reads, such as a file's size and time of
    modification.
    """
    clips = [(name, raw[name]) for name in sorted(raw)]
    starts = range(0, len(clips), CLIPS_PER_CHUNK)
    chunks = (dict(clips[start : start + CLIPS_PER_CHUNK]) for start in starts)
    return {_key(chunk, recipe): chunk for chunk in chunks}


def prepare_chunks(
    chunks: Mapping[str, dict[str, LoadClip]],
    recipe: Recipe,
    store: MutableMapping[str, Chunk],
    workers: int,
    cluster: Executor | None = None,
) -> Iterator[tuple[str, Columns]]:
    """Prepare chunks into the store; yield the key and columns of each as it is finished.

    Few clips, and any clips whose store is a plain `dict`, are prepared in this process.
    Otherwise up to `workers` processes of one thread each receive the store, the loaders and the
    recipe; each of them holds one chunk at a time, and this process holds none. Given a cluster,
    its workers are these processes, as many as there are.

    Raises:
        RuntimeError: a worker was killed; finished chunks stay in the store.
    """
    worthwhile = sum(map(len, chunks.values())) // CLIPS_PER_WORKER
    workers = worthwhile if cluster else min(workers, worthwhile)
    if workers < 2 or isinstance(store, dict):
        for key, clips in chunks.items():
            yield key, prepare_chunk(key, clips, recipe, store)
        return
    with nullcontext(cluster) if cluster else _pool(workers) as pool:
        futures = {
            pool.submit(prepare_chunk, key, chunk, _recipe_of(chunk, recipe), store): key
            for key, chunk in chunks.items()
        }
        for future in as_completed(futures):
            yield futures[future], future.result()


def prepare_chunk(
    key: str, clips: Mapping[str, LoadClip], recipe: Recipe, store: MutableMapping[str, Chunk]
) -> Columns:
    """Prepare one chunk into the store and return its columns."""
    rows, bodies = [], [np.zeros((0, *recipe.body), "f4")]
    for name, load in clips.items():
        row, normalised = prepare_clip(name, load, recipe)
        rows.append(row)
        if normalised is not None:
            bodies.append(normalised)
    columns = {column: [row[column] for row in rows] for column in recipe.columns}
    store[key] = {"columns": columns, "bodies": np.concatenate(bodies)}
    return columns


def _recipe_of(clips: Mapping[str, LoadClip], recipe: Recipe) -> Recipe:
    """The recipe with what the table says of these clips only."""
    return recipe if recipe.table is None else replace(recipe, table=recipe.table.of(clips.keys()))


def _key(clips: Mapping[str, LoadClip], recipe: Recipe) -> str:
    content = {
        "format": FORMAT,
        "clips": [(name, getattr(load, "stamp", None)) for name, load in clips.items()],
        "listed": [name for name in clips if name in recipe.listed],
        "classes": recipe.classes,
        "name_pattern": recipe.table is None and recipe.clips.name_pattern,
        "limits": asdict(recipe.clips.limits),
        "layout": asdict(recipe.layout),
        "normalise": asdict(recipe.normalise),
    }
    if recipe.table is not None:
        content["told"] = [recipe.told, [recipe.table.rows[name] for name in clips]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes of one thread each; if anything fails, chunks not yet begun are dropped.

    Not joblib: its workers outlive a parent that is killed and carry on with what is queued.
    """
    spawn = multiprocessing.get_context("spawn")  # a fork would copy PyTorch's and Arrow's locks
    pool = ProcessPoolExecutor(workers, spawn, _start_worker)
    try:
        with _one_thread_each():
            yield pool
    except BrokenProcessPool as error:
        raise RuntimeError(
            f"one of {workers} processes preparing clips died (killed, or out of memory?); finished"
            " chunks are kept: run again, with fewer `workers` if memory was short"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started inside compute with one thread each: there is one for every core."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _start_worker() -> None:
    """Leave Ctrl-C to the parent process, and end when it has ended, in whatever way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
