"""JSON of pose estimators to clips: OpenPose, a file a frame, and MediaPipe, a file a clip."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from msf_kedro.clips.layouts import MOST_JOINTS
from msf_kedro.clips.limits import Limits

WORLD, IMAGE = ("pose_world_landmarks", "worldLandmarks"), ("pose_landmarks", "landmarks")
COORDINATES = ("x", "y", "z", "visibility")


def read_openpose(
    frames: Mapping[int, bytes], name: str, limits: Limits
) -> Float[np.ndarray, "M T V 3"]:
    """Read what OpenPose writes with `--write_json`: x, y and confidence of each joint.

    Bodies are numbered by their place in each frame's list. Frames without a file, between the
    first and the last, hold nobody.

    Args:
        frames: number → the content of its file.
        name: what to call the clip in errors.
        limits: of the clip, all its files together.

    Returns:
        float32, all zeros where there is no body; M is 0 if no frame has one.

    Raises:
        ValueError: a file is not of this form, or they go beyond the limits.
    """
    limits.check(name, frames=max(frames) - min(frames) + 1, size=sum(map(len, frames.values())))
    bodies: dict[int, list[list]] = {}
    for number, content in frames.items():
        where = f"{name}: frame {number}"
        people = _field(_parse(content, where), ("people",), where)
        limits.check(where, bodies=len(people))
        bodies[number] = [
            _triples(_field(person, ("pose_keypoints_2d",), where), where) for person in people
        ]
    return _clip(bodies, 3, name, limits)


def read_mediapipe(content: bytes, name: str, limits: Limits) -> Float[np.ndarray, "M T 33 4"]:
    """Read the results of MediaPipe's pose landmarker: x, y, z and visibility of each joint.

    The file is a list of frames, or an object whose `frames` is one. A frame is what the
    landmarker returns: an object with `pose_world_landmarks` (or `worldLandmarks`), a list for
    every person of objects with `x`, `y`, `z` and `visibility`; where a file has none, of
    `pose_landmarks` (or `landmarks`), whose unit is the image's width.

    Args:
        content: the file's.
        name: what to call the file in errors.
        limits: of the clip.

    Returns:
        float32, all zeros where there is no body; M is 0 if no frame has one.

    Raises:
        ValueError: the content is no such file, or goes beyond the limits.
    """
    limits.check(name, size=len(content))
    parsed = _parse(content, name)
    frames = parsed if isinstance(parsed, list) else _field(parsed, ("frames",), name)
    limits.check(name, frames=len(frames))
    places = [f"{name}: frame {number + 1}" for number in range(len(frames))]
    world = all(isinstance(frame, Mapping) and any(k in frame for k in WORLD) for frame in frames)
    bodies = {}
    for number, (frame, where) in enumerate(zip(frames, places, strict=True)):
        people = _field(frame, WORLD if world else IMAGE, where)
        limits.check(where, bodies=len(people))
        bodies[number] = [_landmarks(person, where) for person in people]
    return _clip(bodies, len(COORDINATES), name, limits)


def _parse(content: bytes, where: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: not JSON ({str(error)[:80]})") from error


def _field(parsed: Any, keys: Sequence[str], where: str) -> list:
    """The list under the first of some keys that is there."""
    fields = parsed if isinstance(parsed, Mapping) else {}
    found = next((fields[key] for key in keys if key in fields), None)
    if not isinstance(found, list):
        raise ValueError(f"{where}: no list {keys[0]!r}, but {str(parsed)[:60]!r}")
    return found


def _triples(numbers: list, where: str) -> list[list]:
    if len(numbers) % 3:
        raise ValueError(f"{where}: {len(numbers)} numbers of a person, expected x, y, confidence")
    return [numbers[place : place + 3] for place in range(0, len(numbers), 3)]


def _landmarks(person: Any, where: str) -> list[list]:
    if not isinstance(person, list) or not all(isinstance(joint, Mapping) for joint in person):
        raise ValueError(f"{where}: a person is {str(person)[:60]!r}, expected a list of landmarks")
    return [[joint.get(key, math.nan) for key in COORDINATES] for joint in person]


def _clip(
    bodies: Mapping[int, list[list]], channels: int, name: str, limits: Limits
) -> Float[np.ndarray, "M T V {channels}"]:
    """An array of what each frame lists for each body."""
    people = [person for listed in bodies.values() for person in listed]
    joints = {len(person) for person in people}
    if len(joints) > 1 or max(joints, default=0) > MOST_JOINTS:
        raise ValueError(
            f"{name}: people of {sorted(joints)[:5]} joints, expected one number, at most"
            f" {MOST_JOINTS}"
        )
    numbers = [number for person in people for joint in person for number in joint]
    if wrong := [
        n for n in numbers if isinstance(n, bool) or not isinstance(n, int | float | None)
    ]:
        raise ValueError(f"{name}: {str(wrong[0])[:40]!r}, expected a number")
    first = min(bodies, default=0)
    most = max(map(len, bodies.values()), default=0)
    frames = max(bodies, default=-1) - first + 1
    shape = (most, frames, max(joints, default=0), channels)
    limits.check(name, size=4 * math.prod(shape))
    clip = np.zeros(shape, np.float32)
    with np.errstate(over="ignore"):  # infinity, which `check_clip` finds
        for frame, listed in bodies.items():
            for place, person in enumerate(listed):
                clip[place, frame - first] = _floats(person, channels)
    return clip


def _floats(person: list[list], channels: int) -> Float[np.ndarray, "V {channels}"]:
    values = [[math.nan if n is None else min(max(n, -1e300), 1e300) for n in j] for j in person]
    return np.array(values, np.float64).reshape(-1, channels)
