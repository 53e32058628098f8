"""The training loop: histories, learning rates, checks."""

import logging
import math

import pytest
import torch

from msf_kedro.networks.training import fit


def quadratic(values: list[list[float]], factor=None, lr: float = 0.1, **more):
    """Fit one number to numbers by plain gradient descent; `factor` scales a step's rate."""
    number = torch.nn.Parameter(torch.tensor(0.0))
    optimizer = torch.optim.SGD([number], lr=lr)
    schedule = factor and torch.optim.lr_scheduler.LambdaLR(optimizer, factor)

    def loss(target, weight):
        return {"loss": weight * (number - target) ** 2, "target": target}

    epochs = [[(torch.tensor(v), 1.0) for v in epoch] for epoch in values]
    return number, fit("toy", loss, epochs, optimizer, schedule, **more)


def test_history_rows_are_means_over_an_epochs_steps():
    number, history = quadratic([[1.0, 2.0], [3.0, 3.0, 3.0]], lr=0.5)  # jumps to the target
    assert number.item() == 3
    assert [row["epoch"] for row in history] == [1, 2]
    assert [row["loss"] for row in history] == pytest.approx([(1 + 1) / 2, (1 + 0 + 0) / 3])
    assert [row["target"] for row in history] == [1.5, 3.0]
    assert [row["learning_rate"] for row in history] == [0.5, 0.5]
    assert all(row["seconds"] > 0 for row in history)


def test_what_after_epoch_gives_joins_the_row():
    _, history = quadratic([[1.0]] * 3, after_epoch=lambda epoch: {"twice": 2.0 * epoch})
    assert [row["twice"] for row in history] == [2, 4, 6]


def test_the_schedule_moves_on_after_every_step():
    number, history = quadratic([[1.0, 1.0], [1.0, 1.0]], lambda step: 1 / (step + 1), lr=0.1)
    assert [row["learning_rate"] for row in history] == pytest.approx([0.1 / 2, 0.1 / 4])
    rest = math.prod(1 - 2 * 0.1 / (step + 1) for step in range(4))
    assert number.item() == pytest.approx(1 - rest)


def test_gradients_do_not_add_up_over_steps():
    number, _ = quadratic([[1.0] * 50], lr=0.4)
    assert number.item() == pytest.approx(1)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_with_model_and_epoch(bad):
    message = r"^toy: the loss is (nan|inf) in epoch 2 at learning rate 0\.1; lower the learning"
    with pytest.raises(FloatingPointError, match=message):
        quadratic([[1.0], [1.0, bad], [1.0]])


def test_the_end_is_logged(caplog):
    with caplog.at_level(logging.INFO, logger="msf_kedro.networks.training"):
        quadratic([[1.0], [1.0]])
    assert "toy: 2 epochs in" in caplog.text
    assert "target 1.0000" in caplog.text
    assert "learning_rate" not in caplog.text
