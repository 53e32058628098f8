"""MSF+ against its two experts taken apart."""

from dataclasses import replace

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from sklearn.kernel_ridge import KernelRidge
from support.toy import CPU, TEXTS, make

from msf_kedro.methods import get_method
from msf_kedro.methods.contract.prototypes import class_means, principal, whitening
from msf_kedro.texts.named import NAMED


@pytest.fixture(scope="module")
def moving(toy):
    """The easy problem, whose last features pass for kinematics."""
    return replace(toy.task(TEXTS["msf_plus"]), kinematics=toy.features.shape[1] // 2)


def logits(task, texts, features, **changes):
    fitted, _ = get_method("msf_plus").fit(task, [0], make("msf_plus", **changes), CPU)
    classifier, _ = fitted.classifier(fitted.latents(texts), CPU)
    return classifier.logits(features)[:, 0]


def expected(values, labels, task, texts, clips, components=None):
    """Cosines of clips with what texts foretell, less how crowded it is there, step by step."""
    if components:
        origin, axes = principal(values, components)
        values, clips = (values - origin) @ axes, (clips - origin) @ axes
    means = class_means(values, labels, len(task.seen.class_ids))
    white = whitening(values, labels, means, 0.5)
    means, clips = means @ white, clips @ white
    seen, words = (
        t.fused().double() - task.seen.fused().double().mean(0) for t in (task.seen, texts)
    )
    likeness = KernelRidge(alpha=0.1, kernel="linear")  # of a mean eigenvalue of 1
    likeness.fit(F.normalize(seen, dim=-1).numpy(), (means - means.mean(0)).numpy())
    foretold = torch.from_numpy(likeness.predict(F.normalize(words, dim=-1).numpy()))
    foretold = F.normalize(foretold, dim=-1)
    nearest = (F.normalize(means - means.mean(0), dim=-1) @ foretold.mT).sort(0).values[-5:]
    return F.normalize(clips - means.mean(0), dim=-1) @ foretold.mT - nearest.mean(0) / 2


def test_its_experts_compare_clips_with_what_words_foretell(toy, moving):
    """In the space of the networks' features, and in that of kinematics, taken apart."""
    texts = toy.texts(TEXTS["msf_plus"])
    nearly_none, one = logits(moving, texts, toy.features, weights=[1e-9, 1.0])
    width = moving.kinematics
    values, clips = moving.features.double(), toy.features.double()
    learned = expected(values[:, :-width], moving.labels, moving, texts, clips[:, :-width])
    moved = expected(values[:, -width:], moving.labels, moving, texts, clips[:, -width:], 20)
    torch.testing.assert_close(nearly_none, learned.float(), atol=1e-5, rtol=0)
    torch.testing.assert_close(one - nearly_none, moved.float(), atol=1e-5, rtol=0)


def test_without_kinematics_the_first_expert_is_alone(toy):
    texts, task = toy.texts(TEXTS["msf_plus"]), toy.task(TEXTS["msf_plus"])
    found = logits(task, texts, toy.features)[0]
    values = task.features.double()
    alone = expected(values, task.labels, task, texts, toy.features.double())
    torch.testing.assert_close(found, alone.float(), atol=1e-5, rtol=0)


def test_classes_are_foretold_nearer_to_those_that_name_the_same_parts(toy, moving):
    """Half the seen classes name the arm, half the leg, and move accordingly."""
    texts, parts = toy.texts(TEXTS["msf_plus"]), torch.eye(len(NAMED))
    limbs = torch.arange(len(moving.seen.class_ids)) % 2
    clips = moving.features.clone()
    clips[:, -5:] += 9 * limbs[moving.labels, None]
    others = torch.arange(len(texts.class_ids)) % 2
    same = limbs[moving.labels, None] == others

    def margin(named, of_others):
        seen = replace(moving.seen, named=named)
        task = replace(moving, features=clips, seen=seen)
        found = logits(task, replace(texts, named=of_others), clips)[0]
        return found[same].mean() - found[~same].mean()

    assert margin({"MD": parts[limbs]}, {"MD": parts[others]}) > margin({}, {}) + 0.3


def test_it_reads_kinematics_and_others_do_not():
    table = pd.DataFrame([[1.0, 2.0, 3.0]], columns=["f0", "f1", "k0"])
    assert list(get_method("msf_plus").reads(table)) == ["f0", "f1", "k0"]
    assert list(get_method("msf").reads(table)) == ["f0", "f1"]
