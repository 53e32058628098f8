"""Many soft-max classifiers' error and gradient, against `torch.nn.functional` and autograd."""

import pytest
import torch
import torch.nn.functional as F

from msf_kedro.networks import softmax

CLASSES, PER_CLASS, WIDTH = 3, 4, 5


def problem(models: int, scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    shapes = ((WIDTH, CLASSES), (1, CLASSES), (CLASSES * PER_CLASS, WIDTH))
    return tuple(
        scale * torch.randn(models, *shape, generator=draw, dtype=torch.float64) for shape in shapes
    )


def plain(weight, bias, samples, relu):
    """One model after another, as anyone would write it."""
    target = torch.arange(CLASSES).repeat_interleave(PER_CLASS)
    errors, right = [], []
    for w, b, x in zip(weight, bias, samples, strict=True):
        logits = x @ w + b
        logits = logits.relu() if relu else logits
        errors.append(F.cross_entropy(logits, target))
        right.append((logits.argmax(1) == target).double().mean())
    return torch.stack(errors), torch.stack(right)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("piece", [1, 130, 10_000])  # one model, two, all at a time
def test_errors_hits_and_gradients_are_those_of_a_plain_loop(monkeypatch, relu, piece):
    monkeypatch.setattr(softmax, "PIECE", piece)
    *parameters, samples = problem(5)
    share = torch.tensor([1.0, 3.0, 0.5, 2.0, 1.0], dtype=torch.float64)
    found = []
    for way in (softmax.cross_entropy, plain):
        leaves = [parameter.clone().requires_grad_() for parameter in parameters]
        error, right = way(*leaves, samples, relu)
        (error * share).sum().backward()
        found.append([error.detach(), right, *(leaf.grad for leaf in leaves)])
    torch.testing.assert_close(*found, rtol=1e-10, atol=1e-12)
    assert 0 < found[0][1].mean() < 1
    assert all(gradient.abs().amax((1, 2)).min() > 1e-3 for gradient in found[0][2:])


def test_of_equal_logits_the_first_class_counts():
    """After a ReLU all may be nil."""
    weight, bias, samples = problem(2)
    _, right = softmax.cross_entropy(0 * weight, bias.abs() * -1, samples, relu=True)
    torch.testing.assert_close(right, torch.full_like(right, 1 / CLASSES))


def test_large_logits_overflow_nowhere():
    *parameters, samples = problem(2, scale=50.0)
    leaves = [parameter.requires_grad_() for parameter in parameters]
    error, _ = softmax.cross_entropy(*leaves, samples, relu=False)
    torch.testing.assert_close(error, plain(*leaves, samples, False)[0])
    assert error.min() > 100
    error.sum().backward()
    assert all(leaf.grad.isfinite().all() for leaf in leaves)


def test_samples_that_are_not_finite_do_not_pass():
    weight, bias, samples = problem(2)
    samples[1, 3] = torch.inf
    error, _ = softmax.cross_entropy(weight, bias, samples, relu=False)
    assert error.isfinite().tolist() == [True, False]
