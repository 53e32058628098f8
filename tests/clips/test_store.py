"""Ragged batches against a loop over clips."""

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from msf_kedro.clips.store import Skeletons


@given(st.data())
def test_a_batch_equals_a_slow_loop(data):
    counts = data.draw(st.lists(st.integers(1, 2), min_size=1, max_size=9))
    chosen = data.draw(st.lists(st.integers(0, len(counts) - 1), min_size=1, max_size=12))
    bodies = torch.randn(sum(counts), 3, 4, 5)
    first = torch.tensor([0, *counts]).cumsum(0)
    skeletons = Skeletons([f"clip {n}" for n in range(len(counts))], bodies, first)
    assert len(skeletons) == len(counts)

    expected = [
        (bodies[sum(counts[:n]) + person], place, person)
        for place, n in enumerate(chosen)
        for person in range(counts[n])
    ]
    found, clip, person = skeletons.batch(torch.tensor(chosen))
    assert torch.equal(found, torch.stack([body for body, *_ in expected]))
    assert clip.tolist() == [place for _, place, _ in expected]
    assert person.tolist() == [number for *_, number in expected]


def test_clips_are_found_by_name_in_the_order_asked_for():
    skeletons = Skeletons(list("dacb"), torch.zeros(4, 3, 1, 1), torch.arange(5))
    assert skeletons.places(["a", "b", "a", "d"]).tolist() == [1, 3, 1, 0]
    found = skeletons.places(pd.Series(["c"], index=[7]))
    assert (found.tolist(), found.dtype) == ([2], torch.int64)
    assert skeletons.places([]).tolist() == []


def test_clips_that_are_not_there_are_named():
    skeletons = Skeletons(["a", "b"], torch.zeros(2, 3, 1, 1), torch.arange(3))
    again = "; run the stage `skeletons`, and what depends on it, again"
    for missing, named in ((["x"], "x"), (list("zyxwv"), "z, y, x, …")):
        asked = ["b", *missing, "a"]
        message = f"{len(missing)} of {len(asked)} clips are not among the 2 skeletons: {named}"
        with pytest.raises(ValueError, match=f"^{message}{again}$"):
            skeletons.places(asked)
