"""Annotations of others, written anew as files that are safe to read."""

import csv
import re
from pathlib import Path

import numpy as np

from msf_kedro.clips.pyskl import Annotation, read_pyskl
from msf_kedro.clips.table import ACTION, NAME
from msf_kedro.datasets.files import read_file

TABLE = "clips.csv"


def convert(file: Path, folder: Path, max_bytes: int) -> str:
    """Write PYSKL's annotations as `.npy` files and a clip table; returns what was written.

    A clip's action is its label plus one. For every part of the data set's splits, such as
    `xsub_train`, the table has a column of zeros and ones.

    Args:
        file: a pickle.
        folder: made if need be; must be empty.

    Raises:
        ValueError: the file is no such pickle, asks for more than arrays and plain values, or
            names a clip in a way that no file can be named; the folder is not empty.
    """
    annotations = list(read_pyskl(read_file(file, max_bytes, "--max-bytes"), file.name))
    _check_names(annotations, file.name)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ValueError(f"{folder}: it is not empty; name a new folder")
    parts = sorted({part for annotation in annotations for part in annotation.parts})
    for annotation in annotations:
        np.save(folder / f"{annotation.name}.npy", annotation.clip, allow_pickle=False)
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as table:
        lines = csv.writer(table)
        lines.writerow([NAME, ACTION, *(re.sub(r"\W", "_", f"in_{part}") for part in parts)])
        for annotation in annotations:
            listed = [int(part in annotation.parts) for part in parts]
            lines.writerow([annotation.name, annotation.label + 1, *listed])
    shapes = sorted({annotation.clip.shape[2:] for annotation in annotations})
    found = ", ".join(f"{joints} joints of {values} values" for joints, values in shapes)
    return f"{len(annotations)} clips of {found} in {folder}, and {TABLE}"


def _check_names(annotations: list[Annotation], name: str) -> None:
    seen: set[str] = set()
    for annotation in annotations:
        if not re.fullmatch(r"\w[\w.+ -]{0,199}", annotation.name) or annotation.name in seen:
            raise ValueError(
                f"{name}: clip {annotation.name[:80]!r}, expected letters, digits, _ . + -, and"
                " every name once"
            )
        seen.add(annotation.name)
