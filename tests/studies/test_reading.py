"""Which clips are looked at."""

from collections import Counter

import pytest

from msf_kedro.studies.reading import of_each_class, spread


@pytest.mark.parametrize(("most", "each"), [(1, 2), (8, 2), (12, 3), (1000, 10)])
def test_of_each_class_there_are_equally_many_and_two_at_least(most, each):
    classes = {f"c{number}_{take}": number for number in (3, 1, 12, 7) for take in range(10)}
    names = of_each_class(classes, most)
    assert Counter(classes[name] for name in names) == dict.fromkeys((1, 3, 7, 12), each)
    assert [classes[name] for name in names] == sorted(classes[name] for name in names)
    assert len(set(names)) == len(names)


def test_classes_of_few_clips_are_shown_whole():
    assert of_each_class({"a": 1, "b": 2, "c": 2}, 100) == ["a", "b", "c"]
    assert of_each_class({}, 5) == []


def test_names_are_spread_over_all():
    assert spread([f"{n:02}" for n in range(100)], 4) == ["00", "25", "50", "75"]
    assert spread(["a", "b"], 5) == ["a", "b"]
