"""How far a long step is: a bar in a terminal, a line now and then anywhere else.

Whoever works says how much there is to do and what is done; nothing else knows of bars and lines.

    with progress("Shift-GCN of joints", epochs, "epoch") as bar:
        for _ in range(epochs):
            ...
            bar.advance(loss=loss)
"""

import logging
import multiprocessing
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

logger = logging.getLogger(__name__)

EVERY = 30.0  # seconds between two lines

_step: ContextVar[str] = ContextVar("step", default="")
_shown: ContextVar[bool] = ContextVar("shown", default=False)


def name_step(name: str) -> None:
    """Name the step that this thread works at from now on; "": bars have the work's own name."""
    _step.set(name)


def duration(seconds: float) -> str:
    """Such as `0.4 s`, `12 s`, `1 min 09 s` or `2 h 05 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Progress:
    """Counts what is done, and shows nothing.

    Args:
        total: how much there is to do; None if nobody knows.
        unit: what is counted.
        done: how much of it was done earlier.
    """

    def __init__(self, total: int | None, unit: str, done: int = 0):
        self.total, self.unit, self.done = total, unit, done

    def advance(self, count: int = 1, **figures: float) -> None:
        """So much more is done; figures, such as a loss, are shown beside it."""
        self.done += count

    def tick(self) -> None:
        """Work goes on, within a unit that takes long."""

    def close(self) -> None:
        """There is no more to come."""


class Lines(Progress):
    """Logs a line every half minute: nothing of what takes less."""

    def __init__(self, name: str, total: int | None, unit: str, done: int):
        super().__init__(total, unit, done)
        self._name, self._before, self._figures = name, done, ""
        self._started = self._told = time.monotonic()

    def advance(self, count: int = 1, **figures: float) -> None:
        self.done += count
        self._figures = "".join(f", {name} {value:.3f}" for name, value in figures.items())
        self.tick()

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._told >= EVERY:
            self._told = now
            logger.info("%s: %s", self._name, self._so_far(now - self._started))

    def _so_far(self, seconds: float) -> str:
        now = self.done - self._before
        left = f"{duration(seconds)} so far"
        if self.total and now:
            left = f"about {duration(seconds / now * (self.total - self.done))} to go"
        of = f" of {self.total}" if self.total else ""
        return f"{self.unit} {self.done}{of}{self._figures}, {left}"


class Bar(Progress):
    """A bar in the terminal; log lines come above it."""

    _lock, _bars, _redirected = threading.Lock(), 0, ExitStack()

    def __init__(self, name: str, total: int | None, unit: str, done: int):
        from tqdm import tqdm
        from tqdm.contrib.logging import logging_redirect_tqdm

        super().__init__(total, unit, done)
        with self._lock:
            if not Bar._bars:  # the first one of several in threads, until the last one is closed
                Bar._redirected.enter_context(logging_redirect_tqdm())
            Bar._bars += 1
        self._bar = tqdm(
            total=total,
            initial=done,
            desc=name,
            unit=unit,
            leave=False,
            delay=1,  # none flashes up for what is done at once
            smoothing=0,  # the rate since the start: epochs are few, and ticks lie between them
            ncols=min(shutil.get_terminal_size().columns, 110),
            nrows=20,  # some terminals say that they have no rows, and would show nothing
        )
        self._refreshed = time.monotonic()

    def advance(self, count: int = 1, **figures: float) -> None:
        self.done += count
        if figures:
            self._bar.set_postfix({k: f"{v:.3f}" for k, v in figures.items()}, refresh=False)
        self._bar.update(count)

    def tick(self) -> None:
        if time.monotonic() - self._refreshed >= 1:
            self._refreshed = time.monotonic()
            self._bar.refresh()

    def close(self) -> None:
        self._bar.close()
        with self._lock:
            Bar._bars -= 1
            if not Bar._bars:
                Bar._redirected.close()


@contextmanager
def progress(name: str, total: int | None, unit: str, done: int = 0) -> Iterator[Progress]:
    """Show how far some work is, while the block runs.

    Work within work that is shown, such as a measurement after an epoch, shows nothing.

    Args:
        name: of the work; where the step has a name, that one is shown.
        total: how much there is to do; None if nobody knows.
        unit: what is counted, in the singular.
        done: how much of it was done earlier.
    """
    shown: Any = Progress(total, unit, done)
    if not _shown.get():
        shown = (Bar if _in_terminal() else Lines)(_step.get() or name, total, unit, done)
    before = _shown.set(True)
    try:
        yield shown
    finally:
        _shown.reset(before)
        shown.close()


def _in_terminal() -> bool:
    """Whether there is one, and this process alone writes to it."""
    return sys.stderr.isatty() and multiprocessing.parent_process() is None
