"""JPoSE's triplets by hand, its spaces and its terms."""

import dataclasses

import pytest
import torch
from support.toy import JPOSE

from msf_kedro.methods import jpose
from msf_kedro.methods.jpose import Jpose, hard_triplet, jpose_loss

CPU = torch.device("cpu")


def circle(*degrees: float) -> torch.Tensor:
    angles = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def cosine(degrees: float) -> float:
    return torch.deg2rad(torch.tensor(degrees)).cos().item()


def test_hard_triplets_by_hand():
    """Points on a circle: of a label at 0, 30 and 50 degrees, of another at 70 and 180."""
    embeddings = circle(0, 30, 50, 70, 180)[None]
    labels = torch.tensor([[0, 0, 0, 1, 1]])
    hardest = [(50, 70), (30, 40), (50, 20), (110, 20), (110, 130)]  # angle to partner, to other
    losses = [max(0.0, 0.3 + cosine(other) - cosine(own)) for own, other in hardest]
    found = hard_triplet(embeddings, labels, 0.3)
    assert found.item() == pytest.approx(sum(losses) / 5, rel=1e-5)
    assert min(losses) == 0


def test_lonely_clips_and_a_single_label():
    embeddings = circle(0, 10)[None]
    alone = hard_triplet(embeddings, torch.tensor([[0, 1]]), 0.3)  # its own partner
    assert alone.item() == pytest.approx(0.3 + cosine(10) - 1, rel=1e-5)
    assert hard_triplet(embeddings, torch.tensor([[0, 0]]), 0.3).item() == 0


def test_triplets_pull_partners_and_push_others():
    degrees = torch.tensor([0.0, 40.0, 60.0], requires_grad=True)
    angles = torch.deg2rad(degrees)
    embeddings = torch.stack([angles.cos(), angles.sin()], dim=1)[None]
    hard_triplet(embeddings, torch.tensor([[0, 0, 1]]), 0.3).sum().backward()
    assert degrees.grad[0] < 0  # towards the partner at 40, which the optimiser makes positive
    assert degrees.grad[2] < 0  # away from both others


def make(config=JPOSE) -> Jpose:
    return Jpose(6, [8, 8], [torch.Generator().manual_seed(seed) for seed in (1, 2)], config)


def problem() -> tuple[torch.Tensor, torch.Tensor, list]:
    generator = torch.Generator().manual_seed(0)
    skeletons = torch.rand(2, 7, 6, generator=generator)
    labels = torch.randint(4, (2, 7), generator=generator)
    verbs, nouns = torch.randn(2, 8, generator=generator), torch.randn(4, 8, generator=generator)
    return skeletons, labels, [(verbs, torch.tensor([0, 1, 1, 0])), (nouns, torch.arange(4))]


def test_all_embeddings_have_norm_one():
    model, (skeletons, _, words) = make(), problem()
    for part, (texts, _) in zip(model.parts, words, strict=True):
        for embedded in (
            part.embed_skeletons(skeletons),
            part.embed_texts(texts.expand(2, -1, -1)),
        ):
            torch.testing.assert_close(embedded.norm(dim=-1), torch.ones(embedded.shape[:2]))
    own = model.similarities([torch.rand(2, 3, 10)] * 2, [torch.rand(2, 3, 10)] * 2)
    assert own.abs().max() <= 1 + 1e-6


def test_the_loss_is_the_weighted_sum_of_its_terms():
    model, (skeletons, labels, words) = make(), problem()
    found = jpose_loss(
        model, skeletons, labels, words, dataclasses.replace(JPOSE, triplet_weight=3.0)
    )
    expected = found["part_hinge"] + 3 * found["triplet"] + found["joint_hinge"]
    torch.testing.assert_close(found["loss"], expected)
    assert (found["triplet"] > 0).all()


def test_each_part_learns_from_its_own_words_and_the_joint_pair_from_all():
    model, (skeletons, labels, words) = make(), problem()
    figures = jpose_loss(model, skeletons, labels, words, JPOSE)
    figures["joint_hinge"].sum().backward(retain_graph=True)
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    model.zero_grad(set_to_none=True)
    (figures["part_hinge"] + figures["triplet"]).sum().backward()
    assert model.skeleton.weight.grad is None
    assert model.text.weight.grad is None
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parts.parameters())


def test_words_that_classes_share_count_once():
    """Two classes with one verb: its hinge cannot ask the one to be above the other."""
    model, (skeletons, _, words) = make(), problem()
    words = [(words[0][0][:1], torch.zeros(4, dtype=torch.long)), words[1]]
    only_nouns = jpose_loss(model, skeletons, torch.zeros(2, 7, dtype=torch.long), words, JPOSE)
    nouns = jpose_loss(
        Jpose(6, [8], [torch.Generator().manual_seed(s) for s in (1, 2)], JPOSE),
        skeletons,
        torch.zeros(2, 7, dtype=torch.long),
        words[:1],
        JPOSE,
    )
    assert (nouns["part_hinge"] == 0).all()
    assert (only_nouns["part_hinge"] > 0).all()


def test_classes_with_the_same_word_are_one_word(toy, monkeypatch):
    seen = dict(toy[0].seen)
    seen["verb"] = seen["verb"][torch.arange(24) // 2]
    task, words = dataclasses.replace(toy[0], seen=seen), []
    real = jpose.jpose_loss

    def spy(model, skeletons, labels, words_, config):
        words.append(words_)
        return real(model, skeletons, labels, words_, config)

    monkeypatch.setattr(jpose, "jpose_loss", spy)
    config = dataclasses.replace(JPOSE, steps=2)
    jpose.scores("toy", task, ("verb", "noun"), [1], config, CPU)
    (verbs, verb_of), (nouns, _) = words[0]
    assert (len(verbs), len(nouns)) == (12, 24)
    torch.testing.assert_close(verbs[verb_of], task.texts(["verb"])[0])


@pytest.mark.parametrize(
    "field",
    ["embedding", "text_hidden", "margin", "batch_size", "learning_rate", "steps", "checkpoints"],
)
def test_a_config_of_nothing_is_refused(field):
    with pytest.raises(ValueError, match=rf"jpose\.{field} is 0.*expected above 0"):
        dataclasses.replace(JPOSE, **{field: type(getattr(JPOSE, field))(0)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 201}, r"jpose\.steps is 201, expected a multiple of jpose\.checkpoints, 2"),
        ({"temperatures": [0.0]}, r"jpose\.temperatures is \[0\.0\], expected numbers above 0"),
        ({"triplet_weight": -1.0}, r"jpose\.triplet_weight is -1\.0, expected at least 0"),
    ],
)
def test_a_config_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(JPOSE, **changes)
