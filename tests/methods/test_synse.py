"""SynSE: the halves of the latent, its loss, its latents."""

import dataclasses

import pytest
import torch
from support.toy import ALIGNMENT, CLASSIFIER

from msf_kedro.methods import msf, synse
from msf_kedro.methods.msf import Alignment, alignment_loss
from msf_kedro.methods.synse import Parts, synse_loss
from msf_kedro.networks.vae import kl_divergence

CPU = torch.device("cpu")
LATE = dataclasses.replace(  # every term counts
    ALIGNMENT, kl_slope=0.1, skeleton_kl_from=0, text_kl_from=0, text_kl_first_cycle=1, cross_from=0
)


def make(widths: list[int], config=LATE) -> Parts:
    return Parts(6, widths, [torch.Generator().manual_seed(seed) for seed in (1, 2)], config)


def problem(width: int, noises: int, noise: int = 12) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((2, 5, 6), (2, 5, width), (2, noises, 5, noise))
    return tuple(torch.randn(*shape, generator=generator) for shape in shapes)


def test_with_one_text_it_is_msf():
    """One part has the whole latent: the same network, and every term the same."""
    parts = make([8])
    pair = Alignment(6, 8, [torch.Generator().manual_seed(seed) for seed in (1, 2)], LATE)
    pair.skeleton.load_state_dict(parts.skeleton.state_dict())
    pair.text.load_state_dict(parts.texts[0].state_dict())
    inputs = problem(8, 2)
    found = synse_loss(parts, *inputs, 1, 5, LATE)
    expected = alignment_loss(pair, *inputs, 1, 5, LATE)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value)


@pytest.mark.parametrize("noise", [12, 1])
def test_the_loss_by_hand(noise):
    parts = make([8, 4])
    skeletons, texts, draws = problem(12, 3, noise)
    found = synse_loss(parts, skeletons, texts, draws, 1, 5, LATE)
    nouns, verbs = texts[..., :8], texts[..., 8:]
    noun_vae, verb_vae = parts.texts

    def draw(vae, x, noise):
        mu, logvar = vae.encode(x)
        return mu + (logvar / 2).exp() * noise

    def error(output, target):
        return (output - target).square().mean(dim=(1, 2))

    skeleton = draw(parts.skeleton, skeletons, draws[:, 0])
    noun = draw(noun_vae, nouns, draws[:, 1, :, :6])
    verb = draw(verb_vae, verbs, draws[:, 2, :, :6])
    reconstruction = (
        error(parts.skeleton.decode(skeleton), skeletons)
        + error(noun_vae.decode(noun), nouns)
        + error(verb_vae.decode(verb), verbs)
    )
    cross = (
        error(noun_vae.decode(skeleton[..., :6]), nouns)
        + error(verb_vae.decode(skeleton[..., 6:]), verbs)
        + error(parts.skeleton.decode(torch.cat([noun, verb], dim=-1)), skeletons)
    )
    kl_text = kl_divergence(*noun_vae.encode(nouns)) + kl_divergence(*verb_vae.encode(verbs))
    kl_skeleton = kl_divergence(*parts.skeleton.encode(skeletons))
    weight_s, weight_t, weight_cross = msf.weights(1, 5, LATE)
    assert min(weight_s, weight_t, weight_cross) > 0
    expected = {
        "reconstruction": reconstruction,
        "cross": cross,
        "kl_text": kl_text,
        "kl_skeleton": kl_skeleton,
        "loss": reconstruction + weight_s * kl_skeleton + weight_t * kl_text + weight_cross * cross,
    }
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value)


@pytest.mark.parametrize(("part", "own"), [(0, slice(0, 6)), (1, slice(6, 12))])
def test_a_texts_cross_reconstruction_touches_its_own_half_only(part, own):
    """Noun: first half. Change one text only, and see which of the encoder's outputs are pulled."""
    parts = make([8, 4])
    skeletons, texts, draws = problem(12, 3)
    columns = slice(0, 8) if part == 0 else slice(8, 12)
    changed = texts.clone()
    changed[..., columns] += 1
    gradients = []
    for texts_ in (texts, changed):
        with torch.no_grad():  # what skeletons are rebuilt from must not differ
            for vae in parts.texts:
                vae.to_mu.weight.zero_()
                vae.to_logvar.weight.zero_()
        parts.zero_grad(set_to_none=True)
        synse_loss(parts, skeletons, texts_, draws, 1, 5, LATE)["cross"].sum().backward()
        gradients.append(parts.skeleton.to_mu.weight.grad.clone())
    moved = (gradients[0] - gradients[1]).abs().sum(dim=(0, 1))
    other = torch.ones(12, dtype=torch.bool)
    other[own] = False
    assert (moved[own] > 1e-4).all()
    assert (moved[other] < 1e-6).all()


def test_skeletons_are_rebuilt_from_both_texts():
    parts = make([8, 4])
    skeletons, texts, draws = problem(12, 3)
    synse_loss(parts, skeletons, texts, draws, 1, 5, LATE)["cross"].sum().backward()
    for vae in parts.texts:
        assert vae.to_mu.weight.grad.abs().sum() > 0


def test_latents_are_drawn_per_text_in_their_order(toy, monkeypatch):
    """Noun latents first; noun and verb have noise of their own."""
    task, kept = toy[0], {}
    real = msf.score_clips

    def spy(name, checkpoints, latents, *rest):
        kept.update(states=checkpoints["states"], latents=latents)
        return real(name, checkpoints, latents, *rest)

    monkeypatch.setattr(msf, "score_clips", spy)
    config = dataclasses.replace(ALIGNMENT, steps=3, inputs="raw")
    classifier = dataclasses.replace(CLASSIFIER, latents_per_class=4000, steps=1)
    synse.scores("toy", task, ("noun", "verb"), [1], config, classifier, CPU)
    latents, states = kept["latents"], kept["states"]
    assert latents.shape == (2, 1, 8, 4000, 12)
    halves = []
    for i, kind in enumerate(("noun", "verb")):
        text = task.texts([kind])[1]
        mu = text @ states[f"texts.{i}.to_mu.weight"][0, 0]
        mu = mu + states[f"texts.{i}.to_mu.bias"][0, 0]
        half = latents[0, 0, ..., 6 * i : 6 * i + 6]
        torch.testing.assert_close(half.mean(1), mu, atol=0.1, rtol=0)
        halves.append((half - mu[:, None]).flatten())
    assert torch.corrcoef(torch.stack(halves))[0, 1].abs() < 0.02


def test_texts_that_classes_share_do_not_disturb(toy):
    """Three verbs for 32 classes: standard inputs have two dimensions, and all is finite."""
    task = toy[0]
    seen, unseen = dict(task.seen), dict(task.unseen)
    seen["verb"] = seen["verb"][torch.arange(24) % 3]
    unseen["verb"] = seen["verb"][:8]
    maps = msf.InputMaps.fit(
        task.features, dataclasses.replace(task, seen=seen).texts(["verb"])[0], ALIGNMENT
    )
    assert maps.tensors["text_axes"].shape == (24, 2)
    task = dataclasses.replace(task, seen=seen, unseen=unseen)
    config = dataclasses.replace(ALIGNMENT, steps=5)
    found = synse.scores("toy", task, ("noun", "verb"), [1], config, CLASSIFIER, CPU)
    assert found.logits.isfinite().all()


def test_an_odd_latent_is_refused(toy):
    config = dataclasses.replace(ALIGNMENT, latent=13)
    with pytest.raises(ValueError, match=r"alignment\.latent is 13, expected a multiple of 2"):
        synse.scores("toy", toy[0], ("noun", "verb"), [1], config, CLASSIFIER, CPU)
