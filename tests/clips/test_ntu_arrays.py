"""Reading well-formed `.skeleton` text in one pass: as the careful reader does, or not at all."""

import numpy as np
import pytest
from support.limits import LIMITS

from msf_kedro.clips import ntu
from msf_kedro.clips.ntu_arrays import read_plain
from msf_kedro.sample import write_skeleton

MOST = LIMITS.bodies


def text_of(bodies: int, frames: int) -> str:
    rng = np.random.default_rng(bodies)
    clip = rng.normal(size=(bodies, frames, 25, 3)).astype(np.float32)
    for frame, listed in enumerate(rng.integers(1, bodies + 1, size=frames)):
        clip[listed * (frame % 3 > 0) :, frame] = 0  # no body in every third frame
    return write_skeleton(clip)


def careful(text: str, frames: int) -> np.ndarray:
    return ntu._read_carefully(text, frames, "clip", LIMITS)


@pytest.mark.parametrize("bodies", [1, 2, 5])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_well_formed_file_is_read_in_one_pass(bodies, line_end):
    text = text_of(bodies, 20)
    for variant in (text, text.rstrip("\n"), text + "\n"):
        found = read_plain(variant.replace("\n", line_end), 20, MOST)
        assert found is not None
        np.testing.assert_array_equal(found, careful(text, 20))


def refusal(text: str, frames: int) -> str | None:
    try:
        careful(text, frames)
    except ValueError as error:
        return str(error)


def test_changed_characters_are_read_as_by_the_careful_reader_or_left_to_it():
    """Of fields that are not read, what only looks like a number may pass."""
    text, rng = text_of(2, 3), np.random.default_rng(0)
    outcomes = {"left": 0, "same": 0, "unread": 0}
    for place in rng.integers(0, len(text), size=500):
        new = rng.choice(list("0123456789+-.eE \n\r\tx"))
        changed = text[:place] + new + text[place + rng.integers(2) :]
        found, reason = read_plain(changed, 3, MOST), refusal(changed, 3)
        if found is None:
            outcomes["left"] += 1
        elif reason:
            assert "expected a number" in reason
            outcomes["unread"] += 1
        else:
            np.testing.assert_array_equal(found, careful(changed, 3))
            outcomes["same"] += 1
    assert min(outcomes.values()) > 2, outcomes


@pytest.mark.parametrize("frames", [0, 2, 4])
def test_another_number_of_frames_is_left_to_the_careful_reader(frames):
    assert read_plain(text_of(2, 3), frames, MOST) is None


def test_what_is_unusual_is_left_to_the_careful_reader():
    text = text_of(2, 3)
    assert read_plain(text, 3, 1) is None, "more bodies than allowed"
    assert read_plain("1 " * 5000, 1, MOST) is None
    assert read_plain("3\n0\n0\n0\n", 3, MOST) is None
    assert read_plain(text.replace("25", "\u0662\u0665"), 3, MOST) is None
