"""Joint layouts: the published bone pairs, and that every layout is one consistent tree."""

import numpy as np
import pytest
from scipy.io import loadmat

from msf_kedro.clips.layouts import KINECT_V1_20, KINECT_V2_25, LAYOUTS, get_layout

# Child and parent, counted from 1, as the Shift-GCN line of work lists them.
NTU_PAIRS = """1:2 2:21 3:21 4:3 5:21 6:5 7:6 8:7 9:21 10:9 11:10 12:11 13:1 14:13 15:14 16:15
    17:1 18:17 19:18 20:19 21:21 22:23 23:8 24:25 25:12"""
# Bones that both devices see under the same names.
LIMBS = {"elbow": "shoulder", "wrist": "elbow", "hand": "wrist"} | {
    "knee": "hip", "ankle": "knee", "foot": "ankle"
}  # fmt: skip

layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def test_ntu_bones_are_the_published_pairs():
    pairs = dict(tuple(map(int, pair.split(":"))) for pair in NTU_PAIRS.split())
    assert {child + 1: parent + 1 for child, parent in enumerate(KINECT_V2_25.parents)} == pairs


@layout
def test_every_joint_hangs_on_one_root(layout):
    roots = [joint for joint, parent in enumerate(layout.parents) if joint == parent]
    assert len(roots) == 1
    for joint in range(len(layout.parents)):
        for _ in layout.parents:
            joint = layout.parents[joint]
        assert joint == roots[0]


@layout
def test_sizes_and_places_agree(layout):
    joints = len(layout.joints)
    assert len(set(layout.joints)) == joints == len(layout.parents)
    for joint in (*layout.parents, layout.centre, *layout.upright, *layout.across):
        assert 0 <= joint < joints
    assert [layout.joints[joint] for joint in layout.across] == ["left shoulder", "right shoulder"]
    assert layout.upright[1] == layout.centre


@layout
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("child", "parent"), LIMBS.items())
def test_limbs_hang_together(layout, side, child, parent):
    joint = layout.joints.index(f"{side} {child}")
    assert layout.joints[layout.parents[joint]] == f"{side} {parent}"


def test_kinect_v1_fits_recorded_people(utd_mhad):
    """Heads are above hips, hips above feet, and the longest bones are those of the legs."""
    clip = loadmat(sorted(utd_mhad.glob("*.mat"))[0])["d_skel"].transpose(2, 0, 1)
    height = clip[:, :, 1].mean(axis=0)
    of = KINECT_V1_20.joints.index
    assert height[of("head")] > height[of("hip centre")] > height[of("left knee")]
    assert height[of("left knee")] > height[of("left foot")]
    bones = np.linalg.norm(clip - clip[:, list(KINECT_V1_20.parents)], axis=2)
    longest = {KINECT_V1_20.joints[joint] for joint in bones.mean(axis=0).argsort()[-4:]}
    assert longest == {"left knee", "right knee", "left ankle", "right ankle"}
    assert (clip[0, of("right shoulder")] - clip[0, of("left shoulder")])[0] > 0


def test_an_unknown_layout_is_refused_with_those_there_are():
    assert len(get_layout("kinect_v2_25").joints) == 25
    assert len(get_layout("kinect_v1_20").joints) == 20
    with pytest.raises(ValueError, match=r"unknown joint layout 'openpose'.*kinect_v1_20"):
        get_layout("openpose")
