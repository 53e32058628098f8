"""Clips wherever they lie: the reader that fits a file or folder, by what is in it."""

from pathlib import Path

from msf_kedro.clips.clip import LoadClip
from msf_kedro.clips.readers import SUFFIXES
from msf_kedro.datasets.clips import AnyClipDataset, ClipFile
from msf_kedro.datasets.many_clips import FRAME, TABLES, ClipRowsDataset, OpenPoseClipsDataset
from msf_kedro.recognizer.incoming import named_clips

MAX_TABLE = 1_000_000_000  # bytes of a table in long form


def clips_in(place: Path) -> dict[str, LoadClip]:
    """The clips of a file or folder: name → function that reads it.

    OpenPose's folders have a file a frame, tables in long form hold many clips, and in all other
    formats a file is a clip.

    Raises:
        ValueError: there is no such place, or no clip in it.
        DatasetError: a table is none in long form, or two clips have one name.
    """
    files = [place] if place.is_file() else [f for f in place.rglob("*") if f.is_file()]
    if place.is_dir() and any(FRAME.fullmatch(file.name) for file in files):
        return OpenPoseClipsDataset(str(place)).load()
    suffixes = {file.suffix.lower() for file in files}
    if suffixes & set(TABLES) and not suffixes & set(SUFFIXES):
        return ClipRowsDataset(str(place), MAX_TABLE).load()
    return {
        name: ClipFile(AnyClipDataset, {}, str(file))
        for name, file in dict(named_clips(place)).items()
    }
