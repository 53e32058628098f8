"""Values as JSON."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from msf_kedro.runner.plain import differences, plain, texts

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@dataclass
class Fields:
    a: int
    b: list


class Model(BaseModel):
    a: int


@given(VALUES)
def test_plain_values_stay_as_they_are(value):
    assert plain(value) == value
    assert list(differences(value, plain(value), "x")) == []


@given(VALUES, VALUES)
def test_values_that_differ_are_told_apart(one, other):
    assert bool(list(differences(one, other, "x"))) == (one != other)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, 2), [1, 2]),
        ({3, 1}, [1, 3]),
        (Fields(1, [Fields(2, [])]), {"a": 1, "b": [{"a": 2, "b": []}]}),
        (Model(a=3), {"a": 3}),
        ({1: {2: 3}}, {"1": {"2": 3}}),
        (1 + 2j, "(1+2j)"),
    ],
)
def test_others_become_plain(value, expected):
    assert plain(value) == expected


def test_differences_name_the_place():
    old, new = {"gate": {"folds": 2, "kind": "x"}}, {"gate": {"folds": 3, "kind": "x"}}
    assert list(differences(old, new, "params")) == ["params.gate.folds was 2, is 3"]


def test_texts_that_could_be_names():
    value = {"a": ["msf", "two words", {"b": "LB+AD"}], "c": "x" * 100, "d": ""}
    assert list(texts(value)) == ["msf", "LB+AD"]
