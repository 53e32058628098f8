"""Runs of the project as processes of their own, which can be killed, and what they leave."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from msf_kedro.runner.files import content_hash
from msf_kedro.runner.housekeeping import recorded
from msf_kedro.runner.records import Record, record_of
from support.sessions import ROOT

TICK = 0.01  # seconds
PATIENCE = 120.0  # seconds, on a machine that does much else


@dataclass(frozen=True)
class Launched:
    """A run; its processes are a session of their own."""

    launcher: "Launcher"
    pid: int
    log: Path

    def processes(self) -> list[int]:
        """The run's living processes, itself included."""
        return [pid for pid, fields in _processes() if fields[3] == str(self.pid)]

    def cpu_seconds(self) -> float:
        """What the living processes have used of a processor."""
        mine = (fields for _, fields in _processes() if fields[3] == str(self.pid))
        ticks = sum(int(fields[11]) + int(fields[12]) for fields in mine)
        return ticks / os.sysconf("SC_CLK_TCK")

    def kill(self, number: int = signal.SIGKILL) -> None:
        os.kill(self.pid, number)

    def kill_after(self, cpu_seconds: float, number: int = signal.SIGKILL) -> None:
        """Kill the run's first process at that moment, unless the run ends before."""
        while self.pid in self.processes():
            if self.cpu_seconds() >= cpu_seconds:
                self.kill(number)
                return
            time.sleep(TICK)

    def wait(self) -> int:
        """Its exit code, or minus the signal that ended it."""
        until = time.monotonic() + PATIENCE
        while self.pid in self.processes():
            assert time.monotonic() < until, self.said()
            time.sleep(TICK)
        return self.launcher.ask(wait=self.pid)["status"]

    def wait_for(self, text: str) -> None:
        """Until the run has said that."""
        until = time.monotonic() + PATIENCE
        while text not in self.said():
            assert time.monotonic() < until, self.said()
            assert self.processes(), self.said()
            time.sleep(TICK)

    def left(self, patience: float = 5.0) -> list[int]:
        """The processes that are there some time after the first has ended."""
        until = time.monotonic() + patience
        while (alive := self.processes()) and time.monotonic() < until:
            time.sleep(TICK)
        return alive

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Launcher:
    """Starts runs of the test study; see `launcher.py`."""

    def __init__(self, logs: Path):
        self._logs, self._started = logs, 0
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(Path(__file__).with_name("launcher.py"))]
        with (logs / "launcher").open("w") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
            )
        self._answer()

    def ask(self, **order) -> dict:
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        assert line, (self._logs / "launcher").read_text()
        return json.loads(line)

    def kedro(self, *arguments: str, root: Path, die_at: int | None = None, **params) -> Launched:
        """Start a command on the test study with this data root."""
        self._started += 1
        log = self._logs / f"{self._started}.log"
        given = ",".join(f"{name}={value}" for name, value in {"data_root": root, **params}.items())
        command = [*arguments, "--env=test", f"--params={given}"]
        order = {"start": command, "folder": str(ROOT), "log": str(log)}
        if die_at:
            order |= {"die_at": die_at, "below": str(root)}
        return Launched(self, self.ask(**order)["pid"], log)

    def run(self, *arguments: str, root: Path, **params) -> str:
        """Have a command run to its end; what it says."""
        launched = self.kedro(*arguments, root=root, **params)
        assert launched.wait() == 0, launched.said()
        return launched.said()

    def stop(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def complete(root: Path) -> dict[Path, Record]:
    """All whole versions below a data root, with their records."""
    found = {file: record_of(file) for file in recorded(root)}
    return {file: record for file, record in found.items() if record and record.complete}


def damaged_or_lost(root: Path, before: dict[Path, Record]) -> list[Path]:
    """Versions whose content is not that of their record, and those that are gone or others."""
    now = complete(root)
    damaged = [f for f, r in now.items() if not f.exists() or content_hash(f) != r.content]
    lost = [f for f, r in before.items() if f not in now or now[f].content != r.content]
    return damaged + lost


def unfinished(root: Path) -> list[Path]:
    """Half-written files, records of versions that are not whole, kept states, locks."""
    whole = complete(root)
    odd = [file for file in root.rglob("*") if file.name.endswith((".partial", ".lock"))]
    odd += [file for file in recorded(root) if file not in whole]
    odd += [
        folder for folder in root.rglob("*") if folder.name in ("training_state", "clip_chunks")
    ]
    return odd


def _processes():
    """All processes but dead ones: number, and the fields of `/proc/PID/stat` behind the name."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            fields = stat.rpartition(")")[2].split()
            if fields[0] not in "ZX":
                yield int(entry.name), fields
