"""A clip for tests of breaks; its file imports little, as other processes import it too."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msf_kedro.clips.limits import Limits
from msf_kedro.sample import generate_clip

BAD = "S001C001P666R001A001"


@dataclass
class TracingClip:
    """A clip that leaves a trace in a folder when it is read; the trap ends who reads it."""

    name: str
    traces: Path
    trap: str = ""
    stamp: str = "1"

    def __call__(self, limits: Limits) -> np.ndarray:
        (self.traces / self.name).touch()
        if (self.traces / "armed").exists():
            if self.trap == "interrupt":
                raise KeyboardInterrupt
            if self.trap == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
        if self.name == BAD:
            raise ValueError("damaged")
        return generate_clip(int(self.name[-3:]), int(self.name[9:12]), 1, seed=0)
