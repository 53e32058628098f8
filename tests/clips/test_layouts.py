"""Joint layouts: the published bone pairs, that every layout is one tree, and own ones."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.io import loadmat

from msf_kedro.clips.layouts import LAYOUTS, Layout, get_layout, layouts_of, parse_layout, plain

# Child and parent, counted from 1, as the Shift-GCN line of work lists them.
NTU_PAIRS = """1:2 2:21 3:21 4:3 5:21 6:5 7:6 8:7 9:21 10:9 11:10 12:11 13:1 14:13 15:14 16:15
    17:1 18:17 19:18 20:19 21:21 22:23 23:8 24:25 25:12"""
# The same of CTR-GCN for NW-UCLA; the root has no pair there.
UCLA_PAIRS = """1:2 2:3 3:3 4:3 5:3 6:5 7:6 8:7 9:3 10:9 11:10 12:11 13:1 14:13 15:14 16:15 17:1
    18:17 19:18 20:19"""
# The kinematic tree of SMPL, counted from 0.
SMPL_PARENTS = (0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
JOINTS = {
    "kinect_v2_25": 25,
    "kinect_v1_20": 20,
    "nw_ucla_20": 20,
    "coco_17": 17,
    "halpe_26": 26,
    "openpose_18": 18,
    "openpose_25": 25,
    "mediapipe_33": 33,
    "human36m_17": 17,
    "smpl_24": 24,
}
# Some places as the formats' documentation numbers them, from 0.
PLACES = {
    "kinect_v2_25": {"spine base": 0, "head": 3, "right hip": 16, "spine shoulder": 20},
    "kinect_v1_20": {"head": 0, "hip centre": 3, "right foot": 19},
    "nw_ucla_20": {"hip centre": 0, "head": 3, "left foot": 15},
    "coco_17": {"nose": 0, "left shoulder": 5, "right wrist": 10, "right ankle": 16},
    "halpe_26": {"right ankle": 16, "head": 17, "neck": 18, "hip": 19, "right heel": 25},
    "openpose_18": {"neck": 1, "right shoulder": 2, "left wrist": 7, "left ear": 17},
    "openpose_25": {"mid hip": 8, "left hip": 12, "left big toe": 19, "right heel": 24},
    "mediapipe_33": {"left shoulder": 11, "right thumb": 22, "left hip": 23, "left heel": 29},
    "human36m_17": {"right hip": 1, "spine": 7, "head": 10, "left shoulder": 11, "right wrist": 16},
    "smpl_24": {"lower spine": 3, "neck": 12, "head": 15, "right hand": 23},
}
LIMBS = {"elbow": "shoulder", "wrist": "elbow", "hand": "wrist"} | {
    "knee": "hip", "ankle": "knee", "foot": "ankle"
}  # fmt: skip
TOY = {
    "source": "the test",
    "dimensions": 3,
    "units": "metres",
    "axes": "any",
    "joints": {"left": "middle", "right": "middle", "top": "middle"},
    "derived": {"middle": {"of": ["left", "right"], "parent": "middle"}},
    "centre": "middle",
    "upright": ["middle", "top"],
    "across": ["left", "right"],
}

each = pytest.mark.parametrize("layout", [*map(get_layout, LAYOUTS)], ids=LAYOUTS)


def pairs(name: str) -> dict[int, int]:
    return {child + 1: parent + 1 for child, parent in enumerate(get_layout(name).parents)}


def read_pairs(text: str) -> dict[int, int]:
    return dict(tuple(map(int, pair.split(":"))) for pair in text.split())


def torso(layout: Layout) -> set[int]:
    """The joints from one end of the torso to the other, along the bones."""

    def to_root(joint: int) -> list[int]:
        parent = layout.parents[joint]
        return [joint] if parent == joint else [joint, *to_root(parent)]

    first, second = map(to_root, layout.upright)
    meeting = next(joint for joint in first if joint in second)
    return {*first[: first.index(meeting) + 1], *second[: second.index(meeting)]}


def test_bones_are_the_published_pairs():
    assert pairs("kinect_v2_25") == read_pairs(NTU_PAIRS)
    assert pairs("nw_ucla_20") == read_pairs(UCLA_PAIRS)
    assert get_layout("smpl_24").parents == SMPL_PARENTS


def test_the_layouts_that_come_along():
    assert {name: get_layout(name).recorded for name in LAYOUTS} == JOINTS
    assert layouts_of(25) == ["kinect_v2_25", "openpose_25"]
    assert layouts_of(3) == []
    flat = {name for name in LAYOUTS if get_layout(name).dimensions == 2}
    assert flat == {"coco_17", "halpe_26", "openpose_18", "openpose_25"}


@each
def test_joints_are_where_the_formats_number_them(layout):
    places = PLACES[layout.name]
    assert {joint: layout.joints.index(joint) for joint in places} == places


@each
def test_every_joint_hangs_on_one_root(layout):
    roots = [joint for joint, parent in enumerate(layout.parents) if joint == parent]
    assert len(roots) == 1
    for joint in range(len(layout.parents)):
        for _ in layout.parents:
            joint = layout.parents[joint]
        assert joint == roots[0]


@each
def test_sizes_and_places_agree(layout):
    joints = len(layout.joints)
    assert len(set(layout.joints)) == joints == len(layout.parents)
    for joint in (*layout.parents, layout.centre, *layout.upright, *layout.across):
        assert 0 <= joint < joints
    assert [layout.joints[joint] for joint in layout.across] == ["left shoulder", "right shoulder"]
    assert layout.centre in torso(layout)
    assert all(layout.recorded > joint for made_of in layout.derived for joint in made_of)
    assert parse_layout(layout.name, plain(layout)) == layout


@each
@pytest.mark.parametrize("side", ["left", "right"])
def test_limbs_hang_together(layout, side):
    found = 0
    for child, parent in LIMBS.items():
        names = f"{side} {child}", f"{side} {parent}"
        if set(names) <= set(layout.joints):
            place = layout.joints.index(names[0])
            assert layout.joints[layout.parents[place]] == names[1]
            found += 1
    assert found >= 4


def test_kinect_v1_fits_recorded_people(utd_mhad):
    """Heads are above hips, hips above feet, and the longest bones are those of the legs."""
    layout = get_layout("kinect_v1_20")
    clip = loadmat(sorted(utd_mhad.glob("*.mat"))[0])["d_skel"].transpose(2, 0, 1)
    height = clip[:, :, 1].mean(axis=0)
    of = layout.joints.index
    assert height[of("head")] > height[of("hip centre")] > height[of("left knee")]
    assert height[of("left knee")] > height[of("left foot")]
    bones = np.linalg.norm(clip - clip[:, list(layout.parents)], axis=2)
    longest = {layout.joints[joint] for joint in bones.mean(axis=0).argsort()[-4:]}
    assert longest == {"left knee", "right knee", "left ankle", "right ankle"}
    assert (clip[0, of("right shoulder")] - clip[0, of("left shoulder")])[0] > 0


def test_an_unknown_layout_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"unknown joint layout 'openpose'.*kinect_v1_20.*mine"):
        get_layout("openpose", {"mine": TOY})


# --- own layouts ---


def test_an_own_layout_is_taken_from_plain_values():
    layout = get_layout("mine", {"mine": TOY})
    assert layout.joints == ("left", "right", "top", "middle")
    assert layout.parents == (3, 3, 3, 3)
    assert (layout.recorded, layout.derived) == (3, ((0, 1),))
    assert (layout.centre, layout.upright, layout.across) == (3, (3, 2), (0, 1))


def test_clips_may_be_in_other_units():
    assert get_layout("human36m_17").metre == 0.001
    assert get_layout("human36m_17", units="metres").metre == 1
    assert get_layout("coco_17").metre is None
    assert get_layout("smpl_24", units="arbitrary") == replace(
        get_layout("smpl_24"), units="arbitrary"
    )
    with pytest.raises(ValueError, match=r"clips\.units: 'mm', expected units of metres, cent"):
        get_layout("smpl_24", units="mm")
    with pytest.raises(ValueError, match=r"'metres', expected units of pixels, arbitrary"):
        get_layout("coco_17", units="metres")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"joint": {}}, r"fields \[.*'joint'.*\], expected \[.*'joints'"),
        ({"dimensions": 4}, "dimensions is 4, expected 2 or 3"),
        ({"units": "inches"}, "'inches', expected units of metres, centimetres"),
        ({"dimensions": 2}, "'metres', expected units of pixels, arbitrary"),
        ({"joints": ["left", "right"]}, r"joints is \['left', 'right'\], expected joint: parent"),
        ({"joints": TOY["joints"] | {"top": "tip"}}, "joints names 'tip', which is none of its"),
        ({"joints": TOY["joints"] | {"top": "top"}}, r"own parents are \['top', 'middle'\], expec"),
        (
            {"joints": {"left": "right", "right": "left", "top": "middle"}},
            r"own parents are \['middle'\], expected one, from which all others hang",
        ),
        ({"joints": TOY["joints"] | {"middle": "left"}}, "5 joints, expected 2 to 1000 of differ"),
        ({"derived": {"middle": ["left"]}}, r"derived middle is \['left'\], expected `of`"),
        ({"derived": {"middle": {"of": ["no"], "parent": "top"}}}, "derived middle is .*'no'"),
        ({"centre": "hip"}, "centre names 'hip', which is none of its joints"),
        ({"upright": ["middle"]}, r"upright is \['middle'\], expected two joints"),
        ({"across": ["left", "left"]}, r"across is \['left', 'left'\], expected two joints"),
    ],
)
def test_what_is_no_layout_is_refused(changes, message):
    with pytest.raises(ValueError, match=f"^layout mine: .*{message}"):
        get_layout("mine", {"mine": TOY | changes})


def test_an_own_layout_must_not_hide_one_that_comes_along():
    with pytest.raises(ValueError, match=r"layouts: \['coco_17'\] come along already"):
        get_layout("kinect_v2_25", {"coco_17": TOY})
