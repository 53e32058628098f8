"""Reading `.skeleton` text."""

import re

import numpy as np
import pytest
from support.limits import LIMITS
from support.transcription import transcribe

from msf_kedro.clips.ntu import read_skeleton
from msf_kedro.sample import write_skeleton

NAME = "S001C001P001R001A012.skeleton"
BODY_LINES = 27  # the body's fields, the joint count, 25 joints


def random_clip(bodies: int, frames: int) -> np.ndarray:
    rng = np.random.default_rng(bodies * 1000 + frames)
    return rng.normal(size=(bodies, frames, 25, 3)).astype(np.float32)


def edited(line: int, new: str | None) -> str:
    """Two frames of two bodies with one line (from 0) replaced, or left out."""
    lines = write_skeleton(random_clip(2, 2)).splitlines()
    lines[line : line + 1] = [] if new is None else [new]
    return "\n".join(lines) + "\n"


def test_reading_agrees_with_a_line_by_line_transcription() -> None:
    clip = random_clip(4, 30)
    listed = np.random.default_rng(1).integers(0, 5, size=30)
    listed[7] = 4
    for frame, bodies in enumerate(listed):
        clip[bodies:, frame] = 0
    text = write_skeleton(clip)
    read = read_skeleton(text, NAME, LIMITS)
    slow = transcribe(text)
    assert [len(bodies) for bodies in slow] == listed.tolist()
    for frame, bodies in enumerate(slow):
        for place, joints in enumerate(bodies):
            np.testing.assert_array_equal(read[place, frame], np.float32(joints))
        assert not read[len(bodies) :, frame].any()


@pytest.mark.parametrize("digits", range(1, 18))
def test_numbers_of_any_length_and_spacing_are_read_alike(digits: int) -> None:
    """Lines with spaces too many are read by another parser, field by field they are the same."""
    rng = np.random.default_rng(digits)
    fields = rng.normal(size=(25, 12)) * 10.0 ** rng.integers(-44, 38, size=(25, 12))
    lines = [" ".join(f"{value:.{digits}g}" for value in row) for row in fields]
    plain = "\n".join(["1", "1", "7 0 1 1 1 1 0 0 0 2", "25", *lines]) + "\n"
    spaced = "\n".join(["1", "1", "7 0 1 1 1 1 0 0 0 2", "25", *[f" {line}" for line in lines]])
    expected = [[np.float32(float(field)) for field in line.split()[:3]] for line in lines]
    for text in (plain, spaced, plain.replace(" ", "  "), plain.replace(" ", "\t")):
        np.testing.assert_array_equal(read_skeleton(text, NAME, LIMITS)[0, 0], expected)


def test_line_ends_and_trailing_blank_lines_do_not_matter() -> None:
    clip = random_clip(2, 4)
    text = write_skeleton(clip)
    for variant in (text.replace("\n", "\r\n"), text.rstrip("\n"), text + "\n \n"):
        np.testing.assert_array_equal(read_skeleton(variant, NAME, LIMITS), clip)


def test_bodies_are_numbered_by_place_not_by_id() -> None:
    text = write_skeleton(random_clip(1, 2))
    lines = text.splitlines()
    lines[2 + BODY_LINES + 1] = lines[2 + BODY_LINES + 1].replace("931101", "999999")
    np.testing.assert_array_equal(read_skeleton("\n".join(lines), NAME, LIMITS), random_clip(1, 2))


def test_six_bodies_and_empty_frames() -> None:
    clip = random_clip(6, 5)
    clip[:, 0] = 0
    clip[1:, 2] = 0
    read = read_skeleton(write_skeleton(clip), NAME, LIMITS)
    assert read.shape == (6, 5, 25, 3)
    np.testing.assert_array_equal(read, clip)


def test_a_clip_without_any_body_has_no_bodies() -> None:
    assert read_skeleton("3\n0\n0\n0\n", NAME, LIMITS).shape == (0, 3, 25, 3)
    assert read_skeleton("0\n", NAME, LIMITS).shape == (0, 0, 25, 3)
    assert write_skeleton(np.zeros((0, 3, 25, 3), np.float32)) == "3\n0\n0\n0\n"


def test_coordinates_that_are_not_finite_are_parsed() -> None:
    clip = random_clip(1, 2)
    clip[0, 1, 3] = (np.nan, np.inf, -np.inf)
    np.testing.assert_array_equal(read_skeleton(write_skeleton(clip), NAME, LIMITS), clip)


JOINT = "0.1 0.2 3.0 1 2 3 4 1 0 0 0 2"
LAST = 2 + 4 * BODY_LINES  # the last line, from 0
SECOND = 2 + 2 * BODY_LINES  # the line, from 0, after the second frame's body count


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ends after line 0, expected the frame count"),
        ("skeleton\n", "line 1 is 'skeleton', expected the frame count (0 or more)"),
        ("-2\n", "line 1 is '-2', expected the frame count"),
        ("9" * 5000, "line 1 is '9999"),
        ("2\n0\n", "ends after line 2, expected the body count of frame 2 of 2"),
        ("2\n0\n-1\n", "line 3 is '-1', expected the body count of frame 2 of 2 (0 or more)"),
        ("1\n1.0\n", "line 2 is '1.0', expected the body count of frame 1 of 1"),
        ("1\n0\nand more\n", "goes on after its 1 frames with line 3 'and more', expected the end"),
        (edited(3, "24"), "frame 1 lists 24 joints, expected 25"),
        (edited(SECOND + 2, "-25"), "expected the joint count of frame 2, body 1 of 2"),
        (edited(SECOND + 2 + BODY_LINES, "26"), "frame 2 lists 26 joints, expected 25"),
        (edited(0, "1"), f"goes on after its 1 frames with line {SECOND + 1} '2'"),
        (edited(0, "3"), "expected the body count of frame 3 of 3"),
        (edited(LAST, None), "inside frame 2, body 2 of 2, expected 2 frames of whole bodies"),
        (edited(4, JOINT[:-2]), "frame 1, body 1 (line 5) has 11 fields, expected 12"),
        (edited(4, JOINT + " 0"), "frame 1, body 1 (line 5) has 13 fields, expected 12"),
        (edited(4, ""), "frame 1, body 1 (line 5) has 0 fields, expected 12"),
        (edited(2, "7 0 0"), "frame 1, body 1 (line 3) has 3 fields, expected 10"),
        (edited(LAST, "x" + JOINT), "frame 2, body 2 (line 111) holds 'x0.1', expected a number"),
        (edited(LAST, "0.1-2" + JOINT[3:]), "frame 2, body 2 (line 111) holds '0.1-2', expected"),
        (edited(LAST, JOINT[:-1] + "2,"), "frame 2, body 2 (line 111) holds '2,', expected"),
        (edited(2, "0 0 0 0 0 0 0 0 left 0"), "frame 1, body 1 (line 3) holds 'left', expected a"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_the_place(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(NAME)}: .*{re.escape(message)}"):
        read_skeleton(text, NAME, LIMITS)


def test_every_truncation_is_refused() -> None:
    lines = write_skeleton(random_clip(2, 2)).splitlines()
    for kept in range(len(lines)):
        with pytest.raises(ValueError, match=f"^{re.escape(NAME)}: ends after line {kept},"):
            read_skeleton("\n".join(lines[:kept]), NAME, LIMITS)
