"""Which movements texts name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msf_kedro.texts.body_parts import body_parts
from msf_kedro.texts.movements import MOVEMENTS, WORDS, movements
from msf_kedro.texts.named import NAMED, named, told


def kinds(text: str) -> set[str]:
    (row,) = movements([text])
    return {kind for kind, there in zip(MOVEMENTS, row, strict=True) if there}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The right hand rises above the head", {"up", "head"}),
        ("RAISING and dropped, once", {"up", "down", "once"}),
        ("both feet step alternately", {"together", "ground", "step", "alternately"}),
        ("swings left and right repeatedly", {"swing", "repeatedly"}),
        ("stays still beside the hips", {"still", "hips"}),
        ("turns round quickly", {"round", "alternately", "quickly"}),  # "by turns" or "turns"
        ("backpack, uplifting, downtown", set()),  # words that only begin so
        ("", set()),
    ],
)
def test_what_is_named(text, expected):
    assert kinds(text) == expected


@given(st.sampled_from([(kind, word) for kind in WORDS for word in WORDS[kind].split()]))
def test_every_word_names_its_kind(given):
    kind, word = given
    assert kind in kinds(f"it {word} so")


def test_it_is_told_in_words():
    assert told(["the left hand rises", "once"]) == (
        "its words name arm, left arm; of movements up, once"
    )
    assert told(["to greet"]) == "its words name no part of the body; of movements none"


def test_both_lists_side_by_side():
    words = ["the left hand rises", ""]
    rows = named(words)
    assert rows.shape == (2, len(NAMED))
    assert np.array_equal(rows, np.hstack([body_parts(words), movements(words)]))
    assert {name for name, there in zip(NAMED, rows[0], strict=True) if there} == {
        *("part_arm", "part_left_arm", "moves_up")
    }
    assert named([]).shape == (0, len(NAMED))
