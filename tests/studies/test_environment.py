"""An environment's files."""

from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from msf_kedro.clips.clip import OWN_COLUMNS
from msf_kedro.clips.table import read_clip_table
from msf_kedro.studies.environment import (
    Proposal,
    clip_table_text,
    empty_class_texts,
    empty_clip_table,
    files,
    ranges,
)
from msf_kedro.texts.class_texts import read_class_texts
from msf_kedro.zero_shot.splits import PartsConfig, parse_numbers

STUDY = Proposal(
    name="mine",
    clips="data/it's here",
    entry={"type": "x.Dataset", "filename_suffix": ".npy"},
    pattern=r"a(?P<action>\d+)",
    clip_table="",
    class_texts="texts.csv",
    classes=[1, 2, 3, 7],
    splits={"split_1": {"unseen": [1, 2], "calibration_unseen": [3, 7]}},
    seed=0,
    layout="coco_17",
    units=None,
    parts=PartsConfig("room in ['a', 'b']", "room == 'b'", "room == 'b'"),
)


def parsed(study: Proposal) -> dict:
    return {name: yaml.safe_load(text) for name, text in files(study).items()}


def test_files_hold_what_was_guessed():
    found = parsed(STUDY)
    assert found["globals.yml"] == {
        "study": "mine",
        "classes": "1-3, 7",
        "class_texts": "texts.csv",
        "raw_clips": "data/it's here",
        "method": "msf_plus",
        "splits": STUDY.splits,
    }
    assert found["catalog.yml"]["raw_clips"]["filename_suffix"] == ".npy"
    assert found["parameters.yml"] == {
        "clips": {"name_pattern": STUDY.pattern, "layout": "coco_17"},
        "parts": vars(STUDY.parts),
        "gate": {"kind": "evidence"},
    }


def test_what_was_not_guessed_is_left_for_check_to_name():
    bare = replace(
        STUDY, pattern=None, clip_table="t.csv", splits={}, layout=None, units=None, parts=None
    )
    found = parsed(bare)
    assert found["globals.yml"]["splits"] is None
    assert found["globals.yml"]["clip_table"] == "t.csv"
    assert found["parameters.yml"] == {
        "clips": {"layout": "unknown"}, "parts": None, "gate": {"kind": "evidence"}
    }  # fmt: skip


@given(st.sets(st.integers(0, 50), min_size=1))
def test_ranges_are_read_back(numbers):
    assert parse_numbers(ranges(sorted(numbers)), "classes") == sorted(numbers)


def test_tables_are_there_to_be_filled_in():
    with pytest.raises(ValueError, match=r"columns verb, noun, action_description.* empty .*\[1\]"):
        read_class_texts(empty_class_texts([1], {1: "wave, twice"}).encode(), "x.csv")
    with pytest.raises(ValueError, match="action '', expected the number of a class"):
        read_clip_table(empty_clip_table(["x", "y"]).encode(), "x.csv", OWN_COLUMNS)
    table = read_clip_table(b"clip,action,room\nx,1,hall\n", "x.csv", OWN_COLUMNS)
    assert read_clip_table(clip_table_text(table).encode(), "x.csv", OWN_COLUMNS) == table
