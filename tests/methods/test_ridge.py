"""Ridge against the normal equations and scikit-learn."""

import dataclasses

import pytest
import torch
from sklearn import linear_model
from support.toy import CPU, FIELDS, make

from msf_kedro.methods.ridge import Ridge, ridge_maps

REGULARISATIONS = FIELDS["ridge"]["regularisations"]


def score(toy, texts: str = "LB", task=None, clips=None, seeds=(1,)) -> torch.Tensor:
    task = task or toy.task(texts)
    fitted, _ = Ridge.fit(task, list(seeds), make("ridge"), CPU, "toy")
    classifier, _ = fitted.classifier(fitted.latents(toy.texts(texts)), CPU)
    return classifier.logits(toy.unseen[0] if clips is None else clips)


@pytest.mark.parametrize("clips", [50, 5])  # more and fewer than dimensions
def test_maps_solve_the_normal_equations(clips):
    generator = torch.Generator().manual_seed(0)
    x, t = (torch.randn(clips, width, generator=generator, dtype=torch.float64) for width in (8, 3))
    gram = x.mT @ x / clips
    for number, found in zip([0.1, 10.0], ridge_maps("r", x, t, [0.1, 10.0]), strict=True):
        penalty = number * gram.trace() / 8 * torch.eye(8, dtype=torch.float64)
        torch.testing.assert_close((gram + penalty) @ found, x.mT @ t / clips)


@pytest.mark.parametrize("texts", ["LB", "LB+MD"])
def test_logits_are_those_of_scikit_learn(texts, toy):
    """Its intercept does the centring of features; targets are centred texts."""
    task = toy.task(texts)
    seen, unseen = (part.fused().double() for part in (task.seen, toy.texts(texts)))
    centre = seen.mean(0)
    targets = (seen - centre)[task.labels]
    x, clips = task.features.double(), toy.unseen[0].double()
    mean_eigenvalue = (x - x.mean(0)).square().sum(1).mean() / x.shape[1]
    for logits, number in zip(score(toy, texts)[:, 0], REGULARISATIONS, strict=True):
        model = linear_model.Ridge(alpha=float(number * mean_eigenvalue * len(x)))
        # scikit-learn centres targets by clip, this project by class: predict around its intercept
        model.fit(x.numpy(), targets.numpy())
        shift = torch.from_numpy(model.intercept_ + x.mean(0).numpy() @ model.coef_.T)
        predicted = torch.from_numpy(model.predict(clips.numpy())) - shift
        cosines = torch.cosine_similarity(predicted[:, None], (unseen - centre)[None], dim=-1)
        torch.testing.assert_close(logits, cosines.float(), atol=1e-4, rtol=1e-4)


def test_scale_and_offset_of_features_do_not_matter(toy):
    task, clips = toy.task("LB"), toy.unseen[0]
    moved = dataclasses.replace(task, features=40 * task.features - 3)
    other = score(toy, task=moved, clips=40 * clips - 3)
    torch.testing.assert_close(score(toy), other, atol=1e-4, rtol=1e-4)  # features are float32


def test_every_seed_has_the_same_logits(toy):
    logits = score(toy, seeds=[4, 5, 6])
    assert logits.shape[1] == 3
    torch.testing.assert_close(logits[:, 0], logits[:, 2])
    assert logits.abs().max() <= 1 + 1e-6  # cosines


def test_candidates_are_the_regularisations(toy):
    fitted, history = Ridge.fit(toy.task("LB"), [1], make("ridge"), CPU, "toy")
    assert fitted.about["candidates"] == ["regularisation 0.01", "regularisation 1"]
    assert [row["epoch"] for row in history] == [1]
    assert 0 < history[0]["seconds"] < 60


def test_clips_that_are_all_alike_are_refused(toy):
    task = toy.task("LB")
    task = dataclasses.replace(task, features=torch.ones_like(task.features))
    with pytest.raises(ValueError, match="split_1: ridge needs training clips that differ"):
        Ridge.fit(task, [1], make("ridge"), CPU, "split_1")
