"""Configurations: unknown keys, wrong types and values out of range fail where they are made."""

import dataclasses
from typing import Literal

import pytest
from pydantic import PositiveInt

from msf_kedro.configuration import configuration


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
