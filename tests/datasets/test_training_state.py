"""The state of a training in a file: of one key, whole or not there, and good for going on."""

import logging
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from kedro.io import DataCatalog, DatasetError
from support.breaking import without_seconds
from support.killed import KEY, TRAININGS
from support.sessions import ROOT, assert_equal

from msf_kedro.datasets import TrainingStateDataset
from msf_kedro.datasets.training_state import TrainingState

STATE = {
    "network": {"weight": torch.arange(64.0), "half": torch.ones(3).bfloat16()},
    "generators": [torch.Generator().manual_seed(1).get_state()],
    "history": [{"epoch": 1, "loss": 0.1}],
    "kept": [{"weight": torch.arange(4.0)}],
}


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "phase" / "training_state"


def of(key: str, folder: Path) -> TrainingState:
    state = TrainingStateDataset().load()
    state.belongs_to(key, folder)
    return state


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def after_another_epoch(state: dict) -> dict:
    """A later state, with one item more that is kept."""
    number = len(state["history"]) + 1
    history = [*state["history"], {"epoch": number, "loss": 0.1 / number}]
    kept = [*state["kept"], {"weight": torch.arange(4.0) + number}]
    return {"network": {"weight": torch.zeros(64) + number}, "history": history, "kept": kept}


def test_a_state_comes_back_under_its_key_until_it_is_cleared(folder):
    first = of("x", folder)
    assert first.load() is None
    first.save(STATE)
    assert_equal(of("x", folder).load(), STATE)
    later = after_another_epoch(STATE)
    of("x", folder).save(later)
    assert_equal(first.load(), later)
    assert names(folder) == {"state.pt", "kept_0.pt", "kept_1.pt"}
    of("x", folder).clear()
    assert list(folder.parent.iterdir()) == []
    assert first.load() is None
    first.clear()


def test_what_is_kept_of_an_epoch_is_written_once(folder):
    state, wanted, written = of("x", folder), STATE, []
    for _ in range(3):
        state.save(wanted)
        written.append((folder / "kept_0.pt").stat().st_ino)
        wanted = after_another_epoch(wanted)
    again = of("x", folder)
    assert_equal(again.load(), after_another_epoch(after_another_epoch(STATE)))
    again.save(wanted)
    written.append((folder / "kept_0.pt").stat().st_ino)
    assert len(set(written)) == 1
    assert_equal(state.load(), wanted)
    again.clear()
    again.save(wanted)
    assert_equal(state.load(), wanted)


def test_a_state_of_another_key_is_not_given_and_removed(folder):
    of("x", folder).save(STATE)
    assert of("y", folder).load() is None
    assert not folder.exists()
    assert of("x", folder).load() is None


def test_kept_items_of_another_training_are_not_taken(folder):
    """Left by one that went further; the new one has not."""
    of("x", folder).save(after_another_epoch(STATE))
    other = of("y", folder)
    other.save(STATE)
    assert_equal(of("y", folder).load(), STATE)
    (folder / "kept_1.pt").rename(folder / "kept_0.pt")
    assert of("y", folder).load() is None


def test_a_training_that_belongs_to_nothing_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    unnamed = TrainingStateDataset().load()
    unnamed.save(STATE)
    assert unnamed.load() is None
    unnamed.clear()
    assert list(tmp_path.iterdir()) == []


def test_it_may_be_sent_to_another_process(folder):
    named = of("x", folder)
    named.save(STATE)
    assert_equal(pickle.loads(pickle.dumps(named)).load(), STATE)
    data_set = TrainingStateDataset()
    assert pickle.loads(pickle.dumps(data_set)).load().load() is None


# --- damage ---


class Payload:
    """What a hostile pickle would hold."""


def damage(kind: str, file: Path) -> None:
    whole = file.read_bytes()
    contents = {"truncated": whole[: len(whole) // 2], "empty": b"", "garbage": b"garbage" * 99}
    objects = {"not a state": [1], "no pair": ("x", 1, 2), "an object": ("x", Payload())}
    if kind in contents:
        file.write_bytes(contents[kind])
    elif kind in objects:
        torch.save(objects[kind], file)
    else:
        file.unlink()


@pytest.mark.parametrize("file", ["state.pt", "kept_0.pt"])
@pytest.mark.parametrize(
    "kind", ["truncated", "empty", "garbage", "not a state", "no pair", "an object", "missing"]
)
def test_a_damaged_state_counts_as_missing(kind, file, folder, caplog):
    of("x", folder).save(STATE)
    damage(kind, folder / file)
    state = of("x", folder)
    with caplog.at_level(logging.WARNING):
        assert state.load() is None
    if (kind, file) != ("missing", "state.pt"):
        assert "training_state is damaged, the training starts anew: " in caplog.text
    state.save(STATE)
    assert_equal(state.load(), STATE)


@pytest.mark.parametrize("name", ["state.pt", "kept_0.pt"])
def test_no_flipped_bit_goes_unnoticed(name, folder):
    """It does no harm, between the parts of the archive, or the state counts as missing."""
    state = of("x", folder)
    state.save(STATE)
    file = folder / name
    whole, noticed = file.read_bytes(), 0
    places = range(0, len(whole), 7)
    for place in places:
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        found = state.load()
        noticed += found is None
        if found is not None:
            assert_equal(found, STATE)
    assert noticed > len(places) / 3


def test_a_save_that_fails_keeps_the_last_state(folder, monkeypatch):
    state = of("x", folder)
    state.save(STATE)
    save = torch.save

    def half(data, path):
        if "state" not in Path(path).name:
            return save(data, path)
        Path(path).write_bytes(b"half")
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", half)
        with pytest.raises(OSError, match="disk full"):
            state.save(after_another_epoch(STATE))
    assert not list(folder.glob(".*"))
    assert_equal(state.load(), STATE)
    assert_equal(of("x", folder).load(), STATE)


def test_half_written_files_of_killed_runs_are_removed(folder):
    of("x", folder).save(STATE)
    (folder / ".state.pt.123.partial").write_bytes(b"half")
    assert_equal(of("x", folder).load(), STATE)
    assert names(folder) == {"state.pt", "kept_0.pt"}


def test_a_catalog_builds_it_and_nothing_is_saved(folder):
    entry = {"type": "msf_kedro.datasets.TrainingStateDataset"}
    catalog = DataCatalog.from_config({"x": entry | {"metadata": {"kedro-viz": {}}}})
    assert catalog.load("x").load() is None
    assert not folder.parent.exists()
    with pytest.raises(DatasetError, match="not saved to"):
        catalog.save("x", {})


# --- trainings that are killed ---


@pytest.mark.parametrize("moment", ["step", "save"])
@pytest.mark.parametrize("training", TRAININGS)
def test_a_killed_training_goes_on_to_the_same_end(training, moment, tmp_path):
    """Killed in the third epoch, in the middle of a step or of writing its state."""
    script = ROOT / "tests" / "support" / "killed.py"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, str(script), str(tmp_path), training, moment]
    ran = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr.decode()
    assert bool(list(tmp_path.glob(".*.partial"))) == (moment == "save")

    train = TRAININGS[training]
    state = of(KEY, tmp_path)
    assert not list(tmp_path.glob(".*"))
    assert len(state.load()["history"]) == 2
    weights, history = train(state)
    expected, its_history = train(TrainingState())
    assert_equal(weights, expected)
    assert without_seconds(history) == without_seconds(its_history)
    assert len(history) == 4
