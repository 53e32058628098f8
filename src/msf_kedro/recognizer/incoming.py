"""Clips as users have them: arrays, files, folders."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from msf_kedro.clips.layouts import Layout
from msf_kedro.clips.limits import Limits
from msf_kedro.clips.normalise import NormaliseConfig, check_clip, normalise
from msf_kedro.clips.readers import SUFFIXES, read_clip


def named_clips(clips: Any) -> Iterator[tuple[str, Any]]:
    """Names of clips, and the clips, each an array or a file's path.

    Args:
        clips: an array `(frames, joints, C)` or `(bodies, frames, joints, C)` is one clip, a path
            is a file or a folder of files, whose sub-folders are searched too; several are given
            as a list (or any other iterable), or as a mapping from names.

    Raises:
        ValueError: there is no such file or folder, or no clip in it.
    """
    if isinstance(clips, str | Path):
        yield from _files(Path(clips))
    elif isinstance(clips, Mapping):
        yield from ((str(name), clip) for name, clip in clips.items())
    elif hasattr(clips, "ndim"):
        yield "clip 1", clips
    elif isinstance(clips, Iterable):
        for number, clip in enumerate(clips, 1):
            is_path = isinstance(clip, str | Path)
            yield Path(clip).stem if is_path else f"clip {number}", clip
    else:
        raise ValueError(
            f"clips: {type(clips).__name__}, expected an array, a path, or a list of these"
        )


def _files(place: Path) -> Iterator[tuple[str, Path]]:
    if place.is_file():
        yield place.stem, place
        return
    if not place.is_dir():
        raise ValueError(f"{place}: there is no such file or folder of clips")
    files = sorted(file for file in place.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not files:
        raise ValueError(f"{place}: it holds no clip, a file that ends in {', '.join(SUFFIXES)}")
    for file in files:
        yield file.relative_to(place).with_suffix("").as_posix(), file


def prepared(
    clip: Any, layout: Layout, config: NormaliseConfig, limits: Limits
) -> Float[np.ndarray, "B C V W"] | str:
    """A clip's normalised bodies, or the reason why it cannot be looked at."""
    try:
        raw = _read(Path(clip), limits) if isinstance(clip, str | Path) else _array(clip)
        return check_clip(raw, layout, config) or normalise(raw, layout, config)
    except Exception as error:  # a damaged file can make a reader raise anything
        return f"unreadable: {error}"


def _read(file: Path, limits: Limits) -> np.ndarray:
    if not file.is_file():
        raise ValueError(f"{file}: there is no such file")
    limits.check(file.name, size=file.stat().st_size)
    return read_clip(file.read_bytes(), file.name, limits)


def _array(clip: Any) -> np.ndarray:
    array = np.asarray(clip)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"an array of {array.dtype}, expected numbers")
    with np.errstate(over="ignore"):  # infinity, which `check_clip` finds
        array = array.astype(np.float32)
    return array[None] if array.ndim == 3 else array
