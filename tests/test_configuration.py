"""Configurations: unknown keys, wrong types and values out of range fail where they are made."""

import dataclasses
from typing import Literal

import pytest
from pydantic import PositiveInt

from msf_kedro.configuration import check_name, check_seeds, configuration, misfits


@configuration
class Config:
    """Two fields, and what they must have in common."""

    steps: PositiveInt
    noise: Literal["sample", "dimension"]

    def __post_init__(self):
        if self.noise == "sample" and self.steps > 9:
            raise ValueError("too many steps for one number of noise")


def test_values_become_fields_of_their_type():
    config = Config(steps="3", noise="sample")  # as the command line gives it
    assert (config.steps, config.noise) == (3, "sample")
    assert dataclasses.asdict(config) == {"steps": 3, "noise": "sample"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.steps = 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0, "noise": "sample"}, r"steps\n +Input should be greater than 0 .*=0"),
        ({"steps": 1.5, "noise": "sample"}, r"steps\n +Input should be a valid integer"),
        ({"steps": 1, "noise": "none"}, r"noise\n +Input should be 'sample' or 'dimension'"),
        ({"steps": 1}, r"noise\n +Field required"),
        ({"steps": 1, "noise": "sample", "step": 2}, r"step\n +Unexpected keyword argument"),
        ({"steps": 10, "noise": "sample"}, r" +Value error, too many steps for one number"),
    ],
)
def test_what_is_wrong_is_named(values, message):
    with pytest.raises(ValueError, match=rf"^1 validation error for Config\n{message}"):
        Config(**values)


# --- names, seeds, kinds ---


@pytest.mark.parametrize("name", ["mine", "ViT-B-32", "48-12", "LB+AD+MD", "a b", "_x", "v1.5", 48])
def test_a_plain_name_is_a_name(name):
    check_name(name, "study")


FOLDERS = ["", ".", "..", "../x", "/x", "x/y", "x\\y", "~", "C:", ".hidden", "$HOME", "{x}"]
ODD = ["-x", " x", "x*", "x\0", "x\n", "a\u202eb", "x" * 100, []]


@pytest.mark.parametrize("name", [*FOLDERS, *ODD], ids=repr)
def test_anything_else_is_no_name(name):
    with pytest.raises(ValueError, match=r"^study is .*, expected a name: "):
        check_name(name, "study")


@pytest.mark.parametrize(
    "seeds", [[], [1, 1], [-1], [2**53 + 1], [1.0], [True], ["1"], [None], "1", 1]
)
def test_what_are_no_seeds(seeds):
    check_seeds([0, 2**53], "seeds")
    with pytest.raises(ValueError, match=r"^seeds is .*, expected whole numbers from 0 to 2\^53"):
        check_seeds(seeds, "seeds")


DECLARED = {
    "window": 64,
    "rate": 0.1,
    "name": "x",
    "turn": True,
    "list": [1],
    "nothing": None,
    "group": {"inner": 1},
    "encoders": {"mine": {"model": "x"}},
}


@pytest.mark.parametrize(
    "given",
    [
        {"window": 3, "rate": 1, "name": 48, "turn": False},
        {"list": "0-9"},
        {"list": []},
        {"nothing": {"any": 1}},
        {"group": {"inner": -1}},
        {"encoders": {"other": {"model": 1}}},
        {"undeclared": 1},
    ],
)
def test_what_is_of_the_declared_kind_fits(given):
    assert list(misfits(given, DECLARED, {"encoders"})) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"window": "abc"}, "window is 'abc', expected a whole number"),
        ({"window": 3.5}, "window is '3.5', expected a whole number"),
        ({"window": True}, "window is 'True', expected a whole number"),
        ({"window": 10**30}, f"window is '{10**30}', expected a whole number"),
        ({"rate": 10**400}, f"rate is '{10**59}', expected a number"),
        ({"rate": float("nan")}, "rate is 'nan', expected a number"),
        ({"rate": float("inf")}, "rate is 'inf', expected a number"),
        ({"rate": None}, "rate is 'None', expected a number"),
        ({"name": 1.5}, "name is '1.5', expected a text"),
        ({"name": ["x"]}, "name is '['x']', expected a text"),
        ({"turn": 1}, "turn is '1', expected true or false"),
        ({"list": {"x": 1}}, "list is '{'x': 1}', expected a list"),
        ({"group": 1}, "group is '1', expected a group of inner and so on"),
        ({"group": {"inner": []}}, "group.inner is '[]', expected a whole number"),
        ({"encoders": "x"}, "encoders is 'x', expected a group of mine and so on"),
    ],
)
def test_what_is_of_another_kind_is_named(given, message):
    ((name, found),) = misfits(given, DECLARED, {"encoders"})
    assert found.startswith(f"{name} is ")
    assert found.replace('"', "'") == message
