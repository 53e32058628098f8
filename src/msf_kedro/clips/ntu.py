"""Clips of the NTU RGB+D data sets: Kinect v2 `.skeleton` text to arrays.

The text: line 1 the frame count; for each frame a body count; for each body one line of 10
fields, the joint count (25), then a line of 12 fields for each joint, the first three of them
x y z in metres, camera coordinates.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float

from msf_kedro.clips.limits import Limits
from msf_kedro.clips.ntu_arrays import BODY_FIELDS, JOINT_FIELDS, JOINTS, read_plain


class _Body(NamedTuple):
    """Where a file lists a body: frame, place in the frame and first line, all counted from 0."""

    frame: int
    place: int
    line: int


def read_skeleton(text: str, name: str, limits: Limits) -> Float[np.ndarray, "M T 25 3"]:
    """Read one `.skeleton` file.

    Bodies are numbered by their place in each frame's list, not by body id; a body is all zeros
    in the frames that do not list it; M is the length of the longest list, 0 if no frame lists a
    body. Lines may end with LF or CRLF. `nan` and `inf` count as numbers; `check_clip` rejects
    clips that hold them.

    Args:
        text: the file's content.
        name: what to call the file in error messages.
        limits: of the clip.

    Returns:
        float32, metres, camera coordinates.

    Raises:
        ValueError: the text is not a complete `.skeleton` file, or goes beyond the limits; the
            message names the file, the frame or line (counted from 1), what was found and what was
            expected.
    """
    limits.check(name, size=len(text))
    frames = _frames(text, name, limits)
    clip = read_plain(text, frames, limits.bodies)
    return _read_carefully(text, frames, name, limits) if clip is None else clip


def _read_carefully(
    text: str, frames: int, name: str, limits: Limits
) -> Float[np.ndarray, "M T 25 3"]:
    """Line by line, whatever the white space, with an error for whatever is wrong."""
    lines = text.rstrip().split("\n")
    bodies = list(_walk(lines, frames, name, limits))
    longest = max((body.place + 1 for body in bodies), default=0)
    clip = np.zeros((longest, frames, JOINTS, 3), np.float32)
    if bodies:
        _numbers(lines, [body.line for body in bodies], BODY_FIELDS, bodies, name)
        joint_lines = [body.line + 2 + joint for body in bodies for joint in range(JOINTS)]
        joints = _numbers(lines, joint_lines, JOINT_FIELDS, bodies, name)
        places = [body.place for body in bodies]
        with np.errstate(over="ignore"):  # infinity, which `check_clip` finds
            clip[places, [body.frame for body in bodies]] = joints[:, :3].reshape(-1, JOINTS, 3)
    return clip


def _frames(text: str, name: str, limits: Limits) -> int:
    """The announced frames, if the text has no more lines than they can have."""
    lines = text.count("\n", 0, len(text.rstrip())) + 1
    frames = _count([text[:80].split("\n")[0]] if text.strip() else [], 0, name, "the frame count")
    limits.check(name, frames=frames)
    most = 1 + frames * (1 + limits.bodies * (2 + JOINTS))
    if lines > most:
        raise ValueError(
            f"{name}: {lines} lines, expected at most {most}: {frames} frames of {limits.bodies}"
            " bodies (clips.max_bodies)"
        )
    return frames


def _count(lines: list[str], line: int, name: str, what: str) -> int:
    """Read a line that holds a single count."""
    if line >= len(lines):
        raise ValueError(f"{name}: ends after line {len(lines)}, expected {what}")
    field = lines[line].strip()
    if not (field.isascii() and field.isdigit() and len(field) < 10):
        raise ValueError(f"{name}: line {line + 1} is {field[:40]!r}, expected {what} (0 or more)")
    return int(field)


def _walk(lines: list[str], frames: int, name: str, limits: Limits) -> Iterator[_Body]:
    """List the bodies of a file, frame by frame, checking the counts and the file's length."""
    line = 1
    for frame in range(frames):
        bodies = _count(lines, line, name, f"the body count of frame {frame + 1} of {frames}")
        limits.check(f"{name}: frame {frame + 1}", bodies=bodies)
        line += 1
        for place in range(bodies):
            where = f"frame {frame + 1}, body {place + 1} of {bodies}"
            joints = _count(lines, line + 1, name, f"the joint count of {where}")
            if joints != JOINTS:
                raise ValueError(
                    f"{name}: frame {frame + 1} lists {joints} joints, expected {JOINTS}"
                )
            if line + 2 + JOINTS > len(lines):
                raise ValueError(
                    f"{name}: ends after line {len(lines)}, inside {where}, expected {frames} "
                    f"frames of whole bodies"
                )
            yield _Body(frame, place, line)
            line += 2 + JOINTS
    if line < len(lines):
        raise ValueError(
            f"{name}: goes on after its {frames} frames with line {line + 1} "
            f"{lines[line][:40]!r}, expected the end"
        )


def _numbers(
    lines: list[str], chosen: list[int], width: int, bodies: list[_Body], name: str
) -> Float[np.ndarray, "lines {width}"]:
    """Parse the chosen lines, each of `width` numbers."""
    texts = [lines[line] for line in chosen]
    numbers = _plain_numbers(texts, width)
    if numbers is not None:
        return numbers
    rows = []
    for line, text in zip(chosen, texts, strict=True):
        fields = text.split()
        if len(fields) != width:
            raise ValueError(
                f"{_where(line, bodies, name)} has {len(fields)} fields, expected {width}"
            )
        if wrong := [field for field in fields if not _is_number(field)]:
            where = _where(line, bodies, name)
            raise ValueError(f"{where} holds {wrong[0][:40]!r}, expected a number")
        rows.append(np.array(fields, dtype=np.float64))
    return np.stack(rows)


def _plain_numbers(texts: list[str], width: int) -> Float[np.ndarray, "lines {width}"] | None:
    """The numbers of well-formed lines; None if the lines need a closer look.

    They are the numbers that NumPy's parser gives, in less than half the time.
    """
    fields = pc.ascii_split_whitespace(pa.array(texts))
    if not pc.all(pc.equal(pc.list_value_length(fields), width)).as_py():
        return None
    try:
        return pc.cast(fields.flatten(), pa.float64()).to_numpy().reshape(-1, width)
    except pa.ArrowInvalid:
        return None


def _where(line: int, bodies: list[_Body], name: str) -> str:
    """The file, frame and body that a line belongs to, for messages."""
    body = bodies[bisect_right(bodies, line, key=lambda body: body.line) - 1]
    return f"{name}: frame {body.frame + 1}, body {body.place + 1} (line {line + 1})"


def _is_number(field: str) -> bool:
    """Whether a field is a number, not only in Python's eyes, which takes 1_0 for one too."""
    try:
        float(field)
    except ValueError:
        return False
    return field.isascii() and "_" not in field
