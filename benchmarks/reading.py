"""`.skeleton` files per second of one core: read, checked and normalised.

    OMP_NUM_THREADS=1 python benchmarks/reading.py --files 40 --rounds 5
    OMP_NUM_THREADS=1 python benchmarks/reading.py --reference Shift-GCN/data_gen

Ways that take turns: `line by line` reads as the format is told, a Python list for each line;
`project` is the project's reader. Both are followed by the project's normalisation, at the window
of 64 frames (resampled) and at the release's 300 (repeated). With `--reference`, the folder of the
released preparation (of github.com/kchengiva/Shift-GCN, not part of this project), that one, too,
reads and normalises, at 300 frames. The files are made from the sample's movements at the lengths
of NTU's clips, and read from a temporary folder. Seconds are processor time.
"""

import argparse
import contextlib
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from preprocessing import FULL, clip_of

from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.limits import Limits
from msf_kedro.clips.normalise import NormaliseConfig, check_clip, normalise
from msf_kedro.clips.ntu import read_skeleton

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.transcription import transcribe

LIMITS = Limits(frames=10_000, bodies=16, bytes=32_000_000)
LAYOUT = get_layout("kinect_v2_25")
WINDOWS = {64: NormaliseConfig(64, resample=True), 300: NormaliseConfig(300, resample=False)}
RELEASED = 300  # the window of the released preparation
Way = Callable[[Path, NormaliseConfig | None], object]


def line_by_line(file: Path, config: NormaliseConfig | None) -> np.ndarray:
    frames = transcribe(file.read_text())
    clip = np.zeros((max(map(len, frames)), len(frames), 25, 3), np.float32)
    for frame, bodies in enumerate(frames):
        clip[: len(bodies), frame] = np.array(bodies).reshape(-1, 25, 3)
    return normalised(clip, config)


def project(file: Path, config: NormaliseConfig | None) -> np.ndarray:
    return normalised(read_skeleton(file.read_text(), "clip", LIMITS), config)


def normalised(clip: np.ndarray, config: NormaliseConfig | None) -> np.ndarray:
    if config is None:
        return clip
    assert check_clip(clip, LAYOUT, config) is None
    return normalise(clip, LAYOUT, config)


def released(folder: Path) -> Way:
    """The released preparation, a file at a time; its two bodies always."""
    sys.path.insert(0, str(folder))
    from ntu_gendata import read_xyz
    from preprocess import pre_normalization

    def prepare(file: Path, config: NormaliseConfig | None) -> np.ndarray:
        clip = read_xyz(str(file))
        if config is None:
            return clip
        padded = np.zeros((1, 3, config.window, 25, 2), np.float32)
        padded[0, :, : clip.shape[1]] = clip
        nowhere = io.StringIO()  # for its progress bars
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            return pre_normalization(padded)

    return prepare


def seconds_of(way: Way, files: list[Path], config: NormaliseConfig | None) -> float:
    start = time.process_time()
    for file in files:
        way(file, config)
    return (time.process_time() - start) / len(files)


def measure(files: list[Path], rounds: int, reference: Path | None) -> None:
    ways: dict[str, Way] = {"line by line": line_by_line, "project": project}
    print("window  way            ms a file  files/s a core  ratio")
    for window, config in {0: None, **WINDOWS}.items():
        here = ways
        if reference and window in (0, RELEASED):
            here = {"released": released(reference)} | ways
        taken: dict[str, list[float]] = {name: [] for name in here}
        for _ in range(rounds):
            for name, way in here.items():
                taken[name].append(seconds_of(way, files, config))
        medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
        for name, seconds in medians.items():
            of, ratio = f"{window or 'none':>6}", seconds / medians["project"]
            print(f"{of}  {name:13}  {seconds * 1000:9.2f}  {1 / seconds:14.0f}  {ratio:5.1f}")
    print(f"{FULL} files on 8 cores at the last rate: {FULL * seconds / 8 / 60:.1f} min")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reference", type=Path, help="folder of the released preparation")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number in range(options.files):
            files.append(Path(folder) / f"{number}.skeleton")
            files[-1].write_text(clip_of(number)[1])
            both = (way(files[-1], None) for way in (line_by_line, project))
            np.testing.assert_array_equal(*both)
        size = statistics.mean(file.stat().st_size for file in files)
        print(f"{options.files} files, {size / 1000:.0f} kB each")
        measure(files, options.rounds, options.reference)


if __name__ == "__main__":
    main()
