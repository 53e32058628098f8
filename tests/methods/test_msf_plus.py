"""MSF+ against its two experts taken apart."""

from dataclasses import replace

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from support.toy import CPU, TEXTS, make

from msf_kedro.methods import get_method
from msf_kedro.methods.contract.prototypes import centred, class_means, dual_weights, principal


@pytest.fixture(scope="module")
def moving(toy):
    """The easy problem, whose last features pass for kinematics."""
    return replace(toy.task(TEXTS["msf_plus"]), kinematics=toy.features.shape[1] // 2)


def logits(task, texts, features, **changes):
    fitted, _ = get_method("msf_plus").fit(task, [0], make("msf_plus", **changes), CPU)
    classifier, _ = fitted.classifier(fitted.latents(texts), CPU)
    return classifier.logits(features)[:, 0]


def test_with_hardly_any_weight_for_movements_it_is_ridge(toy, moving):
    learned = toy.features.shape[1] - moving.kinematics
    narrow = type(moving)(moving.features[:, :learned], moving.labels, moving.seen, moving.layout)
    ridge, _ = get_method("ridge").fit(narrow, [0], make("ridge", regularisations=[0.1]), CPU)
    texts = toy.texts(TEXTS["ridge"])
    expected, _ = ridge.classifier(ridge.latents(texts), CPU)
    found = logits(moving, texts, toy.features, weights=[1e-9])
    torch.testing.assert_close(found[0], expected.logits(toy.features[:, :learned])[0, 0])


def test_its_other_expert_compares_movements_with_what_words_foretell(toy, moving):
    texts = toy.texts(TEXTS["msf_plus"])
    one, two = logits(moving, texts, toy.features, weights=[1.0, 2.0])
    moved = moving.features[:, -moving.kinematics :].double()
    origin, axes = principal(moved, 20)
    means = class_means((moved - origin) @ axes, moving.labels, len(moving.seen.class_ids))
    seen = moving.seen.fused().double()
    words = centred(seen, seen.mean(0))
    weights = dual_weights(words, means - means.mean(0), 0.1)
    foretold = centred(texts.fused().double(), seen.mean(0)) @ words.mT @ weights
    clips = (toy.features[:, -moving.kinematics :].double() - origin) @ axes - means.mean(0)
    expected = F.normalize(clips, dim=-1) @ F.normalize(foretold, dim=-1).mT
    torch.testing.assert_close(two - one, expected.float(), atol=1e-5, rtol=0)


def test_without_kinematics_features_take_their_place(toy):
    texts = toy.texts(TEXTS["msf_plus"])
    found = logits(toy.task(TEXTS["msf_plus"]), texts, toy.features)
    one, two = found[0], found[1]
    assert one.isfinite().all()
    assert (one - two).abs().max() > 0.01


def test_it_reads_kinematics_and_others_do_not():
    table = pd.DataFrame([[1.0, 2.0, 3.0]], columns=["f0", "f1", "k0"])
    assert list(get_method("msf_plus").reads(table)) == ["f0", "f1", "k0"]
    assert list(get_method("msf").reads(table)) == ["f0", "f1"]
