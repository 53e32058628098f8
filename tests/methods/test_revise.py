"""ReViSE's terms: against autograd, closed forms and slow loops."""

import dataclasses

import pytest
import torch
from support.toy import CPU, make

from msf_kedro.methods.contract.nearest import multi_class_hinge
from msf_kedro.methods.revise import AutoEncoders, Revise, contractive_penalty, discrepancy

CONFIG = make("revise", contractive_weight=0.7, discrepancy_weight=0.4)


def network() -> AutoEncoders:
    model = AutoEncoders([6, 8], [torch.Generator().manual_seed(seed) for seed in (1, 2)], CONFIG)
    generator = torch.Generator().manual_seed(9)
    for parameter in model.parameters():  # biases too
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model


def test_the_contractive_penalty_and_its_gradient_are_those_of_autograd():
    model = network()
    x = torch.rand(2, 4, 6, generator=torch.Generator().manual_seed(0))
    layer = model.skeleton_in
    code = model.encode_skeletons(x)
    assert (code == 0).any()
    assert (code > 0).any()
    found = contractive_penalty(layer.weight, code)
    (gradient,) = torch.autograd.grad(found.sum(), layer.weight)
    for r in range(2):
        squares = [
            torch.autograd.functional.jacobian(
                lambda clip, r=r: (clip @ layer.weight[r] + layer.bias[r, 0]).relu(),
                clip,
                create_graph=True,
            )
            .square()
            .sum()
            for clip in x[r]
        ]
        expected = torch.stack(squares).mean()
        torch.testing.assert_close(found[r], expected)
        (reference,) = torch.autograd.grad(expected, layer.weight)
        torch.testing.assert_close(gradient[r], reference[r])


@pytest.mark.parametrize("sharpness", [1.0, 32.0])
def test_discrepancy_is_that_of_a_slow_loop(sharpness):
    """Classes count as often as they come: shares stand for repeated samples."""
    generator = torch.Generator().manual_seed(0)
    x, texts = (0.2 * torch.randn(2, k, 3, generator=generator) for k in (6, 4))
    labels = torch.tensor([[0, 1, 1, 3, 3, 3], [2, 2, 2, 2, 2, 2]])
    shares = torch.nn.functional.one_hot(labels, 4).float().mean(1)
    found = discrepancy(x, texts, shares, sharpness)
    for r in range(2):
        y = texts[r, labels[r]]

        def mean(a, b):
            return sum(
                torch.exp(-sharpness * (p - q).square().sum()).item() for p in a for q in b
            ) / (len(a) * len(b))

        expected = mean(x[r], x[r]) + mean(y, y) - 2 * mean(x[r], y)
        assert found[r].item() == pytest.approx(expected, abs=1e-5)


def test_discrepancy_of_normals_is_the_closed_form():
    """Of N(0, s^2) and N(m, s^2): 2 c (1 - exp(-k m^2 / (1 + 4 k s^2))), c = (1 + 4 k s^2)^-1/2."""
    generator, sharpness, sigma, shift = torch.Generator().manual_seed(0), 2.0, 0.3, 0.5
    x, y = (sigma * torch.randn(1, 3000, 1, generator=generator) for _ in range(2))
    found = discrepancy(x, y + shift, torch.full((1, 3000), 1 / 3000), sharpness)
    spread = 1 + 4 * sharpness * sigma**2
    expected = 2 * spread**-0.5 * (1 - torch.tensor(-sharpness * shift**2 / spread).exp())
    assert found.item() == pytest.approx(expected.item(), rel=0.05)


def test_discrepancy_of_the_same_is_nil_and_has_a_gradient_apart():
    x = torch.rand(1, 5, 3, requires_grad=True)
    shares = torch.full((1, 5), 0.2)
    assert discrepancy(x, x, shares, 32.0).item() == pytest.approx(0, abs=1e-6)
    (gradient,) = torch.autograd.grad(discrepancy(x, x.detach() + 0.1, shares, 32.0), x)
    assert gradient.abs().max() > 0.01


def test_far_codes_make_no_denormal_numbers():
    x = torch.linspace(0, 10, 40).reshape(1, 40, 1).requires_grad_()
    value = discrepancy(x, x.detach() + 20, torch.full((1, 40), 1 / 40), 32.0)
    (gradient,) = torch.autograd.grad(value, x)
    tiny = torch.finfo(torch.float32).tiny
    assert ((gradient == 0) | (gradient.abs() >= tiny)).all()


def test_the_loss_is_the_weighted_sum_of_terms_by_hand():
    model, generator = network(), torch.Generator().manual_seed(3)
    x = torch.rand(2, 5, 6, generator=generator)
    texts = torch.randn(4, 8, generator=generator)
    labels = torch.randint(4, (2, 5), generator=generator)
    found = Revise.loss(model, x, labels, [texts], CONFIG)
    own = texts[labels]  # the text of every clip, as a plain implementation has it
    code, text_code = model.encode_skeletons(x), model.encode_texts(own)
    rebuilt, rebuilt_text = model.decode_skeletons(code), model.decode_texts(text_code)
    words = model.encode_texts(texts.expand(2, -1, -1))
    similarities = model.rank_skeletons(code) @ model.rank_texts(words).mT
    torch.testing.assert_close(found["hinge"], multi_class_hinge(similarities, labels, 0.3))
    torch.testing.assert_close(
        found["contractive"], contractive_penalty(model.skeleton_in.weight, code)
    )
    alike = discrepancy(code, text_code, torch.full((2, 5), 0.2), 32.0)
    torch.testing.assert_close(found["discrepancy"], alike, atol=1e-6, rtol=1e-4)
    for r in range(2):
        error = (rebuilt[r] - x[r]).square().mean()
        torch.testing.assert_close(found["skeleton_reconstruction"][r], error)
        error = (rebuilt_text[r] - own[r]).square().mean()
        torch.testing.assert_close(found["text_reconstruction"][r], error)
    expected = found["hinge"] + found["skeleton_reconstruction"] + found["text_reconstruction"]
    expected = expected + 0.7 * found["contractive"] + 0.4 * found["discrepancy"]
    torch.testing.assert_close(found["loss"], expected)
    assert (rebuilt >= 0).all()
    assert (rebuilt_text < 0).any()


def test_features_enter_through_a_logarithm():
    entered = Revise.skeleton_inputs(torch.tensor([[0.0, torch.e - 1]]))
    torch.testing.assert_close(entered, torch.tensor([[0.0, 1]]))


def test_negative_features_are_refused(toy):
    """In training and afterwards."""
    task, message = toy.task("LB"), r"skeleton feature is -0\.25, expected 0 or more"
    features = task.features.clone()
    features[3, 2] = -0.25
    with pytest.raises(ValueError, match=message):
        Revise.fit(dataclasses.replace(task, features=features), [1], CONFIG, CPU, "toy")
    fitted, _ = Revise.fit(task, [1], make("revise", steps=2), CPU, "toy")
    classifier, _ = fitted.classifier(fitted.latents(toy.texts("LB")), CPU, "toy")
    with pytest.raises(ValueError, match=message):
        classifier.logits(features)
