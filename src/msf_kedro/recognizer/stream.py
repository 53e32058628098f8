"""Frames that arrive one by one, as overlapping clips."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Float


def windows(
    frames: Iterable[Any], length: int, every: int
) -> Iterator[tuple[int, Float[np.ndarray, "M T V C"]]]:
    """The latest frames as a clip, again and again; bodies that a frame lacks are zeros there.

    Args:
        frames: arrays `(joints, C)`, or `(bodies, joints, C)` with any number of bodies.
        length: frames of a clip; the first ones have from half as many on.
        every: frames between two clips.

    Yields:
        The number of frames so far, and the clip.

    Raises:
        ValueError: a number is out of range, or a frame is no such array.
    """
    if length < 2 or every < 1:
        raise ValueError(
            f"length is {length} and every {every} frames, expected at least 2 and at least 1"
        )
    latest: deque[np.ndarray] = deque(maxlen=length)
    for number, frame in enumerate(frames, 1):
        latest.append(_frame(frame, number, latest))
        if number >= length / 2 and number % every == 0:
            yield number, _clip(latest)


def _frame(frame: Any, number: int, before: deque[np.ndarray]) -> np.ndarray:
    array = np.asarray(frame, dtype=np.float32)
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3 or (before and array.shape[1:] != before[-1].shape[1:]):
        expected = f"(bodies, *{before[-1].shape[1:]})" if before else "(joints, C)"
        raise ValueError(f"frame {number} has shape {array.shape}, expected {expected}")
    return array


def _clip(frames: deque[np.ndarray]) -> np.ndarray:
    clip = np.zeros((max(map(len, frames)), len(frames), *frames[0].shape[1:]), np.float32)
    for place, frame in enumerate(frames):
        clip[: len(frame), place] = frame
    return clip
