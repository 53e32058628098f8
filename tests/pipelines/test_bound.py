"""Functions with given keywords, as Kedro and its worker processes see them."""

import inspect
import typing
from multiprocessing.reduction import ForkingPickler

from msf_kedro.pipelines.bound import Bound, bind
from msf_kedro.pipelines.splits.nodes import split_clips
from msf_kedro.zero_shot.splits import PartsConfig


def joined(first: str, second: str, *, between: str) -> str:
    """Two words."""
    return f"{first}{between}{second}"


def test_the_keyword_is_given():
    assert Bound(joined, between="-")("a", "b") == "a-b"
    assert Bound(joined, between="-")("a", second="b") == "a-b"


def test_name_types_and_keyword_survive_the_way_to_another_process():
    for bound in (
        Bound(joined, between="-"),
        ForkingPickler.loads(ForkingPickler.dumps(Bound(joined, between="-"))),
    ):
        assert bound.__name__ == "joined"
        assert bound.__doc__ == "Two words."
        assert list(inspect.signature(bound).parameters) == ["first", "second", "between"]
        assert bound("a", "b") == "a-b"


def test_kedro_finds_the_config_among_the_types():
    hints = typing.get_type_hints(Bound(split_clips, split="split_1"))
    assert hints["parts"] is PartsConfig


def test_arguments_are_read_from_the_datasets_of_their_names_or_given():
    function, inputs = bind(split_clips, "params:split", "class_texts", "clips", "params:parts")
    assert function is split_clips
    assert inputs == ["clips", "class_texts", "params:parts", "params:split"]
    function, inputs = bind(joined, "params:second", "first", "between", between="-", other=1)
    assert inputs == ["first", "params:second"]
    assert function("a", "b") == "a-b"
