"""The multi-class hinge by hand, and training with check-points."""

import dataclasses

import pytest
import torch
from support.toy import REVISE
from torch import nn

from msf_kedro.methods.contract.ranking import multi_class_hinge, train_checkpoints


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

    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.zeros(1))


@pytest.mark.parametrize(("batch_size", "expected"), [(4, 4), (1024, 10)])
def test_checkpoints_lie_at_equal_intervals_and_batches_hold_different_clips(batch_size, expected):
    config = dataclasses.replace(
        REVISE, steps=6, checkpoints=3, learning_rate=0.5, batch_size=batch_size
    )
    model, batches = Counter(), []

    def loss(batch):
        batches.append(batch)
        return {"loss": -model.value}

    found = train_checkpoints(
        "toy",
        model,
        loss,
        lambda: model.value.clone().reshape(1, 1, 1),
        clips=10,
        generators=[torch.Generator().manual_seed(0)],
        config=config,
    )
    torch.testing.assert_close(found.logits[:, 0, 0, 0], torch.tensor([1.0, 2.0, 3.0]))
    assert found.candidates == ("step 2", "step 4", "step 6")
    assert found.temperatures == (0.5, 1.0)
    assert {tuple(batch.shape) for batch in batches} == {(1, expected)}
    assert all(len(set(batch[0].tolist())) == expected for batch in batches)
    assert not torch.equal(batches[0], batches[1])
