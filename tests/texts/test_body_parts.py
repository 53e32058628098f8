"""Which parts of the body texts name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msf_kedro.texts.body_parts import BODY_PARTS, body_parts
from msf_kedro.texts.movements import movements


def named(text: str) -> set[str]:
    (row,) = body_parts([text])
    return {part for part, there in zip(BODY_PARTS, row, strict=True) if there}


ARMS = {"arm", "left_arm", "right_arm", "both_arms"}
LEGS = {"leg", "left_leg", "right_leg", "both_legs"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("The right hand rises beside the head", {"arm", "right_arm", "head"}),
        ("LEFT KNEE", {"leg", "left_leg"}),
        ("both bent elbows", ARMS),
        ("the left hand and the right hand", ARMS),
        ("clap the hands", ARMS),  # several without a side
        ("the fingers close", {"arm"}),  # which may be of one hand
        ("the fingers of the left hand", {"arm", "left_arm"}),
        ("both feet step, the hips turn", LEGS | {"torso"}),
        ("a hand", {"arm"}),
        ("swings left across; the spine leans", {"torso"}),  # a direction, no side of a part
        ("left, then the right leg", {"leg", "right_leg"}),
        ("go back to the last page", set()),
        ("handle the armchair", set()),
        ("", set()),
    ],
)
def test_what_is_named(text, parts):
    assert named(text) == parts


def test_a_row_a_text():
    rows = body_parts(["the left arm", "", "both legs"])
    assert rows.shape == (3, len(BODY_PARTS))
    assert rows.dtype == np.float32
    assert body_parts([]).shape == (0, len(BODY_PARTS))


@pytest.mark.parametrize("look", [body_parts, movements])
@given(text=st.text())
def test_any_text_will_do_and_its_case_does_not_count(look, text):
    row = look([text])
    assert set(np.unique(row)) <= {0, 1}
    if text.isascii():
        assert np.array_equal(row, look([text.upper()]))


@given(st.lists(st.sampled_from(["left", "right", "both", "hand", "feet", "head", "rises"])))
def test_a_side_is_named_with_its_limb(words):
    found = named(" ".join(words))
    for limb in ("arm", "leg"):
        sides = {f"left_{limb}", f"right_{limb}"}
        assert limb in found or not sides & found
        assert (f"both_{limb}s" in found) == (sides <= found)
