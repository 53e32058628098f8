"""Roles of clips and classes: by hand, as properties of any split, and every error."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msf_kedro.zero_shot.splits import (
    PHASES,
    PartsConfig,
    SplitConfig,
    assign_roles,
    check_texts,
    get_split,
    parse_classes,
    parse_numbers,
    scored_clips,
    seen_classes,
    trained_clips,
    unseen_classes,
)

CLASSES = [1, 2, 3, 4, 5, 6]
SPLIT = SplitConfig(unseen=[5, 6], calibration_unseen=[3, 4])
PARTS = PartsConfig(
    train="performer in [1, 2]",
    calibration_held_out="repetition == 2",
    test_held_out="performer == 2 and repetition == 2",
)


def table(classes=CLASSES, performers=(1, 2, 3), repetitions=(1, 2)) -> pd.DataFrame:
    rows = itertools.product(classes, performers, repetitions)
    clips = pd.DataFrame(rows, columns=["action", "performer", "repetition"])
    names = [f"A{a}P{p}R{r}" for a, p, r in clips.itertuples(index=False)]
    return clips.assign(name=names)


def roles_of(phase: str, clips: pd.DataFrame | None = None, **parts: str) -> pd.DataFrame:
    clips = table() if clips is None else clips
    return assign_roles(clips, CLASSES, SPLIT, dataclasses.replace(PARTS, **parts), phase)


# --- roles ---


@pytest.mark.parametrize(
    ("phase", "seen", "unseen", "held_out"),
    [("calibration", [1, 2], [3, 4], {(1, 2), (2, 2)}), ("test", [1, 2, 3, 4], [5, 6], {(2, 2)})],
)
def test_roles_by_hand(phase, seen, unseen, held_out):
    clips, roles = table(), roles_of(phase)
    assert roles.columns.tolist() == ["name", "class_id", "side", "part"]
    assert roles.name.tolist() == clips.name.tolist()
    assert seen_classes(roles) == seen
    assert unseen_classes(roles) == unseen
    for role, clip in zip(roles.itertuples(), clips.itertuples(), strict=True):
        side = "seen" if clip.action in seen else "unseen" if clip.action in unseen else "excluded"
        part = "train" if clip.performer in (1, 2) else "test"
        part = "held_out" if (clip.performer, clip.repetition) in held_out else part
        assert (role.class_id, role.side, role.part) == (clip.action, side, part)


@st.composite
def studies(draw):
    """Classes in any order, split in three, and clips in any order under any index."""
    classes = draw(st.permutations(range(1, draw(st.integers(6, 12)) + 1)))
    a = draw(st.integers(2, len(classes) - 4))
    b = draw(st.integers(a + 2, len(classes) - 2))
    clips = table(classes)
    order = np.random.default_rng(draw(st.integers(0, 99))).permutation(len(clips))
    clips = clips.iloc[order]
    if draw(st.booleans()):
        clips.index = [0] * len(clips)
    return clips, sorted(classes), classes[:a], classes[a:b]


@given(studies(), st.sampled_from(PHASES))
def test_what_holds_for_every_split(study, phase):
    clips, classes, *sides = study
    split = SplitConfig(*sides)
    roles = assign_roles(clips, classes, split, PARTS, phase)
    assert roles.name.tolist() == clips.name.tolist()
    seen, unseen = set(seen_classes(roles)), set(unseen_classes(roles))
    assert seen_classes(roles) == sorted(seen)
    assert unseen_classes(roles) == sorted(unseen)
    assert not seen & unseen
    assert unseen == set(split.unseen if phase == "test" else split.calibration_unseen)
    assert seen == set(classes) - set(split.unseen) - (unseen if phase == "calibration" else set())
    trained, scored = clips[trained_clips(roles)], clips[clips.name.isin(scored_clips(roles))]
    assert scored_clips(roles).tolist() == sorted(scored.name)
    assert not set(trained.action) & set(split.unseen)
    assert not set(trained.action) & unseen
    assert 3 not in set(trained.performer)
    assert set(clips[(roles.part == "test").to_numpy()].performer) == {3}
    assert set(trained.action) == seen
    assert set(scored.action) == seen | unseen
    assert not set(trained.name) & set(scored.name)
    excluded = clips[(roles.side == "excluded").to_numpy()]
    assert len(trained) + len(scored) + len(excluded) == len(clips)


# --- errors ---


@pytest.mark.parametrize(
    ("unseen", "calibration", "message"),
    [
        ([1], [3, 4], r"unseen is \[1\], expected at least two classes"),
        ([1, 2], [], r"calibration_unseen is \[\], expected at least two classes"),
        ([1, 2, 1], [3, 4], r"unseen names a class twice: \[1, 1, 2\]"),
        ([1, 2], [3, 2, 1], r"classes \[1, 2\] are both unseen and calibration_unseen"),
    ],
)
def test_a_split_that_is_none_is_refused(unseen, calibration, message):
    with pytest.raises(ValueError, match=rf"^split: {message}"):
        SplitConfig(unseen, calibration)


def test_a_split_is_found_by_its_name():
    splits = {"a": {"unseen": [5, 6], "calibration_unseen": [3, 4]}, "b": {"unseen": [1, 2]}}
    assert get_split(splits, "a") == SPLIT
    with pytest.raises(ValueError, match="unknown class split 'c'; this study has a, b"):
        get_split(splits, "c")
    with pytest.raises(ValueError, match=r"class split 'b'.*expected unseen and calibration"):
        get_split(splits, "b")


@pytest.mark.parametrize("phase", PHASES)
def test_classes_that_the_study_does_not_have_are_refused(phase):
    with pytest.raises(ValueError, match=r"split: classes \[6\] are not among the study's classes"):
        assign_roles(table(), CLASSES[:5], SPLIT, PARTS, phase)


def test_two_seen_classes_must_be_left():
    with pytest.raises(ValueError, match="split: fewer than two of 5 classes are left as seen"):
        assign_roles(table(), CLASSES[1:], SPLIT, PARTS, "calibration")


@pytest.mark.parametrize("field", ["train", "calibration_held_out"])
@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("subject == 1", "there is no column subject; columns: action, performer, repetition"),
        ("performer ==", "invalid syntax; expected comparisons"),
        ("performer in 1", "'1' is no list of numbers"),
        ("performer % 2", "'performer % 2' is no condition"),
        ("name", "'name' is no condition"),
    ],
)
def test_a_wrong_expression_is_refused_by_name(field, expression, message):
    with pytest.raises(ValueError, match=rf"^parts\.{field}: '{expression}': {message}"):
        roles_of("calibration", **{field: expression})


def test_nullable_columns_work_in_expressions():
    clips = table().astype({"performer": "Int64", "repetition": "Int64"})
    pd.testing.assert_frame_equal(roles_of("test", clips), roles_of("test"))


@pytest.mark.parametrize(
    ("phase", "drop", "message"),
    [
        ("test", "action == 1 and performer != 3", "seen class 1 has no train clip"),
        ("test", "action == 3 and performer == 3", "seen class 3 has no test clip"),
        ("test", "action == 6 and performer == 3", "unseen class 6 has no test clip"),
        ("test", "action == 6", "unseen class 6 has no test clip"),
        ("calibration", "action == 4 and performer == 3", "unseen class 4 has no test clip"),
        ("calibration", "action == 4 and performer != 3", "unseen class 4 has no train clip"),
        ("calibration", "action == 2 and repetition == 1", "seen class 2 has no train clip"),
    ],
)
def test_a_role_without_clips_is_refused(phase, drop, message):
    clips = table().query(f"not ({drop})")
    with pytest.raises(ValueError, match=f"^{phase} phase: {message}"):
        roles_of(phase, clips)


def test_clips_that_no_phase_needs_may_be_missing():
    """Unseen classes need no training clips; excluded ones need none at all."""
    clips = table().query("not (action in [5, 6] and performer != 3)")
    assert unseen_classes(roles_of("test", clips)) == [5, 6]
    assert unseen_classes(roles_of("calibration", table(CLASSES[:4]))) == [3, 4]


@pytest.mark.parametrize("phase", PHASES)
def test_held_out_clips_are_needed(phase):
    field = f"{phase}_held_out"
    message = rf"^{phase} phase: parts\.{field} selects no training clip of a seen class"
    for expression in ("performer == 3", "action == 5"):
        with pytest.raises(ValueError, match=message):
            roles_of(phase, **{field: expression})


def test_classes_without_texts_are_named():
    check_texts([1, 2], [3, 2, 1])
    with pytest.raises(ValueError, match=r"class texts: no row for classes \[2, 4\]"):
        check_texts([4, 1, 2], [1, 3])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1-3, 6,10-12", [1, 2, 3, 6, 10, 11, 12]), (" 7 ", [7]), ("9, 2", [2, 9]), ("4-4", [4])],
)
def test_classes_are_parsed(text, expected):
    assert parse_classes(text) == expected


@given(st.sets(st.integers(0, 200), min_size=1))
def test_parsing_undoes_listing(classes):
    assert parse_classes(", ".join(map(str, classes))) == sorted(classes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1-3, x", "'x' is no number or range such as 1-60"),
        ("1,,2", "'' is no number or range"),
        ("-3", "'-3' is no number or range"),
        ("1.5", "'1.5' is no number or range"),
        ("", "'' is no number or range"),
        ("1-3, 2", "names a number twice"),
        ("1, 9-7", "the range '9-7' runs backwards"),
    ],
)
def test_what_is_no_list_of_classes_is_refused(text, message):
    with pytest.raises(ValueError, match=rf"^classes: .*{message}"):
        parse_classes(text)


def test_numbers_are_named_in_errors_as_they_are_called():
    assert parse_numbers(7, "seeds") == [7]
    with pytest.raises(ValueError, match=r"^seeds: 'x' is no number"):
        parse_numbers("x", "seeds")
