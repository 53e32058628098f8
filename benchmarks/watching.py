"""How much memory a process and its descendants hold. Needs Linux, for /proc."""

import threading
from pathlib import Path

KINDS = {"RssAnon": "own", "RssFile": "mapped files"}


def family(parent: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [parent]
    for process in found:
        found += children.get(process, [])
    return found


def memory(processes: list[int]) -> dict[str, int]:
    """Resident bytes of some processes together; shared pages count for each of them."""
    total = dict.fromkeys(KINDS, 0)
    for process in processes:
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, value = line.partition(":")
            if key in total:
                total[key] += int(value.split()[0]) * 1024
    return total


class Watch:
    """The largest memory of a process and its descendants together, between its start and `stop`.

    Attributes:
        peak: bytes by kind, see `memory`; the largest since the last `lap`.
        processes: how many there were at most.
    """

    def __init__(self, process: int, every: float = 0.1):
        self._process, self._every, self._stopped = process, every, threading.Event()
        self.peak, self.processes = dict.fromkeys(KINDS, 0), 1
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._stopped.wait(self._every):
            members = family(self._process)
            self.processes = max(self.processes, len(members))
            now = memory(members)
            self.peak = {key: max(self.peak[key], value) for key, value in now.items()}

    def lap(self) -> dict[str, int]:
        """The peak so far, and begin anew."""
        peak, self.peak = self.peak, dict.fromkeys(KINDS, 0)
        return peak

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
