"""Missing joints: what counts as missing, and where they are put; derived joints and units."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msf_kedro.clips.complete import complete, missing_joints
from msf_kedro.clips.layouts import get_layout, parse_layout

TOY = {
    "source": "the test",
    "dimensions": 3,
    "units": "metres",
    "axes": "any",
    "joints": {"left": "middle", "right": "middle", "top": "middle", "tip": "top"},
    "derived": {"middle": {"of": ["left", "right"], "parent": "middle"}},
    "centre": "middle",
    "upright": ["middle", "top"],
    "across": ["left", "right"],
}
LAYOUT = parse_layout("toy", TOY)
FLAT = parse_layout("flat", TOY | {"dimensions": 2, "units": "pixels"})
KINECT = get_layout("kinect_v2_25")


def moving(frames: int = 7, dimensions: int = 3) -> np.ndarray:
    """A body whose joints all move evenly, each in its own direction."""
    start, speed = np.random.default_rng(0).uniform(1, 2, (2, 4, dimensions))
    return (start + np.arange(frames)[:, None, None] * speed)[None]


def whole(clip: np.ndarray, layout=LAYOUT, confidence: float = 0.3, most: float = 0.5):
    return complete(clip, layout, confidence, most)


def test_a_clip_that_lacks_nothing_is_itself():
    clip = np.random.default_rng(0).normal(size=(2, 5, 25, 3)).astype(np.float32)
    clip[1, 2] = 0
    assert np.shares_memory(complete(clip, KINECT, 0.3, 0.5), clip)
    sure = np.concatenate([clip, np.full((2, 5, 25, 1), 0.9)], axis=-1)
    np.testing.assert_array_equal(complete(sure, KINECT, 0.3, 0.5), clip)


@given(st.integers(0, 10**6))
def test_what_moves_evenly_comes_back(seed):
    """Where a joint is known at both ends of a gap."""
    clip = moving()
    missing = np.random.default_rng(seed).random((7, 4)) < 0.4
    missing[[0, -1]] = False
    missing[:, 3] &= ~missing[:, :3].all(axis=1)  # else the body is absent from the frame
    spoilt = clip.copy()
    spoilt[0, missing] = np.nan
    np.testing.assert_allclose(whole(spoilt)[:, :, :4], clip, atol=1e-12)


def test_before_the_first_and_after_the_last_time_a_joint_stays():
    clip = moving()
    clip[0, :2, 3] = clip[0, 5:, 3] = np.nan
    found = whole(clip)[0, :, 3]
    np.testing.assert_array_equal(found[:2], clip[0, [2, 2], 3])
    np.testing.assert_array_equal(found[5:], clip[0, [4, 4], 3])


def test_a_joint_that_all_frames_lack_takes_its_parents_place():
    clip = moving()
    clip[0, :, 3] = np.nan
    np.testing.assert_array_equal(whole(clip)[0, :, 3], clip[0, :, 2])
    clip[0, :, 2] = np.nan  # then both that of theirs, which is derived
    found = whole(clip)[0]
    np.testing.assert_allclose(found[:, 3], clip[0, :, :2].mean(axis=1))
    np.testing.assert_allclose(found[:, 2], clip[0, :, :2].mean(axis=1))
    clip = moving()
    clip[0, :, 0] = np.nan  # of a pair, the place of what is made of both
    found = whole(clip)[0]
    np.testing.assert_array_equal(found[:, 0], clip[0, :, 1])
    np.testing.assert_array_equal(found[:, 4], clip[0, :, 1])
    clip[0, :, 1] = np.nan  # the root is made of nothing
    np.testing.assert_allclose(whole(clip)[0, :, 4], clip[0, :, 2:].mean(axis=1))


@pytest.mark.parametrize("confidence", [0.29, 0.0, np.nan, -1.0])
def test_an_unsure_joint_is_missing(confidence):
    clip = moving()
    sure = np.concatenate([clip, np.full((1, 7, 4, 1), 0.3)], axis=-1)
    sure[0, 3, 1] = (9, 9, 9, confidence)
    assert np.argwhere(missing_joints(sure, LAYOUT, 0.3)).tolist() == [[0, 3, 1]]
    np.testing.assert_allclose(whole(sure)[:, :, :4], clip, atol=1e-12)


def test_in_an_image_a_joint_in_the_corner_is_missing():
    clip = moving(dimensions=2)
    spoilt = clip.copy()
    spoilt[0, 3, 1] = 0
    np.testing.assert_allclose(whole(spoilt, FLAT)[:, :, :4], clip, atol=1e-12)
    spoilt[0, 3, 1] = (0, 5)
    assert not missing_joints(spoilt, FLAT, 0.3).any()
    space = moving()
    space[0, 3, 1] = 0
    assert not missing_joints(space, LAYOUT, 0.3).any()


def test_frames_without_a_body_stay_empty():
    clip = moving()
    for nothing in (0.0, np.nan):
        clip[0, 3:5] = nothing
        found = whole(clip)
        assert not found[0, 3:5].any()
        np.testing.assert_array_equal(found[0, [2, 5], :4], clip[0, [2, 5]])
    unsure = np.concatenate([moving(), np.full((1, 7, 4, 1), 0.9)], axis=-1)
    unsure[0, 3, :, 3] = 0.1
    assert not whole(unsure)[0, 3].any()
    assert whole(unsure)[0, 2].all()


def test_a_gap_does_not_bend_a_joints_way():
    """Time is frames of the clip, not of those that hold the body."""
    clip = moving()
    spoilt = clip.copy()
    spoilt[0, 2:4] = 0
    spoilt[0, 4, 1] = np.nan
    np.testing.assert_allclose(whole(spoilt)[0, 4, 1], clip[0, 4, 1], atol=1e-12)


def test_of_two_bodies_the_one_that_lacks_too_much_is_left_out():
    clip = np.concatenate([moving(), moving()])
    clip[1, :4, :3] = np.nan
    assert whole(clip, most=0.43)[1].all()
    found = whole(clip, most=0.42)
    assert not found[1].any()
    np.testing.assert_array_equal(found[0], whole(clip[:1])[0])


def test_coordinates_become_metres():
    clip = moving().astype(np.float32)
    found = whole(clip, parse_layout("toy", TOY | {"units": "millimetres"}))
    np.testing.assert_allclose(found, whole(clip) / 1000, rtol=1e-6)
    assert found.dtype == np.float32


def test_the_clip_given_is_left_alone():
    clip = moving()
    clip[0, 3, 1] = np.nan
    before = clip.copy()
    whole(clip)
    np.testing.assert_array_equal(clip, before)
