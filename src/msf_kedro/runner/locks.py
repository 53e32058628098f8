"""Who is at work: locks that the system lifts when a process ends, in whatever way."""

import json
import logging
import multiprocessing
import os
import socket
import tempfile
import threading
import time
from contextlib import suppress
from multiprocessing.util import register_after_fork
from pathlib import Path

from filelock import FileLock, Timeout

from .files import text_hash
from .places import Place

logger = logging.getLogger(__name__)

ENDING = ".lock"
_watched: int | None = None  # the process that ends with its parent


class WorkLock:
    """The right to make an artifact, or to be a run; one process has it at a time.

    Args:
        path: of the lock; its file, see `lock_file`, says who has it and is gone when nobody has;
            that of a killed process is left behind, but locks nobody out.
        owner: what to tell others about who has it.
    """

    def __init__(self, path: Place, owner: str):
        self._path = path = lock_file(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._owner = f"{owner} (process {os.getpid()} on {socket.gethostname()})"
        self._lock = FileLock(path, thread_local=False)  # the main thread releases what others took

    def acquire(self, what: str) -> None:
        """Wait for the lock, and say for whom.

        Args:
            what: is to be done under the lock, for the message.
        """
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            logger.warning("waiting to make %s: %s", what, _holder(self._path))
            started = time.monotonic()
            self._lock.acquire()
            logger.info("waited %.0f s to make %s", time.monotonic() - started, what)
        with suppress(OSError):  # Windows lets nobody write to a locked file
            self._path.write_text(json.dumps({"owner": self._owner, "since": time.time()}))

    def release(self) -> None:
        with suppress(OSError):  # while it is held: who waits notices that the file is gone
            self._path.unlink()
        self._lock.release()


def lock_file(path: Place) -> Path:
    """The file of a lock: itself, or for one on other storage, which has no locks, one of here.

    Those are in a folder of this machine, or in the folder `KEDRO_LOCKS`, which machines may share.
    """
    if isinstance(path, Path):
        return path
    user = os.getuid() if hasattr(os, "getuid") else ""
    folder = os.environ.get("KEDRO_LOCKS", f"{tempfile.gettempdir()}/kedro-locks-{user}")
    return Path(folder) / text_hash(str(path.parent))[:16] / path.name


def is_held(path: Place) -> bool:
    """Whether a living process has a lock; the file that a killed one has left is removed."""
    path = lock_file(path)
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    with suppress(OSError):
        path.unlink()
    lock.release()
    return False


def _holder(path: Path) -> str:
    """Who has a lock, and since when, in words."""
    with suppress(OSError, ValueError, KeyError):
        note = json.loads(path.read_text())
        return f"{note['owner']} has been at it for {time.time() - note['since']:.0f} s"
    return "another process is at it"


def end_with_parent() -> None:
    """In a process that another one has started: end when that one has ended, in whatever way."""
    global _watched
    if _watched != os.getpid() and multiprocessing.parent_process() is not None:
        _watched = os.getpid()
        threading.Thread(target=_wait_for_parent, daemon=True).start()


def let_children_end_with_this() -> None:
    """Have every process that this one forks end with it, such as those of a `ParallelRunner`.

    Processes that are spawned see to it themselves as soon as they run a node.
    """
    register_after_fork(end_with_parent, lambda watch: watch())


def _wait_for_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
