"""Frames that arrive one by one, as overlapping clips."""

import numpy as np
import pytest

from msf_kedro.recognizer.stream import windows

FRAMES = np.arange(1, 13, dtype=np.float32)[:, None, None] * np.ones((1, 4, 3), np.float32)


def test_windows_hold_the_latest_frames():
    found = dict(windows(FRAMES, length=6, every=2))
    assert list(found) == [4, 6, 8, 10, 12]
    for number, clip in found.items():
        expected = FRAMES[max(0, number - 6) : number]
        np.testing.assert_array_equal(clip, expected[None])


def test_a_body_is_zeros_in_frames_that_lack_it():
    frames = [FRAMES[0][None], FRAMES[:2], np.empty((0, 4, 3)), FRAMES[2]]
    ((number, clip),) = windows(frames, length=4, every=4)
    assert (number, clip.shape) == (4, (2, 4, 4, 3))
    assert clip[:, :, 0, 0].tolist() == [[1, 1, 0, 3], [0, 2, 0, 0]]


@pytest.mark.parametrize(("length", "every"), [(1, 1), (5, 0)])
def test_numbers_out_of_range_are_refused(length, every):
    with pytest.raises(ValueError, match=f"length is {length} and every {every} frames"):
        next(windows(FRAMES, length, every))


def test_a_frame_of_another_shape_is_named():
    with pytest.raises(ValueError, match=r"frame 2 has shape \(1, 3, 3\), expected \(bodies, \*"):
        list(windows([FRAMES[0], FRAMES[0][:3]], 4, 1))
    with pytest.raises(ValueError, match=r"frame 1 has shape \(3,\)"):
        list(windows([FRAMES[0, 0]], 4, 1))
