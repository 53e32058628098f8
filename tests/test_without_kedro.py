"""The library half can be imported, and a bundle used, where Kedro is not installed."""

import os
import subprocess
import sys

import numpy as np
from support import recognisers
from support.sessions import ROOT
from test_architecture import LIBRARY

from msf_kedro.recognizer.bundle import Bundle, write_bundle

# Kedro and what only it and the shell need; a module that is hidden is as if never installed.
ELSEWHERE = """
import importlib, sys

HIDDEN = ("kedro", "kedro_datasets", "kedro_viz", "kedro_telemetry", "click", "dynaconf",
          "omegaconf", "pluggy", "rich", "filelock")

class Hidden:
    def find_spec(self, name, *rest):
        if name.split(".")[0] in HIDDEN:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Hidden())
for name in sys.argv[1:]:
    importlib.import_module(name)

import numpy as np
from msf_kedro.recognizer import Recognizer
recognizer = Recognizer.load("bundle")
print(recognizer.predict("clip.npy")[0].label, len(recognizer.classes))
assert not [name for name in sys.modules if name.split(".")[0] in HIDDEN[:4]]
"""


def modules() -> list[str]:
    """All modules of the library but the demo's, whose server brings click."""
    names = [name for name in LIBRARY if not name.startswith("demo/")]
    files = [name.removesuffix(".py").removesuffix("/__init__") for name in names]
    return sorted("msf_kedro." + name.replace("/", ".") for name in files if name != "__init__")


def test_the_library_needs_no_kedro(tmp_path):
    model = recognisers.model()
    write_bundle(Bundle(*model.parts(), "# card"), tmp_path / "bundle")
    (clip,) = recognisers.clips(1)
    np.save(tmp_path / "clip.npy", clip)
    assert len(modules()) > 60
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", ELSEWHERE, *modules()]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    label, count = done.stdout.split()
    assert label in recognisers.WORDS
    assert int(count) == len(recognisers.WORDS)
