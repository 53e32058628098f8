"""Ragged batches against a loop over clips."""

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


def test_clips_are_found_by_name():
    skeletons = Skeletons(["b", "a", "c"], torch.zeros(3, 3, 4, 5), torch.arange(4))
    assert skeletons.places(["a", "c", "b"]).tolist() == [1, 2, 0]
    assert skeletons.places(["c"]).tolist() == [2]
    with pytest.raises(
        ValueError, match="2 of 3 clips are not there, such as x, y; they come from"
    ):
        skeletons.places(["x", "a", "y"])
