"""Ridge against the normal equations and scikit-learn."""

import dataclasses

import pytest
import torch
from sklearn.linear_model import Ridge
from support.toy import RIDGE

from msf_kedro.methods import ridge
from msf_kedro.methods.ridge import ridge_maps

CPU = torch.device("cpu")


@pytest.mark.parametrize("clips", [50, 5])  # more and fewer than dimensions
def test_maps_solve_the_normal_equations(clips):
    generator = torch.Generator().manual_seed(0)
    x, t = (torch.randn(clips, width, generator=generator, dtype=torch.float64) for width in (8, 3))
    gram = x.mT @ x / clips
    for number, found in zip([0.1, 10.0], ridge_maps("r", x, t, [0.1, 10.0]), strict=True):
        penalty = number * gram.trace() / 8 * torch.eye(8, dtype=torch.float64)
        torch.testing.assert_close((gram + penalty) @ found, x.mT @ t / clips)


@pytest.mark.parametrize("texts", [("LB",), ("LB", "MD")])
def test_scores_are_those_of_scikit_learn(texts, toy):
    """Its intercept does the centring of features; targets are centred texts."""
    task, _ = toy
    seen, unseen = (part.double() for part in task.texts(texts))
    centre = seen.mean(0)
    targets = (seen - centre)[task.labels]
    found = ridge.scores("r", task, texts, [1], RIDGE, CPU)
    x = task.features.double()
    mean_eigenvalue = (x - x.mean(0)).square().sum(1).mean() / x.shape[1]
    for logits, number in zip(found.logits[:, 0], RIDGE.regularisations, strict=True):
        model = Ridge(alpha=float(number * mean_eigenvalue * len(x)))
        # scikit-learn centres targets by clip, this project by class: predict around its intercept
        model.fit(x.numpy(), targets.numpy())
        shift = torch.from_numpy(model.intercept_ + x.mean(0).numpy() @ model.coef_.T)
        predicted = torch.from_numpy(model.predict(task.clips.double().numpy())) - shift
        cosines = torch.cosine_similarity(predicted[:, None], (unseen - centre)[None], dim=-1)
        torch.testing.assert_close(logits, cosines.float(), atol=1e-4, rtol=1e-4)


def test_scale_and_offset_of_features_do_not_matter(toy):
    task, _ = toy
    moved = dataclasses.replace(task, features=40 * task.features - 3, clips=40 * task.clips - 3)
    plain, other = (ridge.scores("r", t, ("LB",), [1], RIDGE, CPU).logits for t in (task, moved))
    torch.testing.assert_close(plain, other, atol=1e-4, rtol=1e-4)


def test_every_seed_has_the_same_scores(toy):
    scores = ridge.scores("r", toy[0], ("LB",), [4, 5, 6], RIDGE, CPU)
    assert scores.logits.shape[1] == 3
    assert torch.equal(scores.logits[:, 0], scores.logits[:, 2])
    assert scores.candidates == ("regularisation 0.01", "regularisation 1")
    assert scores.logits.abs().max() <= 1 + 1e-6


def test_clips_that_are_all_alike_are_refused(toy):
    task = dataclasses.replace(toy[0], features=torch.ones_like(toy[0].features))
    with pytest.raises(ValueError, match="split_1: ridge needs training clips that differ"):
        ridge.scores("split_1", task, ("LB",), [1], RIDGE, CPU)


@pytest.mark.parametrize("field", ["regularisations", "temperatures"])
@pytest.mark.parametrize("value", [[], [1.0, 0.0]])
def test_useless_choices_are_refused(field, value):
    with pytest.raises(ValueError, match=rf"ridge\.{field} is .*expected numbers above 0"):
        dataclasses.replace(RIDGE, **{field: value})
