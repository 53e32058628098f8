"""BVH motion capture text to clips: joint positions by forward kinematics.

A hierarchy of joints, each with an offset from the one above it and the names of its channels, then
a line of numbers for each frame: for every joint in order a position, rotations in degrees, or
both. A position takes the place of the offset; rotations are applied in the order of the channels.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from msf_kedro.clips.layouts import MOST_JOINTS
from msf_kedro.clips.limits import Limits

LARGEST = 1e9  # of a number; a joint is never so far away or turned so often
CHANNELS = tuple(f"{axis}{kind}" for kind in ("position", "rotation") for axis in "XYZ")


@dataclass
class Joint:
    """A joint of the hierarchy.

    Attributes:
        name: its own; an end site's is that of the joint above it and `end`.
        parent: place of the joint above it, -1 for the root.
        offset: from the joint above it.
        channels: what a frame says of it.
    """

    name: str
    parent: int
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    channels: tuple[str, ...] = ()


def read_bvh(text: str, name: str, limits: Limits) -> Float[np.ndarray, "1 T V 3"]:
    """Read one `.bvh` file.

    Args:
        text: the file's content.
        name: what to call the file in errors.
        limits: of the clip.

    Returns:
        float32, in the file's units; joints and end sites in the file's order, one body.

    Raises:
        ValueError: the text is no such file, or goes beyond the limits.
    """
    limits.check(name, size=len(text))
    head, motion, rest = text.partition("MOTION")
    if not motion:
        raise ValueError(f"{name}: no line MOTION, expected a .bvh file")
    joints = read_hierarchy(head, name)
    frames, numbers = _motion(rest, sum(len(joint.channels) for joint in joints), name, limits)
    limits.check(name, size=frames * len(joints) * 3 * 4)
    return _positions(joints, numbers.reshape(frames, -1)).astype(np.float32)[None]


def read_hierarchy(text: str, name: str) -> list[Joint]:
    """The joints and end sites of a `.bvh` file, in its order.

    Args:
        text: the file's content, or what stands before MOTION.
        name: what to call the file in errors.

    Raises:
        ValueError: it is no hierarchy.
    """
    words = iter(text.partition("MOTION")[0].split())
    joints: list[Joint] = []
    above: list[int] = []
    if next(words, None) != "HIERARCHY":
        raise ValueError(f"{name}: does not begin with HIERARCHY, expected a .bvh file")
    for word in words:
        if word in ("ROOT", "JOINT", "End"):
            if (word == "ROOT") == bool(joints) or (word != "ROOT" and not above):
                raise ValueError(f"{name}: {word} after {len(joints)} joints; expected one ROOT")
            own = next(words, "")
            parent = above[-1] if above else -1
            joints.append(Joint(own if word != "End" else f"{joints[parent].name} end", parent))
        elif word == "{" and joints:
            above.append(len(joints) - 1)
        elif word == "}" and above:
            above.pop()
        elif word == "OFFSET" and above:
            joints[above[-1]].offset = tuple(_numbers(words, 3, name))
        elif word == "CHANNELS" and above:
            count = next(words, "")
            if count not in tuple("0123456"):
                raise ValueError(f"{name}: {count[:40]!r} channels, expected 0 to 6")
            joints[above[-1]].channels = tuple(next(words, "") for _ in range(int(count)))
        else:
            raise ValueError(f"{name}: {word[:40]!r} in the hierarchy, expected joints")
    _check(joints, above, name)
    return joints


def _check(joints: list[Joint], above: list[int], name: str) -> None:
    if above or not 1 < len(joints) <= MOST_JOINTS:
        raise ValueError(
            f"{name}: {len(joints)} joints and {len(above)} open braces before MOTION, expected 2"
            f" to {MOST_JOINTS} and none"
        )
    for joint in joints:
        if len(set(joint.channels)) < len(joint.channels) or set(joint.channels) - set(CHANNELS):
            raise ValueError(
                f"{name}: joint {joint.name[:40]} has channels {joint.channels}, expected some of"
                f" {', '.join(CHANNELS)}, each once"
            )


def _numbers(words: Iterator[str], count: int, name: str) -> list[float]:
    found = [next(words, "") for _ in range(count)]
    try:
        return [float(word) for word in found]
    except ValueError:
        raise ValueError(f"{name}: {' '.join(found)[:40]!r}, expected {count} numbers") from None


def _motion(
    text: str, channels: int, name: str, limits: Limits
) -> tuple[int, Float[np.ndarray, " n"]]:
    words = text.split(maxsplit=5)
    if len(words) < 5 or words[0] != "Frames:" or words[2:4] != ["Frame", "Time:"]:
        raise ValueError(f"{name}: {' '.join(words)[:40]!r}, expected Frames: and Frame Time:")
    if not (words[1].isascii() and words[1].isdigit() and len(words[1]) < 10):
        raise ValueError(f"{name}: Frames: {words[1][:40]!r}, expected a whole number")
    frames = int(words[1])
    limits.check(name, frames=frames)
    values = words[5].split() if len(words) > 5 else []
    if len(values) != frames * channels or not values:
        raise ValueError(
            f"{name}: {len(values)} numbers, expected {channels} for each of {frames} frames"
        )
    try:
        numbers = np.array(values, dtype=np.float64)
    except ValueError as error:
        raise ValueError(f"{name}: {error}, expected numbers") from None
    if not (np.abs(numbers) < LARGEST).all():
        raise ValueError(f"{name}: a number that is not finite or beyond {LARGEST:g}")
    return frames, numbers


def _positions(
    joints: list[Joint], numbers: Float[np.ndarray, "T channels"]
) -> Float[np.ndarray, "T V 3"]:
    """Where joints are, from the root on."""
    frames, column = len(numbers), 0
    places = np.zeros((frames, len(joints), 3))
    turns = np.zeros((frames, len(joints), 3, 3))
    for number, joint in enumerate(joints):
        values = dict(zip(joint.channels, numbers[:, column:].T, strict=False))
        column += len(joint.channels)
        offset = np.tile(joint.offset, (frames, 1))
        for axis, channel in enumerate(CHANNELS[:3]):
            if channel in values:
                offset[:, axis] = values[channel]
        turn = np.broadcast_to(np.eye(3), (frames, 3, 3))
        for channel, angles in values.items():
            if channel in CHANNELS[3:]:
                turn = turn @ _about("XYZ".index(channel[0]), np.radians(angles))
        if joint.parent < 0:
            places[:, number], turns[:, number] = offset, turn
        else:
            upper = turns[:, joint.parent]
            places[:, number] = places[:, joint.parent] + np.einsum("tij,tj->ti", upper, offset)
            turns[:, number] = upper @ turn
    return places


def _about(axis: int, angles: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T 3 3"]:
    """Turns about a coordinate axis."""
    turn = np.zeros((len(angles), 3, 3))
    one, other = (axis + 1) % 3, (axis + 2) % 3
    turn[:, axis, axis] = 1
    turn[:, one, one] = turn[:, other, other] = np.cos(angles)
    turn[:, other, one] = np.sin(angles)
    turn[:, one, other] = -turn[:, other, one]
    return turn
