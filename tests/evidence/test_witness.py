"""What the scores say of an easy problem, and what they must not depend on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from msf_kedro.evidence import Witness
from msf_kedro.methods.contract.task import Task
from msf_kedro.texts.fusion import Texts

SEEN, UNSEEN, CLIPS, MOVED = 12, 4, 20, 5


class Problem:
    """Classes around points that are linear in their texts; the last features are kinematics."""

    def __init__(self, seed: int = 0):
        rng = np.random.default_rng(seed)
        words = rng.normal(size=(SEEN + UNSEEN, 6))
        points = words @ rng.normal(size=(6, 8 + MOVED))
        self.labels = np.repeat(np.arange(SEEN + UNSEEN), CLIPS)
        noise = rng.normal(size=(len(self.labels), 8 + MOVED))
        self.features = torch.tensor(points[self.labels] + 0.5 * noise, dtype=torch.float32)
        self.words = torch.tensor(words, dtype=torch.float32)
        self.is_seen = self.labels < SEEN
        distances = ((self.features[:, None, :8].numpy() - points[None, :SEEN, :8]) ** 2).sum(-1)
        self.logits = -distances / 4

    def texts(self, classes: range) -> Texts:
        return Texts(list(classes), "toy", {"MD": self.words[list(classes)]})

    def task(self, kinematics: int = MOVED) -> Task:
        features = self.features if kinematics else self.features[:, :8]
        mine = torch.from_numpy(np.flatnonzero(self.is_seen)[::2])
        labels = torch.from_numpy(self.labels)[mine]
        return Task(features[mine], labels, self.texts(range(SEEN)), "any", kinematics)

    def measure(self, witness: Witness, **given) -> np.ndarray:
        features = self.features if witness.kinematics else self.features[:, :8]
        unseen = self.texts(range(SEEN, SEEN + UNSEEN))
        return witness.measure(features, unseen, **given)


@pytest.fixture(scope="module")
def problem():
    return Problem()


@pytest.mark.parametrize("kinematics", [MOVED, 0])
def test_every_score_is_larger_for_clips_of_seen_classes(problem, kinematics):
    witness = Witness.fit(problem.task(kinematics))
    found = problem.measure(witness)
    assert ("movement_gap" in witness.scores) == bool(kinematics)
    assert found.shape == (len(problem.labels), len(witness.scores))
    areas = {
        name: roc_auc_score(problem.is_seen, column)
        for name, column in zip(witness.scores, found.T, strict=True)
    }
    assert min(areas.values()) > 0.6, areas
    assert areas["gap"] > 0.8, areas


def test_it_is_the_same_when_it_has_been_saved(problem):
    witness = Witness.fit(problem.task())
    again = Witness.of_state(witness.state())
    np.testing.assert_array_equal(problem.measure(again), problem.measure(witness))


def test_scores_do_not_depend_on_the_scale_of_kinematics_or_the_order_of_unseen_classes(problem):
    expected = problem.measure(Witness.fit(problem.task()))
    scaled = Problem()
    scaled.features[:, -MOVED:] *= 100
    np.testing.assert_allclose(scaled.measure(Witness.fit(scaled.task())), expected, atol=1e-4)
    witness, turned = Witness.fit(problem.task()), range(SEEN + UNSEEN - 1, SEEN - 1, -1)
    found = witness.measure(problem.features, problem.texts(turned))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_of_classes_that_are_asked_for_the_best_counts(problem):
    witness = Witness.fit(problem.task())
    everything = problem.measure(witness)
    np.testing.assert_array_equal(problem.measure(witness, asked=list(range(SEEN))), everything)
    some = problem.measure(witness, asked=[0, 3])
    names = witness.scores
    for name in ("nearest", "gap", "movement_gap"):
        assert (some[:, names.index(name)] <= everything[:, names.index(name)] + 1e-9).all()


def test_texts_that_it_does_not_read_change_nothing(problem):
    witness = Witness.fit(problem.task())
    unseen = problem.texts(range(SEEN, SEEN + UNSEEN))
    more = replace(unseen, kinds={"LB": unseen.kinds["MD"].flip(0)} | unseen.kinds)
    found = witness.measure(problem.features, more)
    np.testing.assert_array_equal(found, problem.measure(witness))
