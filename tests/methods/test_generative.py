"""What MSF, CADA-VAE and SynSE share: schedules, inputs, cycles, latents and their classifier."""

import dataclasses

import pytest
import torch
from support.toy import CPU, make

from msf_kedro.methods.contract.fitted import Classifier, Latents
from msf_kedro.methods.contract.generative import (
    feature_map,
    standardise_features,
    standardise_texts,
    text_map,
)
from msf_kedro.methods.contract.task import Task
from msf_kedro.methods.msf import Msf, MsfConfig
from msf_kedro.texts.fusion import Texts


def small(**changes) -> MsfConfig:
    sizes = {"latent": 3, "cycles": 2, "steps": 6, "batch_size": 4, "learning_rate": 1e-2}
    schedules = {"kl_slope": 0.01, "cross_from": 3, "latents_per_class": 30}
    return make("msf", **(sizes | schedules | {"inputs": "raw"} | changes))


def data(classes: int = 5) -> tuple[torch.Tensor, torch.Tensor, Texts]:
    """Features of 6 dimensions, labels, texts of 8 dimensions and norm 1."""
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(40, 6, generator=generator)
    words = torch.nn.functional.normalize(torch.randn(classes, 8, generator=generator))
    texts = Texts(list(range(1, classes + 1)), "toy", {"LB": words})
    return features, torch.arange(40) % classes, texts


def fit(seeds: list[int], config: MsfConfig, features=None) -> tuple[Msf, list]:
    own, labels, texts = data()
    task = Task(own if features is None else features, labels, texts, "toy_layout")
    return Msf.fit(task, seeds, config, CPU, "toy")


# --- schedules ---


@pytest.mark.parametrize(
    ("cycle", "step", "expected"),
    [
        (1, 0, (0, 0, 0)),
        (1, 1000, (0, 0, 0)),
        (1, 1300, (0.01, 0, 0)),
        (1, 1400, (0.1 * 400 / 3000, 0, 0)),
        (1, 1401, (0.1 * 401 / 3000, 0, 1)),
        (2, 1699, (0.0233, 0, 1)),
        (3, 1399, (0.0133, 0, 0)),
        (3, 1401, (0.1 * 401 / 3000, 0.1 / 3000, 1)),
        (3, 1699, (0.0233, 0.1 * 299 / 3000, 1)),
        (10, 1699, (0.0233, 0.1 * 299 / 3000, 1)),
    ],
)
def test_weights_are_those_of_the_release_on_55_5(cycle, step, expected):
    """Its rule: cross reconstructions count where step > 1400, counted from 0."""
    released = small(
        kl_slope=0.1 / 3000,
        skeleton_kl_from=1000,
        text_kl_from=1400,
        text_kl_first_cycle=3,
        cross_from=1401,
    )
    assert released.weights(cycle, step) == pytest.approx(expected)


# --- inputs ---


def test_raw_inputs_are_left_alone():
    features, _, texts = data()
    shared = feature_map(features, small()) | text_map(texts.fused(), small())
    assert shared == {}
    assert standardise_features(features, shared) is features
    assert standardise_texts(texts.kinds["LB"], shared, 0) is texts.kinds["LB"]


@pytest.mark.parametrize("rms", [1.0, 0.5])
@pytest.mark.parametrize("classes", [3, 5, 20])  # texts have 8 dimensions
def test_standard_inputs_are_centred_and_of_one_scale(rms, classes):
    features, _, texts = data(classes)
    words, config = texts.fused(), small(inputs="standard", input_rms=rms)
    shared = feature_map(features, config)
    shared |= {f"text1.{name}": tensor for name, tensor in text_map(words, config).items()}
    entered = standardise_texts(words, shared, 1)
    for before, after in ((features, standardise_features(features, shared)), (words, entered)):
        torch.testing.assert_close(after.mean(0), torch.zeros(after.shape[1]), atol=1e-5, rtol=0)
        assert after.square().mean().sqrt().item() == pytest.approx(rms, rel=1e-4)
        factors = torch.pdist(after) / torch.pdist(before)  # one scale: shapes are kept
        torch.testing.assert_close(factors, factors[:1].expand_as(factors), rtol=1e-3, atol=0)
    assert entered.shape[1] == min(classes - 1, 8)


def test_texts_that_classes_share_span_fewer_axes():
    words = data()[2].fused()[torch.tensor([0, 1, 2, 0, 1])]
    assert text_map(words, small(inputs="standard"))["axes"].shape == (8, 2)


def test_what_only_unseen_texts_hold_does_not_enter():
    """A part of a text that is square to all seen texts changes nothing, any other does."""
    words = data()[2].fused()
    maps = text_map(words, small(inputs="standard"))
    shared = {f"text0.{name}": tensor for name, tensor in maps.items()}
    axes = torch.linalg.svd(words - words.mean(0)).Vh
    unseen = torch.randn(2, 8, generator=torch.Generator().manual_seed(1))
    entered = standardise_texts(unseen, shared, 0)
    beside, along = (standardise_texts(unseen + 3 * axes[i], shared, 0) for i in (-1, 0))
    torch.testing.assert_close(beside, entered, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(along, entered, atol=0.1)


def test_standard_inputs_make_units_irrelevant():
    """Up to the rounding of other numbers, which a dozen steps carry on."""
    features, config = data()[0], small(inputs="standard")
    plain, moved = (fit([1], config, x)[0] for x in (features, 4 * features + 3))
    for key, state in plain.models.items():
        torch.testing.assert_close(moved.models[key], state, atol=1e-4, rtol=1e-3)
    for candidate in (0, 1):
        torch.testing.assert_close(
            moved.project(4 * features + 3, candidate),
            plain.project(features, candidate),
            atol=1e-3,
            rtol=1e-3,
        )


# --- fitting ---


@pytest.mark.parametrize("inputs", ["raw", "standard"])
def test_a_seed_does_not_depend_on_the_others(inputs):
    """Every weight, also of what clips and texts do not need afterwards."""
    config = small(inputs=inputs)
    pair, alone = fit([1, 3], config)[0], fit([3], config)[0]
    assert pair.models["skeleton.to_mu.weight"].shape == (2, 2, 6, 3)
    for key, state in alone.models.items():
        torch.testing.assert_close(pair.models[key][:, 1:], state, atol=1e-5, rtol=1e-5)
        assert not torch.allclose(*pair.models[key].unbind(1), atol=1e-4), key
    assert pair.shared.keys() == alone.shared.keys()
    assert all(torch.equal(pair.shared[key], tensor) for key, tensor in alone.shared.items())
    latents, mine = (fitted.latents(data()[2]).values for fitted in (pair, alone))
    torch.testing.assert_close(latents[:, 1:], mine, atol=1e-5, rtol=1e-5)


def test_the_same_seed_gives_the_same_models():
    first, second, other = (fit([seed], small())[0].models for seed in (5, 5, 6))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["text.to_mu.weight"], other["text.to_mu.weight"])


def test_every_cycle_is_kept():
    """Two cycles go on where one ends, and each has its row in the history."""
    two, history = fit([1], small())
    one, _ = fit([1], small(cycles=1))
    for key, state in one.models.items():
        assert torch.equal(two.models[key][:1], state)
        assert not torch.allclose(*two.models[key]), key
    assert two.about["candidates"] == ["cycle 1", "cycle 2"]
    assert [row["epoch"] for row in history] == [1, 2]
    assert {"loss", "reconstruction", "cross", "kl_skeleton", "kl_text"} <= history[0].keys()


def test_the_history_is_an_average_over_seeds():
    alone = [fit([seed], small())[1][0] for seed in (1, 2)]
    both = fit([1, 2], small())[1][0]
    for key in ("loss", "reconstruction", "kl_text"):
        mean = (alone[0][key] + alone[1][key]) / 2
        assert both[key] == pytest.approx(mean, rel=1e-5), key


def test_fitting_learns():
    _, history = fit([1, 2], small(cycles=5, steps=100, kl_slope=0.0, cross_from=0))
    assert history[-1]["reconstruction"] < 0.7 * history[0]["reconstruction"]
    assert history[-1]["cross"] < 0.8 * history[0]["cross"]


def test_batches_are_drawn_from_all_clips(monkeypatch):
    """With labels of their own, and a draw of noise for every VAE."""
    features, labels, texts = data()
    calls, real = [], Msf.loss

    def spy(network, skeletons, words, noise, cycle, step, config):
        calls.append((skeletons, words, noise, cycle, step))
        return real(network, skeletons, words, noise, cycle, step, config)

    monkeypatch.setattr(Msf, "loss", staticmethod(spy))
    fit([1, 2], small(batch_size=16))
    assert [call[3:] for call in calls] == [(c, s) for c in (1, 2) for s in range(6)]
    drawn = set()
    for skeletons, words, noise, *_ in calls:
        assert noise.shape == (2, 2, 16, 3)
        places = (skeletons[:, :, None] == features).all(-1).int().argmax(-1)
        assert torch.equal(features[places], skeletons)
        torch.testing.assert_close(words, texts.fused()[labels[places]])
        assert not torch.equal(places[0], places[1])
        drawn |= set(places[0].tolist())
    assert len(drawn) > 35  # of 40, by 192 draws


# --- latents and their classifier ---


@pytest.mark.parametrize(("noise", "rank"), [("sample", 1), ("dimension", 3)])
def test_sample_noise_puts_the_latents_of_a_class_on_a_line(noise, rank):
    fitted, _ = fit([1, 2], small(noise=noise))
    latents = fitted.latents(data()[2]).values
    assert latents.shape == (2, 2, 5, 30, 3)
    ranks = torch.linalg.matrix_rank(latents - latents.mean(-2, keepdim=True), atol=1e-4)
    assert (ranks == rank).all()


@pytest.mark.parametrize("inputs", ["raw", "standard"])
def test_latents_are_drawn_from_the_texts_posterior(inputs):
    texts = data()[2]
    fitted, _ = fit([1], small(cycles=1, inputs=inputs, latents_per_class=20000))
    latents = fitted.latents(texts).values[0, 0]
    entered = standardise_texts(texts.fused(), fitted.shared, 0)
    mu, logvar = (
        entered @ fitted.models[f"text.to_{part}.weight"][0, 0]
        + fitted.models[f"text.to_{part}.bias"][0, 0]
        for part in ("mu", "logvar")
    )
    torch.testing.assert_close(latents.mean(1), mu, atol=0.05, rtol=0)  # of 20,000 draws
    torch.testing.assert_close(latents.std(1), (0.5 * logvar).exp(), atol=0, rtol=0.05)


@pytest.mark.parametrize("relu", [False, True])
def test_the_classifier_separates_latents_that_lie_apart(relu):
    noise = torch.randn(2, 3, 4, 30, 4, generator=torch.Generator().manual_seed(0))
    latents = Latents([9, 4, 6, 5], 3 * torch.eye(4)[:, None] + 0.3 * noise)
    fitted, _ = fit([1, 2, 3], small(latent=4, steps=1, relu_logits=relu))
    found, history = fitted.classifier(latents, CPU, "toy")
    assert found.class_ids == [9, 4, 6, 5]
    assert found.weight.shape == (2, 3, 4, 4)
    assert found.bias.shape == (2, 3, 1, 4)
    assert (found.relu, found.temperatures) == (relu, [1.0])
    logits = torch.einsum("yrupz,yrzk->yrupk", latents.values, found.weight)
    logits = logits + found.bias[..., None, :, :]
    logits = logits.clamp_min(0) if relu else logits
    own = torch.diagonal(logits.log_softmax(-1), dim1=2, dim2=4)
    assert len(history) == 150
    assert history[-1]["loss"] == pytest.approx(-own.mean().item(), rel=0.1)
    assert history[-1]["loss"] < 0.6 * history[0]["loss"]
    # The release's ReLU can leave a class without gradient for good: no promise there.
    assert relu or history[-1]["accuracy"] > 0.99


def test_classifiers_of_candidates_and_seeds_are_of_their_own():
    """Each learns from its own latents, from its own start."""
    fitted, _ = fit([1, 2], small())
    latents = fitted.latents(data()[2])
    found, _ = fitted.classifier(latents, CPU, "toy")
    changed = latents.values.clone()
    changed[1, 0] += 1
    again, _ = fitted.classifier(dataclasses.replace(latents, values=changed), CPU, "toy")
    moved = (found.weight - again.weight).abs().amax((-1, -2)) > 1e-3
    assert moved.tolist() == [[False, False], [True, False]]
    alike = dataclasses.replace(latents, values=latents.values[:1, :1].expand_as(latents.values))
    weights = fitted.classifier(alike, CPU, "toy")[0].weight.flatten(0, 1)
    assert torch.pdist(weights.flatten(1)).min() > 1e-2


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("shared", [{}, {"feature_mean": torch.ones(4), "feature_scale": 2.0}])
def test_logits_by_hand(relu, shared):
    generator = torch.Generator().manual_seed(0)
    weight, bias, after, last, features = (
        torch.randn(*shape, generator=generator)
        for shape in ((2, 3, 4, 3), (2, 3, 1, 3), (2, 3, 3, 5), (2, 3, 1, 5), (7, 4))
    )
    about = {"method": "msf", "candidates": ["one", "two"], "seeds": [1, 2, 3]}
    about |= {"widths": {"skeleton": 4}}
    models = {"skeleton.to_mu.weight": weight, "skeleton.to_mu.bias": bias}
    shared = {key: torch.as_tensor(value) for key, value in shared.items()}
    classifier = Classifier(Msf(about, shared, models), [1, 2, 3, 4, 5], after, last, relu, [1.0])
    entered = (features - 1) * 2 if shared else features
    expected = torch.stack(
        [
            torch.stack([(entered @ weight[y, r] + bias[y, r]) @ after[y, r] for r in range(3)])
            for y in range(2)
        ]
    )
    expected = expected + last
    assert (expected < 0).any()
    expected = expected.clamp_min(0) if relu else expected
    torch.testing.assert_close(classifier.logits(features), expected)


def test_raw_inputs_and_relus_recognise_unseen_classes_too(toy):
    """As released."""
    config = make("msf", inputs="raw", relu_outputs=True, steps=400)
    fitted, _ = Msf.fit(toy.task("LB"), [1, 2], config, CPU, "toy")
    found, _ = fitted.classifier(fitted.latents(toy.texts("LB")), CPU, "toy")
    clips, labels = toy.unseen
    accuracy = (found.logits(clips)[-1].argmax(-1) == labels).float().mean(-1)
    assert accuracy.min() > 0.6, accuracy  # chance is 1 in 8
