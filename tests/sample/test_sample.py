"""The embedded sample study."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from msf_kedro.sample import ACTIONS, clip_name, clip_names, generate_clip, sample_clips

CLASS_TEXTS = Path(__file__).parents[2] / "data/01_raw/class_texts/ntu_120.csv"

# Child and parent of bones that no movement changes the length of.
BONES = np.array(
    [
        *[(0, 1), (1, 20), (2, 20), (3, 2), (4, 20), (5, 4), (6, 5), (7, 6), (8, 20), (9, 8)],
        *[(10, 9), (11, 10), (12, 0), (13, 12), (14, 13), (15, 14), (16, 0), (17, 16), (18, 17)],
        *[(19, 18), (21, 7), (22, 6), (23, 11), (24, 10)],
    ]
)
FEET = [14, 15, 18, 19]
AIRBORNE = {22, 26, 27, 99, 100}


@pytest.fixture(scope="module")
def clips() -> dict[tuple[int, int], np.ndarray]:
    """One clip of each action by each of six performers, one of them left-handed."""
    return {
        (action, performer): generate_clip(action, performer, repetition=1, seed=0)
        for action in ACTIONS
        for performer in (1, 2, 3, 4, 5, 7)
    }


def test_there_are_enough_actions_with_one_and_two_people() -> None:
    assert len(ACTIONS) >= 30
    assert sum(action.people == 2 for action in ACTIONS.values()) >= 5
    assert {action.people for action in ACTIONS.values()} == {1, 2}


def test_actions_are_classes_of_the_text_table() -> None:
    if not CLASS_TEXTS.exists():
        pytest.skip("the class text table is not there yet")
    with CLASS_TEXTS.open(encoding="utf-8") as file:
        labels = {int(row["class_id"].strip("A")): row["label"] for row in csv.DictReader(file)}
    different = {
        number: (action.name, labels[number])
        for number, action in ACTIONS.items()
        if action.name != labels[number]
    }
    assert not different


def test_clips_have_people_joints_and_plausible_lengths(clips) -> None:
    for (action, _), clip in clips.items():
        assert clip.dtype == np.float32
        assert np.isfinite(clip).all()
        assert clip.shape[0] == ACTIONS[action].people
        assert clip.shape[2:] == (25, 3)
        assert 35 <= clip.shape[1] <= 85


def test_a_clip_depends_on_its_arguments_only() -> None:
    first = generate_clip(23, 2, 1, 5)
    generate_clip(58, 3, 2, 5)
    np.testing.assert_array_equal(generate_clip(23, 2, 1, 5), first)
    for other in ((24, 2, 1, 5), (23, 3, 1, 5), (23, 2, 2, 5), (23, 2, 1, 6)):
        clip = generate_clip(*other)
        frames = min(clip.shape[1], first.shape[1])
        assert np.abs(clip[:, :frames] - first[:, :frames]).max() > 0.02


def test_performers_differ_in_size_and_repetitions_do_not() -> None:
    def shin(performer: int, repetition: int) -> float:
        clip = generate_clip(31, performer, repetition, seed=0)[0]
        return float(np.linalg.norm(clip[:, 17] - clip[:, 18], axis=1).mean())

    between = np.std([shin(performer, 1) for performer in range(1, 11)])
    within = np.std([shin(1, repetition) for repetition in range(1, 11)])
    assert between > 0.01
    assert within < 0.1 * between


def test_bones_keep_their_length_but_for_noise(clips) -> None:
    for key, clip in clips.items():
        bones = clip[:, :, BONES[:, 0]] - clip[:, :, BONES[:, 1]]
        lengths = np.linalg.norm(bones, axis=-1)
        # Noise is at most 2 x 9 mm a joint and axis, 1.4 times that in depth.
        assert lengths.std(axis=1).max() < 0.04, key


def test_people_stand_on_one_floor(clips) -> None:
    for (action, performer), clip in clips.items():
        lowest = clip[:, :, FEET, 1].min(axis=2)
        floor = np.quantile(lowest, 0.05)
        above = lowest - floor
        assert above.min() > -0.05, (action, performer)
        if action not in AIRBORNE:
            assert above.max() < 0.08, (action, performer)
        assert np.median(lowest[:, :4]) - floor < 0.05, (action, performer)


def test_no_knee_or_elbow_bends_backward(clips) -> None:
    for key, clip in clips.items():
        across = clip[:, :, 16] - clip[:, :, 12]
        for hip, knee, ankle in ((12, 13, 14), (16, 17, 18)):
            thigh, shin = clip[:, :, knee] - clip[:, :, hip], clip[:, :, ankle] - clip[:, :, knee]
            # Seen from the right, a shin turns backward from its thigh.
            angle = np.sum(np.cross(thigh, shin) * across, axis=-1)
            angle /= np.linalg.norm(across, axis=-1) * np.linalg.norm(thigh, axis=-1)
            assert (angle / np.linalg.norm(shin, axis=-1)).max() < 0.2, key


def test_a_person_faces_the_camera_with_the_right_side_at_larger_x(clips) -> None:
    for (action, performer), clip in clips.items():
        if ACTIONS[action].people == 1:
            assert (clip[0, 0, 8, 0] > clip[0, 0, 4, 0]).all(), (action, performer)
            toes = clip[0, 0, [15, 19], 2] - clip[0, 0, [14, 18], 2]
            assert (toes < 0.05).all(), (action, performer)
        assert clip[..., 2].min() > 1.5
        assert clip[..., 2].max() < 5.5


def test_left_handed_performers_mirror_one_handed_actions(clips) -> None:
    def raised(performer: int) -> str:
        clip = clips[23, performer][0]
        return "left" if clip[:, 7, 1].max() > clip[:, 11, 1].max() else "right"

    assert [raised(performer) for performer in (1, 2, 3, 4, 5, 7)] == 5 * ["right"] + ["left"]


def test_shaking_hands_meet(clips) -> None:
    for performer in (1, 2, 7):
        clip = clips[58, performer]
        gap = np.linalg.norm(clip[0, :, 11] - clip[1, :, 11], axis=1)
        middle = slice(int(0.4 * len(gap)), int(0.6 * len(gap)))
        assert gap[middle].max() < 0.15 < 0.4 < gap.max()


def test_a_clip_of_another_length_is_the_same_action() -> None:
    usual = generate_clip(23, 2, 1, 5)
    np.testing.assert_array_equal(generate_clip(23, 2, 1, 5, frames=usual.shape[1]), usual)
    assert generate_clip(58, 2, 1, 5, frames=131).shape == (2, 131, 25, 3)
    longer = generate_clip(23, 2, 1, 5, frames=2 * usual.shape[1] - 1)[:, ::2]
    assert np.abs(longer - usual).max() < 0.1, "but for the camera's noise"
    with pytest.raises(ValueError, match="frames is 1, expected at least 2"):
        generate_clip(23, 2, 1, 5, frames=1)


def test_names_are_those_of_the_ntu_data_sets() -> None:
    assert clip_name(23, 3, 2) == "S001C001P003R002A023"
    names = clip_names(performers=10, repetitions=3)
    assert len(names) == len(set(names)) == 10 * 3 * len(ACTIONS)
    assert all(re.fullmatch(r"S001C001P\d{3}R\d{3}A\d{3}", name) for name in names)


def test_a_study_is_generated_in_the_order_of_its_names() -> None:
    study = list(sample_clips(seed=3, performers=2, repetitions=1, actions=(10, 58)))
    assert [name for name, _ in study] == clip_names(2, 1, (10, 58))
    np.testing.assert_array_equal(study[1][1], generate_clip(58, 1, 1, 3))


@pytest.mark.parametrize("arguments", [(25, 1, 1), (1, 0, 1), (1, 1, 1000)])
def test_numbers_outside_the_sample_are_refused(arguments) -> None:
    with pytest.raises(ValueError, match="expected"):
        generate_clip(*arguments, seed=0)


def described(clip: np.ndarray) -> np.ndarray:
    """A clip as a vector: 24 frames, from the first body's middle, turned to face one way."""
    clip = np.concatenate([clip, np.zeros_like(clip)])[:2]
    clip = clip[:, np.linspace(0, clip.shape[1] - 1, 24).round().astype(int)]
    right = (clip[0, :3, 8] - clip[0, :3, 4]).mean(axis=0)
    sine, cosine = right[[2, 0]] / np.hypot(right[0], right[2])
    turned = (clip - clip[0, 0, 1]) @ np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])
    return (turned * clip.any(axis=(1, 2, 3), keepdims=True)).ravel()


def test_held_out_performers_do_what_others_do(clips) -> None:
    vectors = {key: described(clip) for key, clip in clips.items()}
    means = {
        action: np.mean([vectors[action, performer] for performer in (1, 2, 3)], axis=0)
        for action in ACTIONS
    }
    right = [
        action == min(means, key=lambda other: np.linalg.norm(means[other] - vector))
        for (action, performer), vector in vectors.items()
        if performer in (4, 5)
    ]
    assert np.mean(right) > 0.5  # chance is 1 in 43
