"""Which catalog entry reads the clips below a folder, from the names of its files."""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from msf_kedro.clips.readers import SUFFIXES

TABLES = (".parquet", ".csv")
TABLE_BYTES = 1_000_000_000  # largest table of clips in long form
OPENPOSE = re.compile(r".*\d_keypoints\.json")
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm")
PICKLES = (".pkl", ".pickle")
_DATASETS = "msf_kedro.datasets."


@dataclass(frozen=True)
class Format:
    """How the clips of a folder are read.

    Attributes:
        entry: the catalog's, without `path`.
        shown: what the files are, in words.
        others: files of other formats, which are left out: suffix → how many.
    """

    entry: dict[str, Any]
    shown: str
    others: dict[str, int]


def guess_format(files: Collection[PurePath], place: str) -> Format:
    """The format of most files that can hold clips.

    Args:
        files: all files below a folder; of tables beside other clips, which may say what these
            show, none is taken for clips.
        place: the folder, for errors.

    Raises:
        ValueError: there is no file of a known format; says what was found.
    """
    suffixes = Counter(file.suffix for file in files)
    known = {s: n for s, n in suffixes.items() if s.lower() in SUFFIXES}
    tables = {s: n for s, n in suffixes.items() if s.lower() in TABLES}
    if not (known or tables):
        raise ValueError(f"{place}: {_found_instead(suffixes)}")
    suffix = max(known or tables, key=(known or tables).__getitem__)
    others = {s: n for s, n in known.items() if s != suffix}
    if not known:
        entry = {"type": f"{_DATASETS}ClipRowsDataset", "max_bytes": TABLE_BYTES}
        return Format(entry, "tables in long form (.csv, .parquet)", others)
    if any(OPENPOSE.fullmatch(file.name) for file in files) and suffix == ".json":
        entry = {"type": f"{_DATASETS}OpenPoseClipsDataset"}
        return Format(entry, "OpenPose's files, one a frame (*_keypoints.json)", others)
    entry = {
        "type": f"{_DATASETS}ClipFolderDataset",
        "dataset": f"{_DATASETS}AnyClipDataset",
        "filename_suffix": suffix,
    }
    return Format(entry, f"a file each ({suffix})", others)


def _found_instead(suffixes: Counter[str]) -> str:
    if not suffixes:
        return "it holds no file, expected clips (docs/own_data.md lists the formats)"
    lower = {suffix.lower() for suffix in suffixes}
    if pickles := sorted(lower & set(PICKLES)):
        return (
            f"it holds {pickles[0]} files, which are not read as clips; if they are PYSKL's"
            " annotations, convert them: kedro msf convert-pyskl FILE NEW_FOLDER"
        )
    if lower & set(VIDEOS):
        return (
            "it holds videos, which are not read; a pose estimator makes clips of them (docs/"
            "own_data.md, 'Poses from videos')"
        )
    found = ", ".join(f"{count} {suffix or 'no suffix'}" for suffix, count in suffixes.items())
    return f"it holds {found[:100]}, expected clips that end in {', '.join((*SUFFIXES, *TABLES))}"
