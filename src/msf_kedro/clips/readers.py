"""Which reader a file of one clip needs, by its suffix."""

from pathlib import PurePath

import numpy as np
from jaxtyping import Float

from msf_kedro.clips.limits import Limits

SUFFIXES = (".skeleton", ".npy", ".npz", ".mat", ".bvh", ".json")


def read_clip(content: bytes, name: str, limits: Limits) -> Float[np.ndarray, "M T V C"]:
    """Read a clip: `.skeleton` of NTU RGB+D, `.npy`, `.npz`, `.mat` of UTD-MHAD, `.bvh`, `.json`
    of MediaPipe.

    Args:
        content: the file's.
        name: of the file; its suffix says what the content is, and errors name it.
        limits: of the clip.

    Raises:
        ValueError: the suffix is none of `SUFFIXES`, or the content is no such file.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix == ".skeleton":
        from msf_kedro.clips.ntu import read_skeleton  # imports Arrow

        return read_skeleton(content.decode("ascii", errors="replace"), name, limits)
    if suffix == ".bvh":
        from msf_kedro.clips.bvh import read_bvh

        return read_bvh(content.decode("utf-8", errors="replace"), name, limits)
    if suffix == ".json":
        from msf_kedro.clips.estimators import read_mediapipe

        return read_mediapipe(content, name, limits)
    if suffix == ".npz":
        from msf_kedro.clips.npz import read_npz

        return read_npz(content, name, limits)
    if suffix == ".mat":
        from msf_kedro.clips.mat import read_mat

        return read_mat(content, name, limits)
    if suffix == ".npy":
        from msf_kedro.clips.npy import read_npy

        return read_npy(content, name, limits)
    raise ValueError(f"{name}: suffix {suffix!r}, expected one of {', '.join(SUFFIXES)}")
