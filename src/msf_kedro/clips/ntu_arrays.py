"""Well-formed `.skeleton` text straight to arrays: one pass over the bytes, no object per line.

Whatever is unusual is left to the careful reader, which also says what is wrong.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float, Int, UInt8

JOINTS = 25
BODY_FIELDS = 10
JOINT_FIELDS = 12
BODY_LINES = 2 + JOINTS
BODY_NUMBERS = BODY_FIELDS + 1 + JOINTS * JOINT_FIELDS
SPACE, LINE_FEED, ZERO = ord(" "), ord("\n"), ord("0")
PLAIN = b"0123456789+-.eE \n"  # of numbers and what is between them


def read_plain(text: str, frames: int, most_bodies: int) -> Float[np.ndarray, "M T 25 3"] | None:
    """The clip of a complete file of `frames` frames; None if the text needs a closer look.

    The text has single spaces between fields and LF or CRLF behind lines, a body in some frame and
    less than 10 in each. Of fields that are not read only the characters are checked.
    """
    if not text.isascii():
        return None
    data = text.rstrip().encode()
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    data += b"\n"
    if data.translate(None, PLAIN):
        return None
    characters = np.frombuffer(data, np.uint8)
    lines, gaps = (np.count_nonzero(characters == one) for one in (LINE_FEED, SPACE))
    if gaps * BODY_LINES > (lines + BODY_LINES) * (BODY_NUMBERS - BODY_LINES):
        return None  # far more fields than such lines have
    ends = np.flatnonzero(characters <= SPACE)
    fields = _Fields(characters, np.concatenate(([0], ends[:-1] + 1)), ends)
    bodies = _bodies(fields, frames)
    if bodies is None or bodies.max() > most_bodies:
        return None
    return _clip(fields, bodies)


class _Fields(NamedTuple):
    """The text's characters, and where each field starts and ends in them."""

    characters: UInt8[np.ndarray, " characters"]
    starts: Int[np.ndarray, " fields"]
    ends: Int[np.ndarray, " fields"]

    def digit(self, chosen: Int[np.ndarray, " n"], place: int) -> Int[np.ndarray, " n"]:
        """What stands at a place of the chosen fields, as a digit."""
        return self.characters[self.starts[chosen] + place].astype(np.int64) - ZERO

    def lengths(self, chosen: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        return self.ends[chosen] - self.starts[chosen]

    def numbers(self, chosen: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"] | None:
        """The chosen fields as numbers, those that NumPy's parser gives; None if one is none."""
        offsets = np.empty(2 * len(chosen) + 1, np.int32)
        offsets[:-1:2], offsets[1::2] = self.starts[chosen], self.ends[chosen]
        offsets[-1] = offsets[-2]  # what is chosen and what is between, in turns
        buffers = pa.py_buffer(offsets), pa.py_buffer(self.characters)
        pieces = pa.StringArray.from_buffers(len(offsets) - 1, *buffers)
        texts = pieces.take(pa.array(np.arange(0, len(pieces), 2, dtype=np.int32)))
        try:
            return pc.cast(texts, pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            return None


def _bodies(fields: _Fields, frames: int) -> Int[np.ndarray, " T"] | None:
    """How many bodies each frame lists; None if the lines are not those of such frames."""
    if not (fields.ends > fields.starts).all():
        return None
    last = np.flatnonzero(fields.characters[fields.ends] == LINE_FEED)  # fields of their lines
    widths = np.diff(last, prepend=-1)
    before = np.concatenate(([0], widths[:-1]))
    counts = np.flatnonzero((widths == 1) & (before != BODY_FIELDS))[1:]
    if len(counts) != frames or frames == 0:
        return None
    bodies = fields.digit(last[counts], 0)
    if (fields.lengths(last[counts]) != 1).any() or (bodies < 0).any() or not bodies.any():
        return None
    expected = 1 + np.concatenate(([0], np.cumsum(1 + BODY_LINES * bodies)))
    if expected[-1] != len(widths) or not np.array_equal(expected[:-1], counts):
        return None
    of_bodies = np.delete(widths, np.concatenate(([0], counts))).reshape(-1, BODY_LINES)
    if (of_bodies != [BODY_FIELDS, 1, *[JOINT_FIELDS] * JOINTS]).any():
        return None
    joints = _first_fields(bodies) + BODY_FIELDS
    tens, ones = fields.digit(joints, 0), fields.digit(joints, 1)
    whole = (fields.lengths(joints) == 2) & (10 * tens + ones == JOINTS) & (ones >= 0) & (ones < 10)
    return bodies if whole.all() else None


def _clip(fields: _Fields, bodies: Int[np.ndarray, " T"]) -> Float[np.ndarray, "M T 25 3"] | None:
    """Joints of every body, by its place in the frame; None if one is no number."""
    within = BODY_FIELDS + 1 + JOINT_FIELDS * np.arange(JOINTS)[:, None] + np.arange(3)
    joints = fields.numbers((_first_fields(bodies)[:, None, None] + within).ravel())
    if joints is None:
        return None
    frame = np.repeat(np.arange(len(bodies)), bodies)
    place = np.arange(len(frame)) - np.repeat(np.cumsum(bodies) - bodies, bodies)
    clip = np.zeros((bodies.max(), len(bodies), JOINTS, 3), np.float32)
    with np.errstate(over="ignore"):  # infinity, which `check_clip` finds
        clip[place, frame] = joints.reshape(-1, JOINTS, 3)
    return clip


def _first_fields(bodies: Int[np.ndarray, " T"]) -> Int[np.ndarray, " B"]:
    """Of every body its first field's number: behind the file's count, its frame's and others'."""
    frame = np.repeat(np.arange(len(bodies)), bodies)
    return 2 + frame + BODY_NUMBERS * np.arange(len(frame))
