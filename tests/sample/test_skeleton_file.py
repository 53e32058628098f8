"""Writing `.skeleton` text."""

import numpy as np
import pytest
from support.limits import LIMITS

from msf_kedro.clips.ntu import read_skeleton
from msf_kedro.sample import generate_clip, write_skeleton


def random_clip(bodies: int, frames: int) -> np.ndarray:
    rng = np.random.default_rng(bodies * 1000 + frames)
    return rng.normal(size=(bodies, frames, 25, 3)).astype(np.float32)


@pytest.mark.parametrize("action", [1, 23, 55, 58])
def test_a_written_clip_is_read_back_exactly(action: int) -> None:
    clip = generate_clip(action, performer=1, repetition=1, seed=0)
    read = read_skeleton(write_skeleton(clip), "x.skeleton", LIMITS)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, clip)


def test_extreme_float32_values_are_read_back_exactly() -> None:
    clip = random_clip(1, 3)
    clip *= 10.0 ** np.random.default_rng(0).integers(-30, 30, size=clip.shape).astype(np.float32)
    np.testing.assert_array_equal(read_skeleton(write_skeleton(clip), "x.skeleton", LIMITS), clip)


def test_a_clip_that_the_format_cannot_say_is_not_written() -> None:
    clip = random_clip(3, 4)
    clip[1, 2] = 0
    with pytest.raises(ValueError, match="frame 3 holds body 3 but not body 2"):
        write_skeleton(clip)
    clip = random_clip(2, 4)
    clip[1] = 0
    with pytest.raises(ValueError, match="body 2 is all zeros in every frame"):
        write_skeleton(clip)
