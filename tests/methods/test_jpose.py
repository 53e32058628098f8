"""JPoSE's triplets by hand, its spaces and its terms."""

import pytest
import torch
from support.toy import make
from torch.nn.functional import normalize

from msf_kedro.methods.contract.nearest import multi_class_hinge
from msf_kedro.methods.jpose import Jpose, Spaces, hard_triplet


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


CONFIG = make("jpose")


def network(texts: int = 2) -> Spaces:
    return Spaces([6] + texts * [8], [torch.Generator().manual_seed(s) for s in (1, 2)], CONFIG)


def problem() -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
    """Clips of four classes, of which two share a verb and two others another one."""
    generator = torch.Generator().manual_seed(0)
    skeletons = torch.rand(2, 7, 6, generator=generator)
    labels = torch.randint(4, (2, 7), generator=generator)
    verbs, nouns = torch.randn(2, 8, generator=generator), torch.randn(4, 8, generator=generator)
    return skeletons, labels, [verbs[torch.tensor([0, 1, 1, 0])], nouns]


def test_all_embeddings_have_norm_one():
    spaces, (skeletons, _, words) = network(), problem()
    texts = [word.expand(2, -1, -1) for word in words]
    for embedded in (
        *spaces.of_skeletons(skeletons),
        *spaces.of_texts(texts),
        spaces.embed_skeletons(skeletons),
        spaces.embed_texts(texts),
    ):
        torch.testing.assert_close(embedded.norm(dim=-1), torch.ones(embedded.shape[:2]))


def test_the_loss_by_hand():
    """For each kind a hinge among words, not classes, and triplets by word; the joint hinge."""
    spaces, (skeletons, labels, words) = network(), problem()
    found = Jpose.loss(spaces, skeletons, labels, words, make("jpose", triplet_weight=3.0))

    def layer(linear, x):
        return (x @ linear.weight + linear.bias).tanh()

    hinge, triplet, clips, classes = 0.0, 0.0, [], []
    for kind, (first, word_of) in enumerate([([0, 1], [0, 1, 1, 0]), ([0, 1, 2, 3],) * 2]):
        own = torch.tensor(word_of)[labels]
        clip = normalize(layer(spaces.skeletons[kind], skeletons), dim=-1)
        texts = layer(spaces.texts_out[kind], layer(spaces.texts_in[kind], words[kind]))
        texts = normalize(texts, dim=-1)
        hinge = hinge + multi_class_hinge(clip @ texts[:, first].mT, own, 0.3)
        triplet = triplet + hard_triplet(clip, own, 0.3)
        clips.append(clip)
        classes.append(texts)
    joined = normalize(layer(spaces.skeleton_joint, torch.cat(clips, dim=-1)), dim=-1)
    described = normalize(layer(spaces.text_joint, torch.cat(classes, dim=-1)), dim=-1)
    similarities = joined @ described.mT
    texts = [word.expand(2, -1, -1) for word in words]
    torch.testing.assert_close(spaces.embed_skeletons(skeletons), joined)
    torch.testing.assert_close(spaces.embed_texts(texts), described)
    expected = {
        "kind_hinge": hinge,
        "triplet": triplet,
        "joint_hinge": multi_class_hinge(similarities, labels, 0.3),
    }
    expected["loss"] = hinge + 3 * triplet + expected["joint_hinge"]
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value)
    assert (found["triplet"] > 0).all()


def test_each_kind_learns_from_its_own_words_and_the_joint_pair_from_all():
    spaces, (skeletons, labels, words) = network(), problem()
    figures = Jpose.loss(spaces, skeletons, labels, words, CONFIG)
    figures["joint_hinge"].sum().backward(retain_graph=True)
    assert all(parameter.grad.abs().sum() > 0 for parameter in spaces.parameters())
    spaces.zero_grad(set_to_none=True)
    (figures["kind_hinge"] + figures["triplet"]).sum().backward()
    assert spaces.skeleton_joint.weight.grad is None
    assert spaces.text_joint.weight.grad is None
    for part in (spaces.skeletons, spaces.texts_in, spaces.texts_out):
        assert all(parameter.grad.abs().sum() > 0 for parameter in part.parameters())


def test_words_that_classes_share_count_once():
    """Of one verb for all classes a hinge cannot ask that it be above the others."""
    skeletons, _, words = problem()
    labels = torch.zeros(2, 7, dtype=torch.long)
    shared = words[0][:1].expand(4, -1)
    verbs = Jpose.loss(network(1), skeletons, labels, [shared], CONFIG)
    # margin + s - s - margin is nought but for rounding, which is not the same on all processors;
    # counted as often as there are classes, it would be three margins.
    torch.testing.assert_close(verbs["kind_hinge"], torch.zeros(2), atol=1e-6, rtol=0)
    both = Jpose.loss(network(), skeletons, labels, [shared, words[1]], CONFIG)
    assert (both["kind_hinge"] > 0.01).all()


def test_features_enter_with_norm_one():
    features = 5 * torch.rand(4, 6) + 0.1
    entered = Jpose.skeleton_inputs(features)
    torch.testing.assert_close(entered.norm(dim=1), torch.ones(4))
    torch.testing.assert_close(entered * features.norm(dim=1, keepdim=True), features)
