"""Poses from several viewpoints, strips and animations."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.drawings.animation import animation
from msf_kedro.drawings.motion import raw_motion
from msf_kedro.drawings.pose import paths
from msf_kedro.drawings.strip import strip
from msf_kedro.drawings.view import ABOVE, FRONT, MARGIN, SIDE, box, project
from msf_kedro.sample import generate_clip

LAYOUT = get_layout("kinect_v2_25")
SVG = "{http://www.w3.org/2000/svg}"


def motion(action, frames=30):
    clip = generate_clip(action, 1, 1, seed=0, frames=frames)
    return raw_motion(clip, LAYOUT, NormaliseConfig(window=16, resample=True))


@pytest.fixture(scope="module")
def drink():
    return motion(1)


@pytest.fixture(scope="module")
def hug():
    return motion(51)


def at(points, joint):
    return points[0, :, LAYOUT.joints.index(joint)]


def test_from_the_front_the_right_hand_is_on_the_left(drink):
    points = project(drink, FRONT)
    assert np.all(at(points, "right shoulder")[:, 0] < at(points, "left shoulder")[:, 0])
    assert np.all(at(points, "head")[:, 1] < at(points, "left foot")[:, 1]), "down is positive"


def test_from_the_persons_right_the_front_is_on_the_right(drink):
    points = project(drink, SIDE)
    toes = at(points, "right foot") - at(points, "right ankle")
    assert np.median(toes[:, 0]) > 0


def test_from_above_there_is_no_height(drink):
    points = project(drink, ABOVE)
    assert np.ptp(points[..., 1]) < np.ptp(project(drink, FRONT)[..., 1]) / 2


def test_all_joints_are_within_the_box(hug):
    points = project(hug, FRONT)
    left, top, width, height = box(hug, points)
    shown = points[hug.present]
    assert shown[..., 0].min() == left + MARGIN
    assert shown[..., 1].max() == top + height - MARGIN
    assert shown[..., 0].max() == left + width - MARGIN


def test_a_pose_has_a_path_for_each_side(drink):
    drawn = paths(drink, project(drink, FRONT)[0, 0])
    assert list(drawn) == ["middle", "left", "right", "head"]
    counts = {side: path.count("L") for side, path in drawn.items()}
    assert counts == {"middle": 4, "left": 10, "right": 10, "head": 0}


def test_a_strip_is_one_picture_with_its_poses(hug):
    root = ET.fromstring(strip(hug, "people <hug>", poses=4))
    assert root.get("aria-label") == "people <hug>"
    kinds = [group.get("class") for group in root.iter(f"{SVG}g")]
    assert kinds.count("first") == kinds.count("second") == 4


def test_an_animation_moves_and_can_be_still(drink, hug):
    text = animation([("drink & eat", drink), ("hug", hug)])
    root = ET.fromstring(text)
    moves = list(root.iter(f"{SVG}animate"))
    assert len(moves) == 3 * 4, "three bodies of three sides and a head"
    for move in moves:
        values = move.get("values").split(";")
        assert len(values) == 30
        assert len(set(values)) > 1
        assert len({re.sub(r"-?\d+", "", value) for value in values}) == 1, "one form"
    assert "prefers-reduced-motion" in text
    assert "script" not in text
    assert len(text) < 60_000


def test_a_body_that_comes_and_goes_is_hidden_meanwhile():
    clip = generate_clip(51, 1, 1, seed=0, frames=20)
    clip[1, :5] = 0
    shown = raw_motion(clip, LAYOUT, NormaliseConfig(window=16, resample=True))
    hidden = re.findall(r'attributeName="display".*?values="([^"]*)"', animation([("", shown)]))
    assert [values.split(";").count("none") for values in hidden] == [5]
