"""What a task must be."""

import dataclasses

import pytest
import torch


@pytest.mark.parametrize("label", [-1, 24])
def test_labels_without_a_text_are_refused(label, toy):
    task = toy.task("LB")
    labels = task.labels.clone()
    labels[3] = label
    with pytest.raises(ValueError, match=r"labels from .* expected rows of the 24 seen texts"):
        dataclasses.replace(task, labels=labels)


def test_a_task_without_training_clips_is_refused(toy):
    task = toy.task("LB")
    with pytest.raises(ValueError, match="no training clips"):
        dataclasses.replace(task, features=torch.zeros(0, 16), labels=task.labels[:0])
