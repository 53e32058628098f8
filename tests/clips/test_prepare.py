"""From raw clips to the clip table: what is kept, what is set aside, and why."""

import logging
import re

import numpy as np
import pandas as pd
import pytest
import torch
from support.limits import LIMITS, MOST

from msf_kedro.clips.clip import LISTED, OTHER_CLASS, ClipsConfig, Recipe, listed_clips
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import NormaliseConfig, normalise
from msf_kedro.clips.ntu import read_skeleton
from msf_kedro.clips.prepare import kept_clips, prepare
from msf_kedro.clips.store import Skeletons
from msf_kedro.clips.table import ClipTable
from msf_kedro.sample import clip_name, generate_clip, write_skeleton

LAYOUT = get_layout("kinect_v2_25")
NORMALISE = NormaliseConfig(window=8, resample=True)
PATTERN = r"S(?P<setup>\d{3})C\d{3}P(?P<performer>\d{3})R\d{3}A(?P<action>\d{3})"
GOOD = {clip_name(*key): generate_clip(*key, seed=0) for key in ((1, 2, 1), (51, 1, 1), (1, 1, 1))}
TEXT = write_skeleton(GOOD[clip_name(1, 1, 1)])
CLASSES = [1, 51]
BAD_NAME = clip_name(1, 3, 1)


def loaders(clips: dict) -> dict:
    """Clips as load functions; a text is a `.skeleton` file's."""

    def load(name, clip):
        return read_skeleton(clip, f"{name}.skeleton", LIMITS) if isinstance(clip, str) else clip

    return {
        name: lambda limits, name=name, clip=clip: load(name, clip) for name, clip in clips.items()
    }


def run(
    raw: dict, max_rejected: float = 1.0, pattern: str = PATTERN, listed=frozenset(), table=None
):
    config = ClipsConfig(pattern, "kinect_v2_25", max_rejected, **MOST)
    recipe = Recipe(CLASSES, frozenset(listed), config, LAYOUT, NORMALISE, table)
    table, bodies, first = prepare(raw, recipe, store={}, workers=1)
    return table, Skeletons(kept_clips(table).name.tolist(), torch.cat(list(bodies)), first)


def with_value(value: float) -> np.ndarray:
    clip = GOOD[clip_name(1, 1, 1)].copy()
    clip[0, 4, 2, 1] = value
    return clip


def test_good_clips_are_kept_in_order_of_their_names():
    table, skeletons = run(loaders(GOOD), max_rejected=0.0)
    names = sorted(GOOD)
    assert table.columns.tolist() == [
        "name", "setup", "performer", "action", "frames", "bodies", "kept", "reason"
    ]  # fmt: skip
    assert table.name.tolist() == names
    assert table.performer.tolist() == [1, 1, 2]
    assert table.action.tolist() == [1, 51, 1]
    assert table.frames.tolist() == [GOOD[name].shape[1] for name in names]
    assert table.bodies.tolist() == [1, 2, 1]
    assert table.kept.all()
    assert table.reason.isna().all()
    assert skeletons.first.tolist() == [0, 1, 3, 4]
    assert skeletons.bodies.shape == (4, 3, 25, 8)
    assert skeletons.bodies.dtype == torch.float32
    for n, name in enumerate(names):
        bodies = skeletons.bodies[skeletons.first[n] : skeletons.first[n + 1]]
        np.testing.assert_array_equal(bodies, normalise(GOOD[name], LAYOUT, NORMALISE))
    pd.testing.assert_frame_equal(kept_clips(table), table)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("garbage", "unreadable: .*line 1 is 'garbage', expected the frame count"),
        ("", "unreadable: .*ends after line 0"),
        (TEXT[: len(TEXT) // 2], r"unreadable: .*A001\.skeleton: (ends after line|.* fields)"),
        (TEXT.replace("\n25\n", "\n24\n", 1), "unreadable: .*frame 1 lists 24 joints, expected 25"),
        (TEXT + "1\n", "unreadable: .*goes on after"),
        ("3\n0\n0\n0\n", "no body in any frame"),
        (np.zeros((1, 5, 25, 3), np.float32), "no body in any frame"),
        (np.zeros((0, 5, 25, 3), np.float32), "no body in any frame"),
        (with_value(np.inf), "frame 5 holds a coordinate that is not finite"),
        (GOOD[clip_name(1, 1, 1)][:, :, :20], "20 joints, the layout has 25"),
        (
            GOOD[clip_name(1, 1, 1)][0],
            r"shape \(\d+, 25, 3\), expected \(bodies, frames, joints, 3\), or 4 with confidences",
        ),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "array",
)
def test_a_bad_clip_is_set_aside_with_its_reason(bad, reason, caplog):
    with caplog.at_level(logging.INFO, "msf_kedro"):
        table, skeletons = run(loaders(GOOD | {BAD_NAME: bad}))
    row = table.set_index("name").loc[BAD_NAME]
    assert (row.kept, row.frames, row.bodies) == (False, 0, 0)
    assert re.match(reason, row.reason)
    assert (row.action, row.performer) == (1, 3)
    assert any(BAD_NAME in text and row.reason in text for text in caplog.messages)
    assert "3 clips kept, 1 set aside, 0 of other classes" in caplog.messages
    good, same = run(loaders(GOOD))
    assert kept_clips(table).name.tolist() == good.name.tolist()
    assert torch.equal(skeletons.bodies, same.bodies)


@pytest.mark.parametrize("name", ["holiday", "S001C001P003R001A001_old", "S001C001P003R001", ""])
def test_a_clip_of_an_unknown_name_is_set_aside_unread(name):
    def load(limits):
        pytest.fail("it was read")

    table, _ = run(loaders(GOOD) | {name: load})
    row = table.set_index("name").loc[name]
    assert not row.kept
    assert row.reason == "the name does not match clips.name_pattern"
    assert row[["setup", "performer", "action"]].isna().all()
    assert pd.api.types.is_integer_dtype(table.action)


def test_clips_of_other_classes_are_no_bad_clips_and_not_read():
    def load(limits):
        pytest.fail("it was read")

    other = {clip_name(99, performer, 1): load for performer in range(1, 30)}
    table, skeletons = run(loaders(GOOD) | other, max_rejected=0.0)
    assert set(table[~table.kept].reason) == {OTHER_CLASS}
    assert (table.action == 99).sum() == len(other)
    assert len(skeletons) == len(kept_clips(table)) == len(GOOD)


@pytest.mark.parametrize(("max_rejected", "fits"), [(0.25, True), (0.24, False), (0.0, False)])
def test_more_bad_clips_than_accepted_are_an_error(max_rejected, fits):
    """One of four, whatever there is of other classes."""
    raw = loaders(GOOD | {BAD_NAME: "garbage"} | {clip_name(99, p, 1): "" for p in range(1, 9)})
    if fits:
        run(raw, max_rejected)
        return
    message = (
        rf"1 of 4 clips cannot be used \(25\.0%\), accepted are {max_rejected:.1%}"
        rf" \(clips\.max_rejected\); the first is {BAD_NAME}: unreadable: .*'garbage'"
    )
    with pytest.raises(ValueError, match=message):
        run(raw, max_rejected)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({}, "none of 0 raw clips belongs to a class of this study; check .*clips.name_pattern"),
        ({clip_name(99, 1, 1): ""}, "none of 1 raw clips belongs to a class of this study"),
        ({BAD_NAME: ""}, r"1 of 1 clips cannot be used .*; the first is"),
        ({"holiday": ""}, r"1 of 1 clips cannot be used .*does not match clips\.name_pattern"),
    ],
)
def test_no_clip_at_all_is_an_error_whatever_is_accepted(raw, message):
    with pytest.raises(ValueError, match=message):
        run(loaders(raw))


@pytest.mark.parametrize(
    ("pattern", "max_rejected", "message"),
    [
        ("A(?P<action>", 0.0, "clips.name_pattern .*: missing"),
        (r"A(\d+)", 0.0, "has no group 'action'"),
        (PATTERN, -0.1, "clips.max_rejected is -0.1, expected 0 to 1"),
        (PATTERN, 5.0, "clips.max_rejected is 5.0, expected 0 to 1"),
    ],
)
def test_a_config_that_cannot_work_is_refused(pattern, max_rejected, message):
    with pytest.raises(ValueError, match=message):
        ClipsConfig(pattern, "kinect_v2_25", max_rejected, **MOST)


def test_a_group_that_is_no_number_sets_the_clip_aside():
    clip = GOOD[clip_name(1, 1, 1)]
    long = f"3A{'0' * 9}1"
    raw = loaders({"leftA1": clip, "A1": clip, "3A1": clip, long: clip})
    table, skeletons = run(raw, pattern=r"(?P<camera>[a-z]+|\d)?A(?P<action>\d+)")
    assert table.set_index("name").reason.fillna("").to_dict() == {
        "3A1": "",
        "A1": "group camera of the name is None, not a number",
        "leftA1": "group camera of the name is 'left', not a number",
        long: "group action of the name is '0000000001', expected 9 digits at most",
    }
    assert len(skeletons) == 1


def test_groups_must_not_hide_columns_of_the_clip_table():
    with pytest.raises(ValueError, match=r"groups \['frames'\] are columns of the clip table"):
        ClipsConfig(r"(?P<frames>\d+)A(?P<action>\d+)", "kinect_v2_25", 0.0, **MOST)


def test_listed_clips_are_left_out_unread_and_are_not_bad(caplog):
    def load(limits):
        pytest.fail("it was read")

    listed = {clip_name(1, 9, 1), clip_name(99, 9, 1), "S001C001P777R001A001"}
    raw = loaders(GOOD) | {clip_name(1, 9, 1): load, clip_name(99, 9, 1): load}
    with caplog.at_level(logging.INFO, "msf_kedro"):
        table, skeletons = run(raw, max_rejected=0.0, listed=listed)
    row = table.set_index("name").loc[clip_name(1, 9, 1)]
    assert (row.kept, row.reason, row.performer) == (False, "listed as without skeleton", 9)
    assert set(table.reason.dropna()) == {LISTED, OTHER_CLASS}
    assert len(skeletons) == len(GOOD)
    assert "2 of the 3 clips listed as without skeleton are among the raw clips" in caplog.messages


def test_lists_hold_headings_and_names():
    lists = {
        "a.txt": ["Missing skeletons", "", "------", "S001C002P005R002A008"],
        "b.txt": ["S001C002P006R001A008", "S001C002P005R002A008"],
    }
    assert listed_clips(lists, PATTERN) == {"S001C002P005R002A008", "S001C002P006R001A008"}
    assert listed_clips({}, PATTERN) == frozenset()
    with pytest.raises(ValueError, match=r"c\.txt: none of its 2 lines is a clip name"):
        listed_clips(lists | {"c.txt": ["Missing skeletons", "x S001C002P005R002A008"]}, PATTERN)


def test_of_many_bad_clips_the_first_are_logged_and_the_table_has_all(caplog):
    bad = {clip_name(1, 10 + number, 1): "" for number in range(25)}
    with caplog.at_level(logging.WARNING, "msf_kedro"):
        table, _ = run(loaders(GOOD | bad))
    assert sum("is set aside: unreadable" in text for text in caplog.messages) == 20
    assert caplog.messages[20:] == ["5 more clips are set aside; the clip table says why"]
    assert table.reason.notna().sum() == 25


# --- what clips show, by a table ---

TABLE = ClipTable(
    ("action", "subject", "room"),
    {name: (int(name[-3:]), place, "ab"[place % 2]) for place, name in enumerate(sorted(GOOD))},
)


def test_a_table_takes_the_place_of_names():
    raw = {f"clip {place}": load for place, load in enumerate(loaders(GOOD).values())}
    rows = {name: (1, 7 + place, "ab"[place % 2]) for place, name in enumerate(raw)}
    told = ClipTable(("action", "subject", "room"), rows)
    table, skeletons = run(raw, table=told)
    assert table.columns[:4].tolist() == ["name", "action", "subject", "room"]
    assert table.subject.tolist() == [7, 8, 9]
    assert table.room.tolist() == ["a", "b", "a"]
    assert str(table.room.dtype) == "string"
    assert (table.action == 1).all()
    assert table.eval("room == 'a' and subject < 9").tolist() == [True, False, False]
    assert skeletons.names == list(raw)


def test_clips_and_rows_must_be_the_same():
    with pytest.raises(ValueError, match=f"no row for 1 of 4 raw clips, such as {BAD_NAME}"):
        run(loaders(GOOD | {BAD_NAME: ""}), table=TABLE)
    with pytest.raises(ValueError, match="2 of 3 rows of the clip table name no raw clip"):
        run(dict([*loaders(GOOD).items()][:1]), table=TABLE)


def test_a_table_says_which_clips_are_of_other_classes_and_what_a_list_may_name():
    name, *others = sorted(GOOD)
    told = ClipTable(("action",), {name: (99,)} | dict.fromkeys(others, (51,)))
    table, _ = run(loaders(GOOD), table=told)
    assert table.set_index("name").reason.dropna().to_dict() == {name: OTHER_CLASS}
    assert listed_clips({"a.txt": ["x", name]}, PATTERN, told) == {name}
    with pytest.raises(ValueError, match="none of its 1 lines is a clip name of the clip table"):
        listed_clips({"a.txt": [BAD_NAME]}, PATTERN, told)
