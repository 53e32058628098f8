"""Normalising against a loop-by-loop transcription of the reference, and by properties."""

import math
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation
from support.poses import coco_clip

from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import (
    NormaliseConfig,
    check_clip,
    normalise,
    normalise_reference,
    normalise_resampled,
    occupied,
    rotation_between,
    select_bodies,
)

LAYOUT = get_layout("kinect_v2_25")
CONFIG = NormaliseConfig(8, True, min_confidence=0.3, max_missing=0.5)


def random_clip(bodies: int, frames: int, seed: int = 0) -> np.ndarray:
    """People of unlike energies, three metres from the camera; the first moves the most."""
    rng = np.random.default_rng(seed)
    size = 0.3 * 0.7 ** np.arange(bodies)[:, None, None, None]
    clip = size * rng.normal(size=(bodies, frames, 25, 3))
    return clip + rng.uniform(-1, 1, (bodies, 1, 1, 3)) + (0, 0, 3)


# --- the reference, written out ---


def reference(clip: list, window: int) -> list:
    """Section 3 of the method, step by step, for lists `[body][frame][joint][x, y, z]`."""
    joints = range(len(clip[0][0]))

    def empty(frame):
        return sum(sum(joint) for joint in frame) == 0

    nobody = [[0.0, 0.0, 0.0] for _ in joints]

    # 1. the first 4 bodies by place; the 2 of largest energy, the larger first; where energies
    # are equal, the one later in the list, and all four places are always there
    def energy(body):
        seen = [joint for frame in body if not empty(frame) for joint in frame]
        total = 0.0
        for axis in range(3):
            values = [joint[axis] for joint in seen]
            if values:
                mean = sum(values) / len(values)
                total += math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
        return total

    places = (clip[:4] + 4 * [[nobody] * len(clip[0])])[:4]
    order = sorted(range(4), key=lambda place: (energy(places[place]), place), reverse=True)
    bodies = [places[place][:window] for place in order[:2]]
    # 2. pack a body whose first frame is empty; repeat its frames up to the window
    filled = []
    for body in bodies:
        if empty(body[0]):
            body = [frame for frame in body if not empty(frame)]
        while body and empty(body[-1]):
            body = body[:-1]
        filled.append([body[t % len(body)] if body else nobody for t in range(window)])
    # 3. subtract the first body's spine middle of the same frame from every non-zero joint
    centred = []
    for body in filled:
        centred.append([])
        for t, frame in enumerate(body):
            middle = filled[0][t][1]
            moved = [
                [joint[a] - middle[a] for a in range(3)] if sum(joint) != 0 else [0.0] * 3
                for joint in frame
            ]
            centred[-1].append(moved)
    # 4. spine base -> spine middle onto +z, then left -> right shoulder onto +x
    for start, end, target in ((0, 1, (0, 0, 1)), (4, 8, (1, 0, 0))):
        pose = centred[0][0]
        vector = [pose[end][a] - pose[start][a] for a in range(3)]
        centred = [
            [frame if empty(frame) else [rotate(j, vector, target) for j in frame] for frame in b]
            for b in centred
        ]
    return centred


def cross(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def rotate(point, vector, target):
    """Turn a point about vector x target by the angle between them (Rodrigues).

    What is degenerate the reference measures by the sum of absolute values.
    """
    axis = cross(vector, target)
    if sum(map(abs, vector)) < 1e-6 or sum(map(abs, axis)) < 1e-6:
        return point
    length = math.sqrt(dot(axis, axis))
    axis = [a / length for a in axis]
    angle = math.atan2(length, dot(vector, target))
    side, along = cross(axis, point), dot(axis, point)
    return [
        point[a] * math.cos(angle)
        + side[a] * math.sin(angle)
        + axis[a] * along * (1 - math.cos(angle))
        for a in range(3)
    ]


def without_sum(rng: np.random.Generator, shape: tuple, joints: int = 25) -> np.ndarray:
    """Frames that are empty by their sum, which is exactly 0, though no joint is."""
    frames = rng.integers(1, 9, (*shape, joints, 3)) / 4
    frames[..., -1, :] = -frames[..., :-1, :].sum(axis=-2)
    return frames


@st.composite
def broken_clips(draw):
    """Clips of 1-6 bodies with all that can be wrong with them.

    Bodies that come late, go early or pause; frames and joints that are zero, or not but sum to
    it; bodies of equal energy, or of none; degenerate axes; zero energy in every body but one.
    """
    bodies, frames = draw(st.integers(1, 6)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    clip = random_clip(bodies, frames, seed=draw(st.integers(0, 2**32)))
    clip = clip[rng.permutation(bodies)]
    present = rng.random((bodies, frames)) < draw(st.sampled_from([0.3, 0.7, 1.0]))
    present[:, : draw(st.integers(0, 3))] &= rng.random((bodies, 1)) < 0.5
    present[:, frames - draw(st.integers(0, 3)) :] &= rng.random((bodies, 1)) < 0.5
    present[rng.integers(min(4, bodies)), rng.integers(frames)] = True
    axis = draw(st.sampled_from(["no spine", "upright", "head down", "no shoulders", "any"]))
    if axis == "no spine":
        clip[:, :, 0] = clip[:, :, 1]
    elif axis in ("upright", "head down"):
        clip[:, :, 0] = clip[:, :, 1] - (0, 0, 0.25 if axis == "upright" else -0.25)
    elif axis == "no shoulders":
        clip[:, :, 8] = clip[:, :, 4]
    clip[rng.random(clip.shape[:3]) < draw(st.sampled_from([0, 0.1]))] = 0
    clip[rng.random(clip.shape[:3]) < draw(st.sampled_from([0, 0.1]))] = (0.5, -0.5, 0)
    for body in range(1, bodies):
        kind = draw(st.sampled_from(["own", "own", "mirrored", "a point", "without sum"]))
        if kind == "mirrored":
            clip[body] = -clip[rng.integers(body)]
        elif kind == "a point":
            clip[body] = (0.5, 0.25, 2)
        elif kind == "without sum":
            clip[body] = without_sum(rng, (frames,))
    if draw(st.booleans()):
        clip[rng.integers(bodies), rng.integers(frames)] = without_sum(rng, ())
    return clip[rng.permutation(bodies)] * present[..., None, None]


def assert_as_the_reference(clip: np.ndarray, window: int) -> None:
    found = normalise_reference(clip, LAYOUT, window)
    expected = np.array(reference(clip.tolist(), window))
    np.testing.assert_allclose(found, expected[: len(found)], atol=1e-5)
    assert not expected[len(found) :].any()


@settings(max_examples=150)
@given(broken_clips(), st.sampled_from([3, 8, 30]))
def test_the_reference_variant_equals_its_transcription(clip, window):
    """The window is 300 in the reference; shorter ones have longer clips cut."""
    assume(any(len(np.unique(body[occupied(body)])) > 3 for body in clip[:4]))  # not points only
    assert check_clip(clip, LAYOUT, CONFIG) is None
    assert_as_the_reference(clip, window)


@pytest.mark.parametrize("frames", [1, 120, 299, 300, 301, 320])
def test_300_frames_equal_the_transcription(frames):
    """A first body that pauses, a second that comes late, and at 320 only behind the window."""
    clip = random_clip(3, frames)
    clip[0, 40:50] = clip[0, 110:] = 0
    clip[1, : min(frames - 1, 305)] = 0
    assert_as_the_reference(clip, 300)


def test_of_equal_energies_the_later_in_the_list_is_first():
    """As the reference's ascending sort, read from its end; mirroring keeps energies to the bit."""
    clip = random_clip(1, 6)
    clip = np.concatenate([clip, -clip, clip * (-1, 1, 1)])
    np.testing.assert_array_equal(select_bodies(clip), clip[[2, 1]])


def test_bodies_without_energy_yield_to_absent_ones_but_are_better_than_nobody():
    point = np.full((1, 6, 25, 3), 0.5)
    moving = random_clip(1, 6)
    np.testing.assert_array_equal(select_bodies(np.concatenate([point, moving])), moving)
    np.testing.assert_array_equal(select_bodies(point), point)
    four = np.concatenate([point, moving, moving * 0, point * 2])
    np.testing.assert_array_equal(select_bodies(four), four[[1, 3]])


@pytest.mark.parametrize("length", [0, 0.9e-6, 1.1e-6, 1e-3])
@pytest.mark.parametrize("joint", [0, 4])
def test_short_and_degenerate_axes_equal_the_transcription(joint, length):
    """The limit is 1e-6; along the camera's x the spine's turn is a right angle."""
    clip = random_clip(2, 5) - (0, 0, 3)
    clip[0, :, 1] = 0.25, 0.25, 0.25
    other = {0: 1, 4: 8}[joint]
    clip[0, :, joint] = clip[0, :, other] + (0, length, 0)
    assert_as_the_reference(clip, 8)


def test_a_fifth_body_is_never_looked_at():
    clip = random_clip(5, 6)
    clip[4] *= 100
    for variant in (normalise_reference, normalise_resampled):
        np.testing.assert_array_equal(variant(clip, LAYOUT, 8), variant(clip[:4], LAYOUT, 8))


def test_a_clip_longer_than_the_window_is_cut():
    clip = random_clip(1, 40)
    np.testing.assert_allclose(
        normalise_reference(clip, LAYOUT, 30), normalise_reference(clip[:, :30], LAYOUT, 30)
    )


def test_a_body_that_comes_after_the_window_stays_empty():
    clip = random_clip(2, 20)
    clip[1, :15] = 0
    bodies = normalise_reference(clip, LAYOUT, 10)
    assert bodies[0].any()
    assert not bodies[1].any()


# --- the resampled variant ---


@given(st.integers(1, 3), st.integers(1, 20), st.integers(2, 40))
def test_resampling_gives_the_window_and_centres_the_first_body(bodies, frames, window):
    found = normalise_resampled(random_clip(bodies, frames), LAYOUT, window)
    assert found.shape == (min(2, bodies), window, 25, 3)
    np.testing.assert_allclose(found[0, :, LAYOUT.centre], 0, atol=1e-12)


def test_a_clip_of_the_windows_length_is_only_centred_and_turned():
    clip = random_clip(2, 9)
    np.testing.assert_allclose(
        normalise_resampled(clip, LAYOUT, 9), np.array(reference(clip.tolist(), 9)), atol=1e-12
    )


def test_linear_motion_stays_linear():
    start, speed = np.random.default_rng(0).normal(size=(2, 25, 3))
    clip = (start + np.arange(7)[:, None, None] * speed)[None]
    found = normalise_resampled(clip, LAYOUT, 32)
    np.testing.assert_allclose(np.diff(found, n=2, axis=1), 0, atol=1e-12)
    whole = normalise_resampled(clip, LAYOUT, 7)
    np.testing.assert_allclose(found[:, [0, -1]], whole[:, [0, -1]], atol=1e-12)


def test_bodies_stay_synchronous_through_gaps():
    """Both bodies move linearly, so that filled gaps give back what was there."""
    rng = np.random.default_rng(0)
    start, speed = rng.normal(size=(2, 2, 1, 25, 3))
    whole = start + np.arange(12)[:, None, None] * speed * 0.1
    gappy = whole.copy()
    gappy[0, 3:6] = gappy[1, 7:9] = 0
    np.testing.assert_allclose(
        normalise_resampled(gappy, LAYOUT, 20), normalise_resampled(whole, LAYOUT, 20), atol=1e-12
    )


def test_a_body_is_held_where_only_the_other_is_there():
    clip = random_clip(2, 10)
    clip[1, :4] = clip[1, 8:] = 0
    held = clip.copy()
    held[1, :4], held[1, 8:] = clip[1, 4], clip[1, 7]
    np.testing.assert_allclose(
        normalise_resampled(clip, LAYOUT, 10), np.array(reference(held.tolist(), 10)), atol=1e-12
    )
    clip[1, 5:] = 0  # one frame only
    held[1] = clip[1, 4]
    np.testing.assert_allclose(
        normalise_resampled(clip, LAYOUT, 10)[1],
        (normalise_resampled(held, LAYOUT, 10))[1],
        atol=1e-12,
    )


def test_frames_without_any_body_at_the_ends_are_cut():
    clip = random_clip(2, 12)
    clip[:, :3] = clip[:, 10:] = 0
    whole, cut = (normalise_resampled(c, LAYOUT, 16) for c in (clip, clip[:, 3:10]))
    np.testing.assert_allclose(whole, cut, atol=1e-12)


@given(st.integers(0, 2**32), st.integers(1, 9))
def test_the_first_frame_faces_the_reader(seed, frames):
    """The shoulders lie on +x; the spine, turned before them, on +z if it is square to them."""
    clip = random_clip(2, frames, seed)
    pose = normalise_resampled(clip, LAYOUT, 8)[0, 0]
    across = pose[8] - pose[4]
    np.testing.assert_allclose(across, [np.linalg.norm(across), 0, 0], atol=1e-7)
    clip[0, 0, 8] = clip[0, 0, 4] + np.cross(clip[0, 0, 1] - clip[0, 0, 0], (1, 2, 3))
    pose = normalise_resampled(clip, LAYOUT, 8)[0, 0]
    upright = pose[1] - pose[0]
    np.testing.assert_allclose(upright, [0, 0, np.linalg.norm(upright)], atol=1e-7)


@given(
    arrays(float, 3, elements=st.floats(-3, 3)),
    arrays(float, 3, elements=st.floats(-5, 5)),
    st.integers(0, 2**32),
)
def test_a_rigid_motion_of_the_clip_changes_nothing_but_a_turn_about_the_shoulders(
    turn, shift, seed
):
    """... and nothing at all where the shoulders are square to the spine in the first frame."""
    clip = random_clip(1, 5, seed)
    moved = clip @ Rotation.from_rotvec(turn).as_matrix().T + shift
    still, other = (normalise_resampled(c, LAYOUT, 8)[0] for c in (clip, moved))
    np.testing.assert_allclose(other[..., 0], still[..., 0], atol=1e-6)
    between, *_ = np.linalg.lstsq(still.reshape(-1, 3), other.reshape(-1, 3))
    np.testing.assert_allclose(still @ between, other, atol=1e-6)
    np.testing.assert_allclose(between @ between.T, np.eye(3), atol=1e-6)

    clip[0, 0, 8] = clip[0, 0, 4] + np.cross(clip[0, 0, 1] - clip[0, 0, 0], (1, 2, 3))
    moved = clip @ Rotation.from_rotvec(turn).as_matrix().T + shift
    still, other = (normalise_resampled(c, LAYOUT, 8) for c in (clip, moved))
    np.testing.assert_allclose(other, still, atol=1e-6)


# --- both ---


@pytest.mark.parametrize(
    ("resample", "variant"), [(False, normalise_reference), (True, normalise_resampled)]
)
def test_normalise_lays_time_innermost(resample, variant):
    clip = random_clip(2, 7).astype(np.float32)
    found = normalise(clip, LAYOUT, NormaliseConfig(window=12, resample=resample))
    assert found.dtype == np.float32
    assert found.flags["C_CONTIGUOUS"]
    np.testing.assert_allclose(found, variant(clip, LAYOUT, 12).transpose(0, 3, 2, 1), rtol=1e-6)


def test_a_window_has_its_range():
    for window in (2, 3000):
        assert NormaliseConfig(window=window, resample=True).window == window
    for window in (-1, 1, 3001, 10**9):
        with pytest.raises(ValueError, match=rf"normalise\.window is {window}, expected 2 to 3000"):
            NormaliseConfig(window=window, resample=False)


@given(st.data())
def test_rotation_between_turns_source_onto_target(data):
    directions = arrays(float, 3, elements=st.floats(-2, 2, width=32))
    source, target = data.draw(directions), data.draw(directions)
    lengths = np.linalg.norm(source), np.linalg.norm(target)
    assume(min(lengths) > 1e-2)
    axis = np.cross(source, target)
    assume(np.linalg.norm(axis) > 1e-4)
    rotation = rotation_between(source, target)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_allclose(rotation @ source / lengths[0], target / lengths[1], atol=1e-6)
    np.testing.assert_allclose(rotation @ axis, axis, atol=1e-9)


@pytest.mark.parametrize("source", [(0, 0, 0), (1e-8, 0, 0), (0, 0, 2), (0, 0, -2), (0, 1e-9, 1)])
def test_no_turn_where_it_is_degenerate(source):
    target = np.array([0.0, 0.0, 1.0])
    np.testing.assert_array_equal(rotation_between(np.array(source, float), target), np.eye(3))


def spoilt(place: tuple, value: float) -> np.ndarray:
    clip = random_clip(2, 5)
    clip[place] = value
    return clip


@pytest.mark.parametrize(
    ("clip", "reason"),
    [
        (
            np.ones((5, 25, 3)),
            r"shape \(5, 25, 3\), expected \(bodies, frames, joints, 3\), or 4 with confidences$",
        ),
        (np.ones((1, 5, 25, 2)), r"shape \(1, 5, 25, 2\), expected"),
        (np.ones((1, 5, 25, 5)), r"shape \(1, 5, 25, 5\), expected"),
        (np.zeros((0, 5, 25, 3)), "no body in any frame"),
        (np.zeros((2, 0, 25, 3)), "no body in any frame"),
        (np.zeros((2, 5, 25, 3)), "no body in any frame"),
        (np.full((1, 5, 25, 3), np.nan), "no body in any frame"),
        (
            np.ones((1, 5, 20, 3)),
            r"20 joints, the layout has 25 \(clips\.layout is kinect_v2_25; of 20 joints is"
            r" kinect_v1_20, nw_ucla_20\)$",
        ),
        (np.ones((1, 5, 7, 3)), "7 joints, the layout has 25 .* of 7 joints is none that comes"),
        (spoilt((0, 2, 7, 1), np.inf), "frame 3 holds a coordinate that is not finite"),
        (spoilt((0, 2, 7, 1), 2e6), r"frame 3 holds a coordinate that is beyond 1e\+06"),
        (
            spoilt((slice(None), slice(None), slice(15)), np.nan),
            r"60% of the joints are missing \(not a number, or of a confidence below 0\.3\),"
            r" accepted are 50% of a body's \(normalise\.max_missing\)",
        ),
        (
            random_clip(1, 5) * 1000,
            r"from spine base to spine middle are \d+ metres if coordinates are in metres, expected"
            r" 0\.02 to 5\.0; say with clips\.units",
        ),
        (random_clip(1, 5) / 1000, r"from spine base to spine middle are 0\.000\d+ metres"),
        (spoilt((1, 4, 0, 0), -np.inf), "frame 5 holds a coordinate that is not finite"),
        (np.concatenate([np.zeros((4, 5, 25, 3)), random_clip(1, 5)]), "no body in any frame"),
    ],
)
def test_a_bad_clip_has_a_reason(clip, reason):
    assert re.match(reason, check_clip(clip, LAYOUT, CONFIG))


def test_a_good_clip_has_none():
    clip = random_clip(2, 1)
    clip[0] = 0
    assert check_clip(clip, LAYOUT, CONFIG) is None
    assert check_clip(random_clip(1, 3)[:, :, :20], get_layout("kinect_v1_20"), CONFIG) is None


# --- poses in an image ---

COCO = get_layout("coco_17")


def filmed(action: int = 51) -> np.ndarray:
    return coco_clip(action, 1, 1)


def of(joint: str) -> int:
    return COCO.joints.index(joint)


@pytest.mark.parametrize("resample", [True, False])
def test_a_filmed_person_is_centred_upright_and_of_one_size(resample):
    clip = filmed()
    assert check_clip(clip, COCO, CONFIG) is None
    bodies = normalise(clip, COCO, NormaliseConfig(16, resample, 0.3, 0.5))
    assert bodies.shape == (2, 2, 19, 16)
    first = bodies[0]
    np.testing.assert_allclose(first[:, COCO.centre], 0, atol=1e-5)
    torso = np.linalg.norm(first[:, of("mid shoulder")] - first[:, of("mid hip")], axis=0)
    assert np.median(torso) == pytest.approx(1, abs=1e-5)
    height = first[1].mean(axis=1)
    assert height[of("nose")] > height[of("mid shoulder")] > 0
    assert 0 > height[of("left knee")] > height[of("left ankle")]


@given(st.floats(0.1, 10), st.floats(-500, 500), st.floats(-500, 500))
def test_size_and_place_in_the_image_do_not_count(size, right, down):
    clip = filmed(1)
    clip[..., :2] += 2000  # away from (0, 0), where joints are missing
    moved = clip.copy()
    moved[..., :2] = clip[..., :2] * size + (right, down) if size > 1 else clip[..., :2] * size
    np.testing.assert_allclose(
        normalise(moved, COCO, CONFIG), normalise(clip, COCO, CONFIG), atol=2e-3
    )


def test_what_lies_still_lies():
    """A turned image is another pose: only the torso's length counts, not its direction."""
    clip = filmed(1)
    lying = clip.copy()
    lying[..., 0], lying[..., 1] = clip[..., 1], clip[..., 0]
    stands, lies = (normalise(c, COCO, CONFIG) for c in (clip, lying))
    np.testing.assert_allclose(lies[:, 0], -stands[:, 1], atol=1e-4)
    np.testing.assert_allclose(lies[:, 1], -stands[:, 0], atol=1e-4)


def test_whole_pixels_that_cancel_each_other_are_no_missing_joints():
    clip = np.round(filmed(1)[..., :2]) - (900, 500)
    clip[0, :, of("left wrist")] = (120, -120)
    bodies = normalise(clip, COCO, CONFIG)
    hip = normalise(clip, COCO, CONFIG)[0, :, of("left wrist")]
    assert np.abs(hip).min(axis=1).max() > 0
    assert np.isfinite(bodies).all()


@pytest.mark.parametrize(
    ("clip", "reason"),
    [
        (np.ones((1, 5, 17, 4)), r"shape \(1, 5, 17, 4\), expected .*joints, 2\), or 3 with conf"),
        (np.ones((1, 5, 18, 3)), "18 joints, the layout has 17 .* of 18 joints is openpose_18"),
        (filmed() * (1, 1, 0), r"100% of the joints are missing .*below 0\.3"),
        (np.ones((1, 5, 17, 2)), "mid hip and mid shoulder are in one place in every frame"),
    ],
)
def test_a_bad_pose_has_a_reason(clip, reason):
    assert re.match(reason, check_clip(clip, COCO, CONFIG))


def test_clips_in_millimetres_become_those_in_metres():
    clip = random_clip(2, 9).astype(np.float32)
    in_mm = get_layout("kinect_v2_25", units="millimetres")
    assert check_clip(clip * 1000, in_mm, CONFIG) is None
    np.testing.assert_allclose(
        normalise(clip * 1000, in_mm, CONFIG), normalise(clip, LAYOUT, CONFIG), atol=1e-5
    )


def test_of_clips_in_no_known_unit_the_torso_is_one_long():
    clip = random_clip(1, 9)
    anyhow = get_layout("kinect_v2_25", units="arbitrary")
    found = [normalise(clip * size, anyhow, CONFIG) for size in (1, 37)]
    np.testing.assert_allclose(*found, atol=1e-5)
    torso = np.linalg.norm(found[0][0, :, 1] - found[0][0, :, 0], axis=0)
    assert np.median(torso) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("field", ["min_confidence", "max_missing"])
def test_shares_have_their_range(field):
    with pytest.raises(ValueError, match=rf"normalise\.{field} is 1\.5, expected 0 to 1"):
        NormaliseConfig(8, True, **{field: 1.5})
