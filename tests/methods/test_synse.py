"""SynSE: the halves of the latent, its loss, its latents."""

import dataclasses

import pytest
import torch
from support.toy import CPU, make

from msf_kedro.methods.contract.generative import text_map
from msf_kedro.methods.synse import Synse, Triple
from msf_kedro.networks.vae import kl_divergence

ALL_TERMS = {"kl_slope": 0.1, "skeleton_kl_from": 0, "text_kl_from": 0}
LATE = make("synse", **ALL_TERMS, text_kl_first_cycle=1, cross_from=0)  # at step 5 all count


def network() -> Triple:
    return Triple([6, 8, 4], [torch.Generator().manual_seed(seed) for seed in (1, 2)], LATE)


def problem(noise: int = 12) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((2, 5, 6), (2, 5, 12), (2, 3, 5, noise))
    return tuple(torch.randn(*shape, generator=generator) for shape in shapes)


@pytest.mark.parametrize("noise", [12, 1])
def test_the_loss_by_hand(noise):
    triple = network()
    skeletons, texts, draws = problem(noise)
    found = Synse.loss(triple, skeletons, texts, draws, 1, 5, LATE)
    nouns, verbs = texts[..., :8], texts[..., 8:]

    def draw(vae, x, noise):
        mu, logvar = vae.encode(x)
        return mu + (logvar / 2).exp() * noise

    def error(output, target):
        return (output - target).square().mean(dim=(1, 2))

    skeleton = draw(triple.skeleton, skeletons, draws[:, 0])
    noun = draw(triple.first, nouns, draws[:, 1, :, :6])
    verb = draw(triple.second, verbs, draws[:, 2, :, :6])
    reconstruction = (
        error(triple.skeleton.decode(skeleton), skeletons)
        + error(triple.first.decode(noun), nouns)
        + error(triple.second.decode(verb), verbs)
    )
    cross = (
        error(triple.first.decode(skeleton[..., :6]), nouns)
        + error(triple.second.decode(skeleton[..., 6:]), verbs)
        + error(triple.skeleton.decode(torch.cat([noun, verb], dim=-1)), skeletons)
    )
    kl_text = kl_divergence(*triple.first.encode(nouns))
    kl_text = kl_text + kl_divergence(*triple.second.encode(verbs))
    kl_skeleton = kl_divergence(*triple.skeleton.encode(skeletons))
    weight_s, weight_t, weight_cross = LATE.weights(1, 5)
    assert min(weight_s, weight_t, weight_cross) > 0
    expected = {
        "reconstruction": reconstruction,
        "cross": cross,
        "kl_text": kl_text,
        "kl_skeleton": kl_skeleton,
        "loss": reconstruction + weight_s * kl_skeleton + weight_t * kl_text + weight_cross * cross,
    }
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value)


def test_terms_count_when_the_schedule_says_so():
    """As MSF's: KL weights of their own, the texts' from a cycle on, then cross terms."""
    triple, inputs = network(), problem()
    config = make("synse", kl_slope=0.1, text_kl_from=3)  # others: 1, second cycle, 100
    weights = [(1, 5, 0.4, 0, 0), (2, 5, 0.4, 0.2, 0), (2, 101, 10.0, 9.8, 1)]
    for cycle, step, skeleton, text, cross in weights:
        found = Synse.loss(triple, *inputs, cycle, step, config)
        expected = found["reconstruction"] + skeleton * found["kl_skeleton"]
        expected = expected + text * found["kl_text"] + cross * found["cross"]
        torch.testing.assert_close(found["loss"], expected)


@pytest.mark.parametrize(("part", "own"), [(0, slice(0, 6)), (1, slice(6, 12))])
def test_a_texts_cross_reconstruction_touches_its_own_half_only(part, own):
    """Noun: first half. Change one text only, and see which of the encoder's outputs are pulled."""
    triple = network()
    skeletons, texts, draws = problem()
    columns = slice(0, 8) if part == 0 else slice(8, 12)
    changed = texts.clone()
    changed[..., columns] += 1
    gradients = []
    for words in (texts, changed):
        with torch.no_grad():  # what skeletons are rebuilt from must not differ
            for vae in (triple.first, triple.second):
                vae.to_mu.weight.zero_()
                vae.to_logvar.weight.zero_()
        triple.zero_grad(set_to_none=True)
        Synse.loss(triple, skeletons, words, draws, 1, 5, LATE)["cross"].sum().backward()
        gradients.append(triple.skeleton.to_mu.weight.grad.clone())
    moved = (gradients[0] - gradients[1]).abs().sum(dim=(0, 1))
    other = torch.ones(12, dtype=torch.bool)
    other[own] = False
    assert (moved[own] > 1e-4).all()
    assert (moved[other] < 1e-6).all()  # rounding: other terms are added to the same sums


def test_skeletons_are_rebuilt_from_both_texts():
    triple = network()
    Synse.loss(triple, *problem(), 1, 5, LATE)["cross"].sum().backward()
    for vae in (triple.first, triple.second):
        assert vae.to_mu.weight.grad.abs().sum() > 0


def test_latents_are_drawn_per_text_in_their_order(toy):
    """Noun latents first; noun and verb have noise of their own."""
    config = make("synse", steps=3, inputs="raw", latents_per_class=4000)
    fitted, _ = Synse.fit(toy.task("noun+verb"), [1], config, CPU, "toy")
    texts = toy.texts("noun+verb")
    latents = fitted.latents(texts).values
    assert latents.shape == (2, 1, 8, 4000, 12)
    halves = []
    for i, (vae, words) in enumerate(zip(("first", "second"), texts.apart(), strict=True)):
        mu = words @ fitted.models[f"{vae}.to_mu.weight"][0, 0]
        mu = mu + fitted.models[f"{vae}.to_mu.bias"][0, 0]
        half = latents[0, 0, ..., 6 * i : 6 * i + 6]
        torch.testing.assert_close(half.mean(1), mu, atol=0.1, rtol=0)
        halves.append((half - mu[:, None]).flatten())
    assert torch.corrcoef(torch.stack(halves))[0, 1].abs() < 0.02


def test_texts_that_classes_share_do_not_disturb(toy):
    """Three verbs for 32 classes: standard inputs have two dimensions, and all is finite."""
    verbs = toy.words["verb"][torch.arange(32) % 3]
    shared = dataclasses.replace(toy, words=toy.words | {"verb": verbs})
    task = shared.task("noun+verb")
    config = make("synse", steps=5)
    assert text_map(task.seen.apart()[1], config)["axes"].shape == (24, 2)
    fitted, _ = Synse.fit(task, [1], config, CPU, "toy")
    found, _ = fitted.classifier(fitted.latents(shared.texts("noun+verb")), CPU, "toy")
    assert found.logits(toy.unseen[0]).isfinite().all()


def test_an_odd_latent_is_refused(toy):
    with pytest.raises(ValueError, match=r"synse\.latent is 13, expected an even number"):
        Synse.fit(toy.task("noun+verb"), [1], make("synse", latent=13), CPU, "toy")


@pytest.mark.parametrize("texts", ["LB", "noun+verb+LB"])
def test_other_than_two_texts_are_refused(texts, toy):
    with pytest.raises(ValueError, match=r"synse takes two text kinds, as in noun\+verb, not"):
        Synse.fit(toy.task(texts), [1], make("synse"), CPU, "toy")
