"""Clips as they are drawn."""

import json

import numpy as np
import pytest
from support.poses import coco_clip

from msf_kedro.clips.layouts import LAYOUTS, get_layout
from msf_kedro.clips.normalise import NormaliseConfig, normalise
from msf_kedro.drawings.motion import FRAMES, HEIGHT, SIDES, Motion, raw_motion
from msf_kedro.sample import generate_clip

KINECT, COCO = get_layout("kinect_v2_25"), get_layout("coco_17")
CONFIG = NormaliseConfig(window=16, resample=True)
DRINK, JUMP, HUG, WALK_APART = 1, 27, 51, 60


def joint(motion, name, layout=KINECT):
    return motion.points[0, :, layout.joints.index(name)]


def test_a_person_stands_upright_and_faces_the_front():
    motion = raw_motion(generate_clip(DRINK, 1, 1, seed=0), KINECT, CONFIG)
    assert motion.dimensions == 3
    up, right = joint(motion, "head") - joint(motion, "spine base"), joint(motion, "right shoulder")
    assert np.all(up[:, 2] > np.abs(up[:, :2]).max(axis=1))
    assert np.all(right[:, 0] > joint(motion, "left shoulder")[:, 0])
    feet = joint(motion, "left foot") - joint(motion, "left ankle")
    assert np.median(feet[:, 1]) > 0, "toes point to the front, +y"


def test_the_height_is_the_same_whatever_the_unit():
    clip = generate_clip(DRINK, 1, 1, seed=0)
    points = raw_motion(clip, KINECT, CONFIG).points
    heights = np.ptp(points[0, ..., 2], axis=1)
    assert np.median(heights) == pytest.approx(HEIGHT, abs=1)
    own = get_layout("kinect_v2_25", units="millimetres")
    np.testing.assert_allclose(raw_motion(clip * 1000, own, CONFIG).points, points, atol=1)


def test_long_clips_are_thinned_and_keep_their_ends_and_length():
    clip = generate_clip(DRINK, 1, 1, seed=0, frames=200)
    motion = raw_motion(clip, KINECT, CONFIG)
    assert motion.points.shape[1] == FRAMES
    assert motion.frames == 200
    assert motion.seconds == pytest.approx(200 / 30)
    short = raw_motion(clip[:, [0, 199]], KINECT, CONFIG)
    np.testing.assert_array_equal(short.points[:, 0] != motion.points[:, 0], False)


def test_who_jumps_moves_and_a_normalised_clip_stays_in_place():
    clip = generate_clip(JUMP, 1, 1, seed=0)
    height = joint(raw_motion(clip, KINECT, CONFIG), "spine middle")[:, 2]
    assert np.ptp(height) > 10
    bodies = normalise(clip, KINECT, CONFIG).transpose(0, 3, 2, 1)
    assert np.ptp(joint(Motion.of(bodies, KINECT, 60), "spine middle")) == 0


def test_a_body_that_is_absent_is_no_pose():
    clip = generate_clip(HUG, 1, 1, seed=0, frames=20)
    clip[1, :5] = 0
    motion = raw_motion(clip, KINECT, CONFIG)
    absent = [body[:5] == [None] * 5 for body in motion.plain()["bodies"]]
    assert sorted(absent) == [False, True]
    assert (~motion.present).sum() == 5


def test_poses_in_an_image_point_up():
    motion = raw_motion(coco_clip(DRINK, 1, 1), COCO, CONFIG)
    assert motion.dimensions == 2
    assert np.all(joint(motion, "nose", COCO)[:, 1] > joint(motion, "left ankle", COCO)[:, 1])


def test_plain_values_are_small_and_whole():
    plain = raw_motion(generate_clip(WALK_APART, 1, 1, seed=0), KINECT, CONFIG).plain()
    assert len(json.dumps(plain, separators=(",", ":"))) < 60_000
    assert {type(v) for body in plain["bodies"] for frame in body for v in frame} == {int}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_has_limbs_on_both_sides_and_a_head(name):
    layout = get_layout(name)
    bodies = np.random.default_rng(0).normal(size=(1, 3, len(layout.joints), layout.dimensions))
    motion = Motion.of(bodies, layout)
    assert len(motion.bones) == len(layout.joints) - 1
    counts = [motion.sides.count(n) for n in range(len(SIDES))]
    assert counts[1] == counts[2] > 5
    assert motion.head is not None
