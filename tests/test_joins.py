"""Rows found by clip name."""

import pandas as pd
import pytest

from msf_kedro.joins import check_same_clips, rows_of


def table(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"x": range(len(names))}, index=pd.Index(names, name="name"))


def test_rows_come_in_the_order_that_is_asked_for():
    found = rows_of(table("a", "b", "c"), ["c", "a"], "features")
    assert found.to_dict("index") == {"c": {"x": 2}, "a": {"x": 0}}
    assert found.index.tolist() == ["c", "a"]
    assert found.index.name == "name"


@pytest.mark.parametrize(
    "names", [["b", "b"], pd.Series(["b", "b"], index=[7, 7]), pd.Index(["b", "b"])]
)
def test_a_clip_can_be_asked_for_more_than_once(names):
    assert rows_of(table("a", "b"), names, "features").x.tolist() == [1, 1]


def test_missing_clips_are_named_and_counted():
    message = (
        r"^features: no row for 2 of 3 clips, such as d, e; they come from different runs: rerun"
    )
    with pytest.raises(ValueError, match=message):
        rows_of(table("a", "b"), ["d", "a", "e"], "features")


def test_a_few_of_many_missing_clips_are_named():
    names = [f"clip{n}" for n in range(9)]
    with pytest.raises(ValueError, match=r"9 of 9 clips, such as clip0, .*, clip4, \.\.\.;"):
        rows_of(table("a"), names, "features")
    with pytest.raises(ValueError, match=r"5 of 5 clips, such as clip0, .*, clip4;"):
        rows_of(table("a"), names[:5], "features")


def test_a_clip_with_two_rows_is_refused():
    """Even where it is not asked for: the table is damaged."""
    with pytest.raises(ValueError, match=r"^logits: clip b has more than one row, expected one"):
        rows_of(table("a", "b", "b"), ["a"], "logits")


def test_the_same_clips_in_any_order_are_the_same():
    check_same_clips(table("a", "b").index, table("b", "a").index, "features", "roles")


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("abc", "ab", "1 clips are in features only, such as c; rerun"),
        ("a", "abc", "2 clips are in roles only, such as b, c; rerun"),
        ("ac", "ab", "1 clips are in features only, such as c; 1 clips are in roles only, such as"),
    ],
)
def test_clips_on_one_side_only_are_named_with_the_side(one, other, found):
    message = f"^features and roles are not of the same clips: {found}"
    with pytest.raises(ValueError, match=message):
        check_same_clips(table(*one).index, table(*other).index, "features", "roles")
