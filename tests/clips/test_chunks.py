"""Preparing chunk by chunk: the same result whatever the workers, breaks and earlier runs."""

import logging
import os
import subprocess
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from support.limits import MOST
from support.tracing_clip import BAD, TracingClip

from msf_kedro.clips import chunks
from msf_kedro.clips.clip import ClipsConfig, Recipe, prepare_clip
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.clips.prepare import prepare
from msf_kedro.clips.table import ClipTable
from msf_kedro.datasets import ClipChunksDataset
from msf_kedro.datasets.chunks import ChunksFolder
from msf_kedro.sample import clip_name

PATTERN = r"S\d{3}C\d{3}P(?P<performer>\d{3})R\d{3}A(?P<action>\d{3})"
RECIPE = Recipe(
    [1, 51],
    frozenset(),
    ClipsConfig(PATTERN, "kinect_v2_25", 1.0, **MOST),
    get_layout("kinect_v2_25"),
    NormaliseConfig(window=8, resample=True),
)
NAMES = [clip_name(a, p, 1) for p in range(1, 5) for a in (1, 51, 99)] + ["holiday", BAD]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Chunks of three clips, and a worker even for one."""
    monkeypatch.setattr(chunks, "CLIPS_PER_CHUNK", 3)
    monkeypatch.setattr(chunks, "CLIPS_PER_WORKER", 1)


@pytest.fixture
def store(tmp_path) -> ChunksFolder:
    return ClipChunksDataset(str(tmp_path / "study" / "clip_chunks")).load()


@pytest.fixture
def raw(tmp_path) -> dict[str, TracingClip]:
    (tmp_path / "traces").mkdir()
    return {name: TracingClip(name, tmp_path / "traces") for name in NAMES}


def read(raw: dict[str, TracingClip]) -> set[str]:
    """The clips that have been read since the last call."""
    traces = list(next(iter(raw.values())).traces.glob("*[!d]"))
    for trace in traces:
        trace.unlink()
    return {trace.name for trace in traces}


def in_one_go(raw: dict[str, TracingClip]) -> tuple:
    """Rows and bodies, clip after clip."""
    rows, bodies = zip(*[prepare_clip(n, raw[n], RECIPE) for n in sorted(raw)], strict=True)
    read(raw)
    return pd.DataFrame(list(rows)), np.concatenate([b for b in bodies if b is not None])


def assert_right(found: tuple, raw: dict[str, TracingClip]) -> None:
    table, bodies, first = found
    rows, expected = in_one_go(raw)
    pd.testing.assert_frame_equal(table, rows.astype(table.dtypes), check_exact=True)
    assert table.dtypes.astype(str).to_dict() == {
        "name": "str", "performer": "Int64", "action": "Int64", "frames": "int64",
        "bodies": "int64", "kept": "bool", "reason": "string",
    }  # fmt: skip
    np.testing.assert_array_equal(torch.cat(list(bodies)), expected)
    assert first.dtype == torch.int64
    assert first.diff().tolist() == rows.bodies[rows.kept].tolist()


@pytest.mark.parametrize("size", [1, 3, 5, 100])
def test_the_size_of_chunks_changes_nothing(size, raw, store, monkeypatch):
    monkeypatch.setattr(chunks, "CLIPS_PER_CHUNK", size)
    found = prepare(raw, RECIPE, store, workers=1)
    assert len(store) == -(-len(NAMES) // size)
    assert_right(found, raw)
    assert_right(prepare(raw, RECIPE, {}, workers=4), raw)


def test_other_processes_give_the_same(raw, store):
    before = dict(os.environ)
    found = prepare(raw, RECIPE, store, workers=2)
    assert dict(os.environ) == before
    assert_right(found, raw)


def test_a_cluster_prepares_them_in_place_of_processes(raw, store, monkeypatch):
    monkeypatch.setattr(chunks, "_pool", lambda workers: pytest.fail("a pool was started"))
    with ThreadPoolExecutor(2) as cluster:
        handed_out, submit = [], cluster.submit
        cluster.submit = lambda *given: handed_out.append(given[1]) or submit(*given)
        assert_right(prepare(raw, RECIPE, store, workers=1, cluster=cluster), raw)
    assert sorted(handed_out) == sorted(store)


def test_few_clips_start_no_process(raw, store, monkeypatch):
    monkeypatch.setattr(chunks, "CLIPS_PER_WORKER", 1000)
    monkeypatch.setattr(chunks, "_pool", lambda workers: pytest.fail("a pool was started"))
    assert_right(prepare(raw, RECIPE, store, workers=64), raw)


def test_a_broken_run_goes_on_where_it_stopped(raw, store, caplog):
    name = sorted(NAMES)[7]
    raw[name].trap = "interrupt"
    (raw[name].traces / "armed").touch()
    with pytest.raises(KeyboardInterrupt):
        prepare(raw, RECIPE, store, workers=1)
    assert len(store) == 2
    (raw[name].traces / "armed").unlink()
    read(raw)
    with caplog.at_level(logging.INFO, "msf_kedro"):
        found = prepare(raw, RECIPE, store, workers=1)
    assert "2 of 5 chunks of the clips are already prepared" in caplog.messages
    assert read(raw) == {name for name in sorted(NAMES)[6:] if name[-3:] in ("001", "051")}
    assert_right(found, raw)


def test_a_killed_process_is_an_error_and_what_is_finished_is_used(raw, store):
    name = sorted(NAMES)[-4]
    raw[name].trap = "kill"
    (raw[name].traces / "armed").touch()
    with pytest.raises(RuntimeError, match=r"processes preparing clips died.*run again"):
        prepare(raw, RECIPE, store, workers=2)
    (raw[name].traces / "armed").unlink()
    assert 0 < (done := len(store)) < 5
    read(raw)
    found = prepare(raw, RECIPE, store, workers=1)
    assert len(read(raw)) <= 3 * (5 - done)
    assert_right(found, raw)


POOL = """
import os, time
from msf_kedro.clips.chunks import _pool
with _pool(2) as pool:
    for _ in range(8):
        pool.submit(time.sleep, 60)
    print(*pool._processes, flush=True)
    time.sleep(60)
"""


def is_running(process: str) -> bool:
    """Whether a process is there and has not ended, as one that nobody waits for may be."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="not on Linux")
def test_workers_end_with_a_parent_that_is_killed():
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", POOL], stdout=subprocess.PIPE, env=env)
    workers = parent.stdout.readline().decode().split()
    assert [is_running(worker) for worker in workers] == [True, True]
    parent.kill()
    parent.communicate()
    limit = time.monotonic() + 30
    while any(map(is_running, workers)) and time.monotonic() < limit:
        time.sleep(0.1)
    assert not any(map(is_running, workers))


def test_a_run_that_ends_in_too_many_bad_clips_has_lost_nothing(raw, store):
    strict = replace(RECIPE, clips=ClipsConfig(PATTERN, "kinect_v2_25", 0.0, **MOST))
    with pytest.raises(ValueError, match="cannot be used"):
        prepare(raw, strict, store, workers=1)
    read(raw)
    prepare(raw, RECIPE, store, workers=1)
    assert read(raw) == set()


def other_file(raw: dict[str, TracingClip]) -> Recipe:
    raw[clip_name(1, 1, 1)].stamp = "2"
    return RECIPE


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        (lambda raw: RECIPE, 0),
        (other_file, 1),
        (lambda raw: replace(RECIPE, listed=frozenset([clip_name(51, 4, 1)])), 1),
        (lambda raw: replace(RECIPE, classes=[1, 51, 99]), 5),
        (lambda raw: replace(RECIPE, normalise=NormaliseConfig(9, True)), 5),
        (lambda raw: replace(RECIPE, normalise=NormaliseConfig(8, False)), 5),
        (lambda raw: replace(RECIPE, layout=replace(RECIPE.layout, centre=20)), 5),
        (lambda raw: replace(RECIPE, clips=ClipsConfig(PATTERN[1:], "", 1.0, **MOST)), 5),
    ],
    ids=["nothing", "file", "list", "classes", "window", "resample", "layout", "names"],
)
def test_what_has_changed_is_prepared_again(change, stale, raw, store):
    prepare(raw, RECIPE, store, workers=1)
    before = set(store)
    recipe = change(raw)
    assert len(set(chunks.cut(raw, recipe)) - before) == stale
    try:
        prepare(raw, recipe, store, workers=1)
    except ValueError:
        assert recipe.clips.name_pattern != PATTERN, "no clip is left"
    assert set(store) == set(chunks.cut(raw, recipe)), "and what does not belong is removed"


def test_chunks_of_another_format_are_not_used(raw, monkeypatch):
    before = set(chunks.cut(raw, RECIPE))
    monkeypatch.setattr(chunks, "FORMAT", chunks.FORMAT + 1)
    assert not before & set(chunks.cut(raw, RECIPE))


def test_a_chunk_that_vanishes_before_saving_is_an_error(raw, store):
    _, bodies, _ = prepare(raw, RECIPE, store, workers=1)
    store.clear()
    with pytest.raises(ValueError, match="is gone or damaged; run again"):
        list(bodies)


class Watched(ChunksFolder):
    """Knows how many chunks' bodies are in memory when one comes or goes."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.alive, self.most = [], 0

    def __getitem__(self, key):
        return self._watch(super().__getitem__(key))

    def __setitem__(self, key, chunk):
        super().__setitem__(key, self._watch(chunk))

    def _watch(self, chunk):
        self.alive = [ref for ref in self.alive if ref() is not None] + [
            weakref.ref(chunk["bodies"])
        ]
        self.most = max(self.most, len(self.alive))
        return chunk


def test_two_chunks_at_most_are_in_memory(raw, tmp_path, monkeypatch):
    monkeypatch.setattr(chunks, "CLIPS_PER_CHUNK", 1)
    store = Watched(tmp_path / "clip_chunks")
    for _ in range(2):  # the second time they are there already
        _, bodies, _ = prepare(raw, RECIPE, store, workers=1)
        for block in bodies:
            del block
    assert len(store.alive) <= store.most <= 2


def test_a_chunk_depends_on_what_the_table_says_of_its_clips(raw):
    """And of no others; workers get no more of it."""
    rows = {name: (1, n) for n, name in enumerate(sorted(raw))}
    told = replace(RECIPE, table=ClipTable(("action", "subject"), rows))
    last = sorted(raw)[-1]
    changed = replace(RECIPE, table=ClipTable(("action", "subject"), rows | {last: (1, 99)}))
    one, other = (list(chunks.cut(raw, recipe)) for recipe in (told, changed))
    assert [a == b for a, b in zip(one, other, strict=True)] == [True] * (len(one) - 1) + [False]
    first = next(iter(chunks.cut(raw, told).values()))
    assert chunks._recipe_of(first, told).table.rows.keys() == first.keys()
