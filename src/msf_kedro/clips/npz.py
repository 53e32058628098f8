"""NumPy's `.npz` bytes to clips: coordinates, and confidences if there are some."""

import io
import struct
import zipfile
import zlib

import numpy as np
from jaxtyping import Float

from msf_kedro.clips.limits import Limits
from msf_kedro.clips.npy import read_array, read_npy

POINTS = ("keypoint", "keypoints", "clip")
DAMAGED = (  # all that reading an archive can end in
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError),
    *(OSError, struct.error),
)
SCORES = ("keypoint_score", "keypoint_scores", "scores")


def read_npz(content: bytes, name: str, limits: Limits) -> Float[np.ndarray, "M T V C"]:
    """Read a clip, `(bodies, frames, joints, coordinates)` or, for one body, without the first.

    It is the archive's only array, or one named `keypoint`, `keypoints` or `clip`. An array
    `keypoint_score`, `keypoint_scores` or `scores` of the same shape without the last axis holds
    confidences, which become the last channel.

    Args:
        content: the file's.
        name: what to call the file in errors.
        limits: of the clip; `limits.bytes` also bounds what is decompressed.

    Returns:
        float32.

    Raises:
        ValueError: the content is no such file, or goes beyond the limits.
    """
    limits.check(name, size=len(content))
    entries = _entries(content, name, limits)
    points = next((key for key in POINTS if key in entries), None)
    if points is None and len(entries) == 1:
        points = next(iter(entries))
    if points is None:
        raise ValueError(
            f"{name}: arrays {sorted(entries)[:5]}, expected a single one, or one of"
            f" {', '.join(POINTS)}"
        )
    clip = read_npy(entries[points], f"{name}: {points}", limits)
    scores = next((key for key in SCORES if key in entries), None)
    if scores is None:
        return clip
    confidences = read_array(entries[scores], f"{name}: {scores}")
    if confidences.shape not in (clip.shape[:3], clip.shape[1:3]):
        raise ValueError(
            f"{name}: {scores} is {confidences.shape}, expected {clip.shape[:3]} as {points}"
        )
    return np.concatenate([clip, confidences.reshape(*clip.shape[:3], 1)], axis=-1)


def _entries(content: bytes, name: str, limits: Limits) -> dict[str, bytes]:
    """The archive's arrays as `.npy` bytes."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except DAMAGED as error:
        raise ValueError(f"{name}: not a readable .npz archive ({error})") from error
    limits.check(name, size=sum(file.file_size for file in archive.infolist()))
    try:
        return {f.filename.removesuffix(".npy"): archive.read(f) for f in archive.infolist()}
    except DAMAGED as error:
        raise ValueError(f"{name}: not a readable .npz archive ({error})") from error
