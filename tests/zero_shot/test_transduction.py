"""Clips that are looked at together."""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from msf_kedro.methods.contract.beside_seen import beside_seen
from msf_kedro.zero_shot.inference import (
    INFERENCES,
    check_inference,
    in_tables,
    inference_of,
    out_of_tables,
)
from msf_kedro.zero_shot.transduction import refine, refined

SEEN, UNSEEN, WIDTH = 6, 4, 24


def toy(counts: list[int], seed: int, likely: float = 0.55) -> tuple:
    """Clips of seen classes, 20 each, and of unseen ones, in a space of unit norm, and what a weak
    method says: its best class is right for a part of the unseen clips, and chance for seen ones.

    Returns:
        Clips, seen prototypes, probabilities, and each clip's unseen class, -1 for none.
    """
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(SEEN + UNSEEN, WIDTH, generator=generator)
    own = torch.arange(-1, UNSEEN).repeat_interleave(torch.tensor([20 * SEEN, *counts]))
    place = torch.where(own < 0, torch.arange(len(own)) % SEEN, own + SEEN)
    noise = torch.randn(len(own), WIDTH, generator=generator)
    clips = F.normalize(centres[place] + 0.7 * noise, dim=1)
    told = torch.randint(UNSEEN, (len(own),), generator=generator)
    right = torch.rand(len(own), generator=generator) < likely
    told = torch.where(right & (own >= 0), own, told)
    probs = (2.0 * F.one_hot(told, UNSEEN)).softmax(1)
    return clips.double(), F.normalize(centres[:SEEN], dim=1).double(), probs, own


def accuracy(probs: torch.Tensor, own: torch.Tensor) -> float:
    return (probs.argmax(1) == own)[own >= 0].double().mean().item()


@pytest.mark.parametrize(
    "counts", [[30, 30, 30, 30], [100, 40, 20, 10], [10, 100, 10, 100]], ids=str
)
@pytest.mark.parametrize("seed", range(3))
def test_clips_of_one_class_correct_each_other_however_frequent_it_is(counts, seed):
    clips, seen, probs, own = toy(counts, seed)
    found = refined(clips, seen, probs)
    assert accuracy(found, own) > accuracy(probs, own) + 0.1


def test_probabilities_stay_probabilities():
    clips, seen, probs, _ = toy([10, 10, 10, 10], 0)
    found = refined(clips, seen, probs)
    assert found.dtype == probs.dtype
    torch.testing.assert_close(found.sum(1), torch.ones(len(found)))
    assert found.min() >= 0


def test_the_order_of_clips_does_not_matter():
    clips, seen, probs, _ = toy([30, 10, 10, 5], 1)
    order = torch.randperm(len(clips), generator=torch.Generator().manual_seed(2))
    found = refined(clips[order], seen, probs[order])
    torch.testing.assert_close(found, refined(clips, seen, probs)[order])


def test_the_order_of_classes_does_not_matter():
    clips, seen, probs, _ = toy([30, 10, 10, 5], 1)
    order = [2, 0, 3, 1]
    found = refined(clips, seen.flip(0), probs[:, order])
    torch.testing.assert_close(found, refined(clips, seen, probs)[:, order])


@pytest.mark.parametrize("clips", [1, 2])
def test_few_clips_are_no_trouble(clips):
    places, seen, probs, _ = toy([1, 1, 0, 0], 0)
    found = refined(places[-clips:], seen, probs[-clips:])
    assert torch.isfinite(found).all()


def test_a_class_that_no_clip_is_taken_for_stays_finite():
    clips, seen, probs, own = toy([30, 30, 0, 30], 0)
    probs = probs.clone()
    probs[:, 2] = 0
    found = refined(clips, seen, probs)
    assert torch.isfinite(found).all()
    assert accuracy(found, own) > accuracy(probs, own)


# --- tables ---


def tables(seed: int = 0) -> tuple:
    clips, seen, probs, own = toy([20, 20, 20, 20], seed)
    names = pd.Index([f"clip {number}" for number in range(len(clips))], name="name")
    parts = np.where(np.arange(len(clips)) % 3 == 0, "held_out", "test")
    sides = np.where(own < 0, "seen", "unseen")
    roles = pd.DataFrame({"name": names, "class_id": own, "side": sides, "part": parts})
    one = pd.DataFrame(probs.numpy(), names, pd.Index([11, 12, 13, 14], name="class_id"))
    both = pd.concat({(1, 0): one, (2, 5): one.iloc[::-1]}, names=["candidate", "seed"])
    return both, pd.DataFrame(clips.numpy(), names), seen, roles


def test_tables_are_joined_by_name_and_models_are_apart():
    probs, places, seen, roles = tables()
    found = refine(probs, places.sample(frac=1, random_state=0), seen, roles)
    assert found.index.equals(probs.index)
    assert found.columns.equals(probs.columns)
    first, second = found.loc[1, 0], found.loc[2, 5]
    np.testing.assert_allclose(first, second.loc[first.index], rtol=1e-5)
    assert not np.allclose(found, probs)


def test_labels_and_sides_are_not_read():
    probs, places, seen, roles = tables()
    found = refine(probs, places, seen, roles)
    blind = roles[["name", "part"]].sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(refine(probs, places, seen, blind), found)


def test_no_test_subject_is_looked_at_for_clips_of_training_subjects():
    """Gates of the strict protocol are fitted on the latter."""
    probs, places, seen, roles = tables()
    training = roles.name[roles.part == "held_out"]
    moved = places.copy()
    moved.loc[~moved.index.isin(training)] *= -1
    before, after = (refine(probs, table, seen, roles) for table in (places, moved))
    mine = before.index.get_level_values("name").isin(training)
    pd.testing.assert_frame_equal(before[mine], after[mine])
    assert not np.allclose(before[~mine], after[~mine])


def test_a_clip_without_a_place_is_refused():
    probs, places, seen, roles = tables()
    with pytest.raises(ValueError, match="places"):
        refine(probs, places.iloc[1:], seen, roles)


# --- the space ---


@pytest.mark.parametrize("kinematics", [0, 5])
def test_clips_lie_beside_their_own_class(kinematics):
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(90) % 3
    centres = torch.randn(3, 12, generator=generator)
    features = centres[labels] + 0.3 * torch.randn(90, 12, generator=generator)
    clips, seen = beside_seen(features[:60], labels[:60], features[60:], kinematics)
    torch.testing.assert_close(clips.norm(dim=1), torch.ones(30).double())
    torch.testing.assert_close(seen.norm(dim=1), torch.ones(3).double())
    assert (clips @ seen.mT).argmax(1).eq(labels[60:]).all()


def test_the_scale_of_kinematics_does_not_matter():
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(60) % 3
    features = torch.randn(60, 8, generator=generator).double() + labels[:, None]
    larger = features * torch.tensor([1.0] * 5 + [1000.0] * 3)
    for one, other in zip(
        *(beside_seen(values, labels, values, 3) for values in (features, larger)), strict=True
    ):
        torch.testing.assert_close(one, other)


# --- names ---


def test_an_unknown_inference_is_refused():
    with pytest.raises(ValueError, match="unknown inference 'both'; known are inductive, trans"):
        check_inference("both")


def test_predictions_say_what_made_them():
    assert inference_of({}) == "inductive", "older runs knew no other"
    assert inference_of({"inference": "transductive"}) == "transductive"
    with pytest.raises(ValueError, match="different values of inference"):
        inference_of({"several": {"inference": [{"value": "inductive"}]}})


def test_tables_name_what_is_transductive():
    assert in_tables("msf", "inductive") == "msf"
    assert in_tables("msf", "transductive") == "msf, transductive"
    for inference in INFERENCES:
        assert out_of_tables(in_tables("msf", inference)) == ("msf", inference)
