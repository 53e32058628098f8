"""Conditions on rows: as pandas evaluates them, and nothing but conditions."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msf_kedro.zero_shot.expression import check_condition, select_rows

TABLE = pd.DataFrame(
    {
        "subject": pd.array([1, 2, 3, 4, 1, 2], dtype="Int64"),
        "trial": pd.array([1, 2, 2, 1, 3, -1], dtype="Int64"),
        "frames": [10, 20, 30, 40, 50, 60],
        "name": list("abcdef"),
        "kept": [True] * 6,
    }
)
COLUMNS, NUMBERS = st.sampled_from(["subject", "trial", "frames"]), st.integers(-2, 62)
VALUES = st.one_of(COLUMNS, NUMBERS.map(str), st.sampled_from(["2.5", "-0.5"]))
LISTS = st.lists(NUMBERS, min_size=1).map(str)
OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
COMPARISONS = st.one_of(
    st.tuples(COLUMNS, OPERATORS, VALUES).map(" ".join),
    st.tuples(COLUMNS, OPERATORS, VALUES, OPERATORS, VALUES).map(" ".join),
    st.tuples(COLUMNS, st.sampled_from(["in", "not in"]), LISTS).map(" ".join),
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or ", " & ", " | "]), inner).map(
            lambda parts: f"({parts[0]}){parts[1]}({parts[2]})"
        ),
        inner.map("not ({})".format),
        inner.map("~({})".format),
    ),
    max_leaves=6,
)


@given(CONDITIONS)
def test_conditions_select_what_pandas_selects(condition):
    check_condition(condition)
    expected = TABLE.eval(condition, engine="python").to_numpy(dtype=bool)
    np.testing.assert_array_equal(select_rows(TABLE, condition), expected)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("subject == 1 or subject == 2 and trial == 2", [1, 1, 0, 0, 1, 0]),
        ("not subject == 1 and trial == 2", [0, 1, 1, 0, 0, 0]),
        ("subject in (1, 4)", [1, 0, 0, 1, 1, 0]),
        ("subject in [\n1,\n4]\n", [1, 0, 0, 1, 1, 0]),
        ("1 < 2", [1, 1, 1, 1, 1, 1]),
        ("name == 'b'", [0, 1, 0, 0, 0, 0]),
        ('name != "b"', [1, 0, 1, 1, 1, 1]),
        ("name in ['a', 'f', 'x'] and subject < 2", [1, 0, 0, 0, 0, 0]),
        ("name not in ('a', 'b')", [0, 0, 1, 1, 1, 1]),
        ("'c' == name", [0, 0, 1, 0, 0, 0]),
    ],
)
def test_conditions_by_hand(condition, expected):
    assert select_rows(TABLE, condition).tolist() == [bool(value) for value in expected]


@pytest.mark.parametrize(
    "comparison", ["x == 1", "x != 1", "x < 2", "x > 0", "x in [1]", "x not in [3]", "1 <= x < 9"]
)
def test_comparisons_with_missing_values_are_false(comparison):
    table = pd.DataFrame({"x": pd.array([None, 1], dtype="Int64")})
    assert not select_rows(table, comparison)[0]
    assert select_rows(table, f"not ({comparison})")[0]


@pytest.mark.parametrize("comparison", ["x == 'a'", "x != 'b'", "x in ['a']", "x not in ['b']"])
@pytest.mark.parametrize("kind", ["string", "object"])
def test_so_are_those_with_missing_texts(comparison, kind):
    table = pd.DataFrame({"x": pd.Series([None, "a"], dtype=kind)})
    assert select_rows(table, comparison).tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@pd.io.common.os.system('touch x') == 0", "invalid syntax"),
        ("__import__('os').system('touch x') == 0", r"\"__import__.* is no column and no number"),
        ("subject.__class__ == 1", "'subject.__class__' is no column and no number"),
        ("subject == [].append(1)", "is no column and no number"),
        ("subject in subject", "'subject' is no list of numbers or texts"),
        ("subject < 'a'", "'subject': texts are compared with == and !=, in and not in"),
        ("subject == 'a'.upper()", "is no column and no number"),
        ("subject == f'{subject}'", "is no column and no number"),
        ("subject == b'a'", "is no column and no number"),
        ("subject in [trial]", "'trial' is no column and no number"),
        ("subject", "'subject' is no condition"),
        ("subject % 2 == 1", "'subject % 2' is no column and no number"),
        ("subject == 1 & trial == 2", "'1 & trial' is no column and no number"),
        ("subject == True", "'True' is no column and no number"),
        ("subject is 1", "`is` does not compare numbers"),
        ("subject == 1e999", "is no column and no number"),
        (f"subject == {2**53 + 1}", "is no column and no number"),
        (f"subject == {'9' * 5000}", "expected comparisons"),
        ("(subject := 1) == 1", "is no column and no number"),
        ("(lambda: 1)() == 1", "is no column and no number"),
        ("subject == 1; trial == 2", "invalid syntax"),
        ("", "invalid syntax"),
        ("\0", "expected comparisons"),
        ("(" * 5000, "expected comparisons"),
        ("not " * 2000 + "subject == 1", "expected comparisons"),
        ("~" * 9000 + "(subject == 1)", "expected comparisons"),
        ("subject == 1 or " * 1000 + "subject == 2", "16,012 characters, expected at most 10,000"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_nothing_else_is_a_condition(text, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for evaluate in (check_condition, lambda text: select_rows(TABLE, text)):
        with pytest.raises(ValueError, match=message):
            evaluate(text)
    assert not list(tmp_path.iterdir())


@given(st.one_of(st.text(max_size=60), st.text("()[]~&|<>=!01subject. ,notinardf:", max_size=40)))
def test_any_text_is_a_condition_or_refused(text):
    try:
        check_condition(text)
    except ValueError:
        return
    assert re.search(r"[<>=]|in", text)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("subjct == 1", "there is no column subjct; columns: subject, trial, frames, name, kept"),
        ("name == 1", "'name': a text is compared with a number"),
        ("name in ['a', 1]", "'name': a text is compared with a number"),
        ("subject in ['a']", "'subject': a text is compared with a number"),
        ("name < trial", "'name': texts are compared with == and !=, in and not in"),
        ("kept == 1", "column kept holds bool values, not numbers or texts"),
    ],
)
def test_columns_must_be_there_and_hold_what_they_are_compared_with(condition, message):
    check_condition(condition)
    with pytest.raises(ValueError, match=f"^{message}$"):
        select_rows(TABLE, condition)
