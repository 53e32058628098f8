"""The training loop: histories, schedules, checks."""

import logging
import math

import pytest
import torch

from msf_kedro.networks.training import cosine_with_warmup, divide_at, fit


def quadratic(values: list[list[float]], schedule=lambda step: 1.0, lr: float = 0.1, **more):
    """Fit one number to numbers, plain gradient descent."""
    number = torch.nn.Parameter(torch.tensor(0.0))
    optimizer = torch.optim.SGD([number], lr=lr)

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


def test_the_schedule_counts_steps_and_scales_the_rate():
    seen = []

    def schedule(step):
        seen.append(step)
        return 1 / (step + 1)

    number, history = quadratic([[1.0, 1.0], [1.0, 1.0]], schedule, lr=0.1)
    assert sorted(set(seen)) == [0, 1, 2, 3, 4]
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


def test_cosine_with_warmup_values():
    factor = cosine_with_warmup(steps=14, warmup=4)
    assert [factor(step) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert factor(9) == pytest.approx(0.5)
    assert factor(14) == pytest.approx(0)
    later = [factor(step) for step in range(4, 15)]
    assert later == sorted(later, reverse=True)
    assert cosine_with_warmup(steps=2, warmup=0)(0) == 1


def test_divide_at_milestones():
    factor = divide_at([30, 10])
    assert [factor(step) for step in (0, 9, 10, 29, 30, 99)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01, 0.01]
    )
    assert divide_at([1], divisor=2.0)(1) == 0.5
    assert divide_at([])(5) == 1
