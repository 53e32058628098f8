"""How far a long step is, with a terminal and without."""

import io
import logging
import sys

import pytest

from msf_kedro import progress as module
from msf_kedro.progress import duration, name_step, progress


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (69.0, "1 min 09 s"),
        (7500.0, "2 h 05 min"),
    ],
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when the test says so."""
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    return wait


def test_without_a_terminal_a_line_comes_every_half_minute(clock, caplog):
    with caplog.at_level(logging.INFO), progress("toy", 10, "epoch") as shown:
        for _ in range(4):
            clock(10)
            shown.advance(loss=0.5)
        assert caplog.messages == ["toy: epoch 3 of 10, loss 0.500, about 1 min 10 s to go"]
        clock(20)
        shown.tick()
    assert caplog.messages[1:] == ["toy: epoch 4 of 10, loss 0.500, about 1 min 30 s to go"]


def test_what_was_done_earlier_takes_no_time_now(clock, caplog):
    with caplog.at_level(logging.INFO), progress("toy", 10, "epoch", done=6) as shown:
        clock(40)
        shown.tick()
        shown.advance(2)
        clock(40)
        shown.advance()
    first, second = caplog.messages
    assert first == "toy: epoch 6 of 10, 40 s so far"
    assert second == "toy: epoch 9 of 10, about 27 s to go"


def test_the_steps_name_is_shown_and_work_within_work_is_not(clock, caplog):
    name_step("test · joint")
    try:
        with caplog.at_level(logging.INFO), progress("outer", 2, "epoch") as outer:
            with progress("inner", 5, "clip") as inner:
                clock(60)
                inner.advance(5)
            outer.advance()
    finally:
        name_step("")
    assert caplog.messages == ["test · joint: epoch 1 of 2, about 1 min 00 s to go"]


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True


def test_in_a_terminal_there_is_a_bar_and_it_goes_away(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("toy", 4, "epoch") as shown:
        assert isinstance(shown, module.Bar)
        shown._bar.delay = 0
        shown._bar.mininterval = 0
        shown.advance(loss=0.25)
        shown._bar.refresh()
    written = terminal.getvalue()
    assert "toy" in written
    assert "1/4" in written
    assert "loss=0.250" in written
    assert module.Bar._bars == 0
