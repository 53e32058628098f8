"""What clips' names say of them."""

import re
from itertools import product
from pathlib import PurePath

import pytest

from msf_kedro.studies.names import guess_names


def guess(*names: str):
    files = [PurePath(name) for name in names]
    return guess_names({file.name.removesuffix(".npy"): file for file in files})


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("a01_s02_t03", {"action": 1, "subject": 2, "take": 3}),
        ("action01_subject02_take3", {"action": 1, "subject": 2, "take": 3}),
        ("S004C003P002R001A010", {
            "setup": 4, "camera": 3, "performer": 2, "replication": 1, "action": 10
        }),
        ("a1_s2_e3_skeleton", {"action": 1, "subject": 2, "execution": 3}),
        ("kinect-p7.Class3_rep2", {"person": 7, "action": 3, "repetition": 2}),
        ("a1_5_6", {"action": 1, "number_2": 5, "number_3": 6}),
        ("label3weight20", {"action": 3, "weight": 20}),
    ],
)  # fmt: skip
def test_numbers_are_what_stands_before_them(name, columns):
    told = guess(*(re.sub(r"\d$", str(last), name) for last in range(1, 9)), name)
    assert re.fullmatch(told.pattern, name)
    assert dict(zip(told.table.columns, told.table.rows[name], strict=True)) == columns


def test_a_few_other_names_are_told():
    names = [f"a{number:02d}_s01" for number in range(40)]
    told = guess(*names, "holiday")
    assert told.unmatched == ["holiday"]
    assert len(told.table.rows) == 40
    assert guess(*names[:5], "holiday", "other") is None


def test_words_are_classes():
    words = ("wave", "high_five")
    told = guess(*(f"{w}_s{s:02d}_t{t}.npy" for w, s, t in product(words, (1, 2), (1, 2))))
    assert told.labels == {1: "high five", 2: "wave"}
    assert told.table.columns == ("action", "subject", "take")
    assert told.table.rows["wave_s02_t1"] == (2, 2, 1)
    assert told.pattern is None


def test_a_number_behind_a_word_is_a_take():
    told = guess("bow1", "bow2", "sit1", "sit2")
    assert told.table.columns == ("action", "take")
    assert told.table.rows["sit2"] == (2, 2)


def test_folders_are_classes_where_names_say_nothing():
    told = guess("wave/x.npy", "wave/y.npy", "high five/z.npy", "high five/w.npy")
    assert told.labels == {1: "high five", 2: "wave"}
    assert told.table.rows == {"w": (1, 1), "z": (1, 2), "x": (2, 1), "y": (2, 2)}


@pytest.mark.parametrize(
    "names", [("x.npy", "y.npy"), ("kitchen", "hall3"), ("17", "18"), ("s01/a", "s02/b")]
)
def test_other_names_say_nothing(names):
    assert guess(*names) is None
