"""The contract's own rules: what a task and its scores must be, and the choice of a temperature."""

import dataclasses

import pytest
import torch

from msf_kedro.methods.contract.task import Scores, choose_temperature


def test_texts_are_fused(toy):
    task, _ = toy
    for found, texts in zip(task.texts(["LB", "MD"]), (task.seen, task.unseen), strict=True):
        joined = torch.cat([texts["LB"], texts["MD"]], dim=1)
        torch.testing.assert_close(found, joined / joined.norm(dim=1, keepdim=True))


def test_no_texts_are_refused(toy):
    with pytest.raises(ValueError, match=r"text kinds \(\) are asked for, expected some of"):
        toy[0].texts([])


def test_text_kinds_of_one_side_only_are_refused(toy):
    seen = {"LB": toy[0].seen["LB"]}
    with pytest.raises(ValueError, match=r"text kinds \['LB'\] of the seen classes.*the same"):
        dataclasses.replace(toy[0], seen=seen)


@pytest.mark.parametrize("label", [-1, 24])
def test_labels_without_a_text_are_refused(label, toy):
    labels = toy[0].labels.clone()
    labels[3] = label
    with pytest.raises(ValueError, match=r"labels from .* expected rows of the 24 seen texts"):
        dataclasses.replace(toy[0], labels=labels)


def test_a_task_without_training_clips_is_refused(toy):
    with pytest.raises(ValueError, match="no training clips"):
        dataclasses.replace(toy[0], features=torch.zeros(0, 16), labels=toy[0].labels[:0])


def test_scores_need_a_name_for_each_candidate():
    with pytest.raises(ValueError, match="logits of 2 candidates, expected one for each of"):
        Scores(torch.zeros(2, 1, 3, 4), ("one",), (1.0,))


@pytest.mark.parametrize("temperatures", [(), (0.0, 1.0)])
def test_scores_need_temperatures_above_nil(temperatures):
    with pytest.raises(ValueError, match=r"temperatures is .*expected numbers above 0"):
        Scores(torch.zeros(1, 1, 3, 4), ("one",), temperatures)


@pytest.mark.parametrize("true", [0.1, 0.5, 2.0])
def test_the_temperature_that_made_the_labels_is_found(true):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20000, 4, generator=generator)
    probs = (logits / true).softmax(-1)
    labels = torch.multinomial(probs, 1, generator=generator)[:, 0]
    assert choose_temperature(logits, labels, [0.05, 0.1, 0.5, 2.0, 10.0]) == true


def test_temperature_by_hand():
    """Sure and wrong: the warmest; sure and right: the coldest; ties: the first."""
    logits, labels = torch.tensor([[5.0, 0.0]]), torch.tensor([0])
    assert choose_temperature(logits, labels, [2.0, 1.0, 3.0]) == 1.0
    assert choose_temperature(logits, 1 - labels, [2.0, 1.0, 3.0]) == 3.0
    assert choose_temperature(0 * logits, labels, [2.0, 1.0, 3.0]) == 2.0
