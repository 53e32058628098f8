"""Nearest latents: the multi-class hinge by hand, training with checkpoints, inner products."""

import pytest
import torch
from support.toy import CPU, make
from torch import nn

from msf_kedro.methods import get_method
from msf_kedro.methods.contract.fitted import Latents
from msf_kedro.methods.contract.nearest import Ranking, multi_class_hinge
from msf_kedro.methods.revise import ReviseConfig


def test_hinge_by_hand():
    similarities = torch.tensor([[[0.9, 0.5, 0.7], [0.2, 0.4, 0.0]], [[1.0, 0.0, 0.0]] * 2])
    labels = torch.tensor([[0, 0], [0, 1]])
    # margin 0.3: (0 + 0.1) and (0.5 + 0.1); nothing, and 1.3 + 0.3
    expected = torch.tensor([(0.1 + 0.6) / 2, (0 + 1.6) / 2])
    torch.testing.assert_close(multi_class_hinge(similarities, labels, 0.3), expected)


def test_hinge_is_that_of_torch():
    generator = torch.Generator().manual_seed(0)
    similarities = torch.randn(2, 7, 5, generator=generator)
    labels = torch.randint(5, (2, 7), generator=generator)
    found = multi_class_hinge(similarities, labels, 0.3)
    for r in range(2):
        reference = nn.functional.multi_margin_loss(similarities[r], labels[r], margin=0.3)
        assert found[r].item() == pytest.approx(5 * reference.item(), rel=1e-5)


class Counter(nn.Module):
    """Counts its steps: each has the gradient -1, so Adam adds the learning rate."""

    def __init__(self, widths, generators, config):
        super().__init__()
        self.skeleton_steps = nn.Parameter(torch.zeros(len(generators)))


class Counting(Ranking):
    Config = ReviseConfig
    Network = Counter
    RANDOM = "counting"

    @staticmethod
    def skeleton_inputs(features):
        return features

    @staticmethod
    def loss(network, skeletons, labels, texts, config):
        BATCHES.append((skeletons, labels))
        return {"loss": -network.skeleton_steps}


BATCHES: list = []


@pytest.mark.parametrize(("batch_size", "expected"), [(4, 4), (1024, 360)])
def test_checkpoints_lie_at_equal_intervals_and_batches_hold_different_clips(
    batch_size, expected, toy
):
    BATCHES.clear()
    config = make("revise", steps=6, checkpoints=3, learning_rate=0.5, batch_size=batch_size)
    task = toy.task("LB")
    found, history = Counting.fit(task, [1, 2], config, CPU, "toy")
    steps = found.models["skeleton_steps"]
    torch.testing.assert_close(steps, torch.tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))
    assert found.about["candidates"] == ["step 2", "step 4", "step 6"]
    assert len(history) == 3
    assert len(BATCHES) == 6
    for skeletons, labels in BATCHES:
        assert skeletons.shape == (2, expected, 16)
        places = [[(task.features == row).all(1).int().argmax() for row in rows]
                  for rows in skeletons[:, :20]]  # fmt: skip
        assert torch.equal(task.labels[torch.tensor(places)], labels[:, :20])
        assert len(set(map(int, places[0]))) == min(20, expected)
        assert not torch.equal(*skeletons)
    assert not torch.equal(BATCHES[0][0], BATCHES[1][0])


@pytest.mark.parametrize("method", ["revise", "jpose"])
def test_logits_are_inner_products_of_embeddings(method, toy):
    texts = "LB" if method == "revise" else "verb+noun"
    config = make(method, steps=6)
    cls = get_method(method)
    fitted, _ = cls.fit(toy.task(texts), [1, 2], config, CPU, "toy")
    classifier, _ = fitted.classifier(fitted.latents(toy.texts(texts)), CPU, "toy")
    assert classifier.temperatures == config.temperatures
    clips, _ = toy.unseen
    found = classifier.logits(clips)
    generators = [torch.Generator(), torch.Generator()]
    widths = [16, 24] if method == "revise" else [16, 24, 24]
    for candidate in range(2):
        network = cls.Network(widths, generators, config)
        network.load_state_dict({k: v[candidate] for k, v in fitted.models.items()})
        words = [t.expand(2, -1, -1) for t in cls.inputs(toy.texts(texts))]
        embedded = network.embed_skeletons(cls.skeleton_inputs(clips).expand(2, -1, -1))
        expected = embedded @ network.embed_texts(words).mT
        torch.testing.assert_close(found[candidate], expected.detach(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("method", ["revise", "jpose"])
def test_a_skeleton_side_alone_cannot_describe_classes(method, toy):
    texts = "LB" if method == "revise" else "verb+noun"
    fitted, _ = get_method(method).fit(toy.task(texts), [1], make(method, steps=2), CPU, "toy")
    with pytest.raises(ValueError, match=rf"{method}: its weights \['text.*are not there"):
        fitted.skeleton_side().latents(toy.texts(texts))


def test_a_classifier_of_one_latent_a_class_is_that_latent(toy):
    fitted, _ = get_method("ridge").fit(toy.task("LB"), [1, 2], make("ridge"), CPU, "toy")
    values = torch.rand(2, 2, 5, 1, 24, dtype=torch.float64)
    classifier, history = fitted.classifier(Latents([5, 1, 2, 3, 4], values), CPU)
    assert classifier.class_ids == [5, 1, 2, 3, 4]
    assert [row["seconds"] for row in history] == [0]
    for candidate in range(2):
        projected = fitted.project(toy.features, candidate)
        expected = torch.einsum("rnz,rkz->rnk", projected, values[candidate, :, :, 0])
        found = classifier.logits(toy.features)[candidate]
        torch.testing.assert_close(found, expected.float())
