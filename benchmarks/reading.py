"""`.skeleton` files per second of one core: read, checked and normalised.

    OMP_NUM_THREADS=1 python benchmarks/reading.py --files 40 --rounds 5

Two ways, taking turns: `line by line` reads as the format is told, a Python list for each line;
`project` is the project's reader. Both are followed by the project's normalisation, at the window
of 64 frames (resampled) and at the release's 300 (repeated). The files are made from the sample's
movements at the lengths of NTU's clips, and lie in memory. Seconds are processor time.
"""

import argparse
import statistics
import sys
import time
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


def line_by_line(text: str) -> np.ndarray:
    frames = transcribe(text)
    clip = np.zeros((max(map(len, frames)), len(frames), 25, 3), np.float32)
    for frame, bodies in enumerate(frames):
        clip[: len(bodies), frame] = np.array(bodies).reshape(-1, 25, 3)
    return clip


def project(text: str) -> np.ndarray:
    return read_skeleton(text, "clip", LIMITS)


def seconds_of(read, texts: list[str], config: NormaliseConfig | None) -> float:
    start = time.process_time()
    for text in texts:
        clip = read(text)
        if config:
            assert check_clip(clip, LAYOUT, config) is None
            normalise(clip, LAYOUT, config)
    return (time.process_time() - start) / len(texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    texts = [clip_of(number)[1] for number in range(options.files)]
    for text in texts:
        np.testing.assert_array_equal(line_by_line(text), project(text))
    print(f"{options.files} files, {statistics.mean(map(len, texts)) / 1000:.0f} kB each")
    print("window  way            ms a file  files/s a core  ratio")
    for window, config in {0: None, **WINDOWS}.items():
        taken = {line_by_line: [], project: []}
        for _ in range(options.rounds):
            for read, seconds in taken.items():
                seconds.append(seconds_of(read, texts, config))
        medians = {read: statistics.median(seconds) for read, seconds in taken.items()}
        for read, seconds in medians.items():
            name, of = read.__name__.replace("_", " "), f"{window or 'none':>6}"
            ratio = medians[line_by_line] / seconds
            print(f"{of}  {name:13}  {seconds * 1000:9.2f}  {1 / seconds:14.0f}  {ratio:5.1f}")
    print(f"{FULL} files on 8 cores at the last rate: {FULL * seconds / 8 / 60:.1f} min")


if __name__ == "__main__":
    main()
