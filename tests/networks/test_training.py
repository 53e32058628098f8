"""The training loop: histories, learning rates, checks."""

import logging
import math

import pytest
import torch
from support.breaking import BrokenOffError, Checkpoint, in_pieces, without_seconds

from msf_kedro.networks.training import Checkpoint as Protocol
from msf_kedro.networks.training import Resumable, fit


class Number(torch.nn.Module):
    """One number, 0 at first."""

    def __init__(self):
        super().__init__()
        self.number = torch.nn.Parameter(torch.tensor(0.0))


def quadratic(values: list[list[float]], factor=None, lr: float = 0.1, **more):
    """Fit one number to numbers by plain gradient descent; `factor` scales a step's rate."""
    network = Number()
    number = network.number
    optimizer = torch.optim.SGD([number], lr=lr)
    schedule = factor and torch.optim.lr_scheduler.LambdaLR(optimizer, factor)

    def loss(target, weight):
        return {"loss": weight * (number - target) ** 2, "target": target}

    epochs = [[(torch.tensor(v), 1.0) for v in epoch] for epoch in values]
    return number, fit("toy", network, loss, epochs, optimizer, schedule, **more)


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


# --- what is not finite ---

LAST = r"; epoch 1 is the last good one; lower the learning rate, with which the training starts "


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_with_epoch_step_terms_and_rate(bad):
    where = r"^toy: what epoch 2 gives from step 2 of 3 on, at learning rate 0\.1, is not finite: "
    terms = rf"loss (nan|inf), target {bad}, largest weight nan, largest gradient (nan|inf)"
    with pytest.raises(FloatingPointError, match=where + terms + LAST):
        quadratic([[1.0], [1.0, bad, 1.0], [1.0]])


def test_the_first_epoch_may_be_bad_already():
    with pytest.raises(FloatingPointError, match=r"epoch 1 .* no epoch was good; lower the learn"):
        quadratic([[math.nan]])


def trained(loss, epochs: int = 3, lr: float = 0.1, buffer: float = 0.0, **more):
    """Fit a number that has a buffer beside it, a step an epoch."""
    network = Number()
    network.register_buffer("statistic", torch.tensor(buffer))
    optimizer = torch.optim.SGD(network.parameters(), lr=lr)
    steps = ([(number,)] for number in range(1, epochs + 1))
    return fit("toy", network, lambda step: loss(network, step), steps, optimizer, **more)


def square(network, step):
    return {"loss": (network.number - 1) ** 2}


def test_a_term_that_is_not_finite_stops():
    def with_a_term(network, step):
        return square(network, step) | {"term": torch.tensor(math.inf if step == 2 else 1.0)}

    with pytest.raises(FloatingPointError, match=r"what epoch 2 gives, at .* term inf.*" + LAST):
        trained(with_a_term)


def test_a_gradient_that_is_not_finite_stops():
    """A root whose value is finite where its slope is not; nothing else has gone wrong yet."""

    def root(network, step):
        network.number.data.zero_()
        return {"loss": network.number.sqrt() if step == 2 else network.number * 2}

    with pytest.raises(FloatingPointError, match=r"loss 0, .*largest gradient inf"):
        trained(root)


def test_a_weight_that_is_not_finite_stops():
    """Loss and gradient of the last step are those before the weight ran away."""
    with pytest.raises(FloatingPointError, match=r"loss 1, largest weight inf, largest gr.* 2;"):
        trained(square, lr=3e38)


def test_a_running_statistic_that_is_not_finite_stops():
    with pytest.raises(FloatingPointError, match="largest weight nan"):
        trained(square, buffer=math.nan)


def test_a_held_out_figure_that_is_not_finite_stops():
    def held_out(epoch):
        return {"held_out_loss": math.nan if epoch == 2 else 1.0}

    with pytest.raises(FloatingPointError, match=r"epoch 2 gives, at .*held_out_loss nan" + LAST):
        trained(square, after_epoch=held_out)


def test_large_numbers_are_no_reason_to_stop():
    """Single precision does not hold their squares."""

    def large(network, step):
        return {"loss": network.number * 1e25}

    assert len(trained(large, lr=1e-13)) == 3


def test_the_last_good_state_is_kept():
    checkpoint = Checkpoint()

    def keep(epoch):
        if epoch == 3:
            return {"held_out_loss": math.nan}
        return {}

    with pytest.raises(FloatingPointError, match="epoch 2 is the last good one"):
        trained(square, after_epoch=keep, resumable=Resumable(checkpoint, []))
    assert [row["epoch"] for row in checkpoint.load()["history"]] == [1, 2]


def test_the_end_is_logged(caplog):
    with caplog.at_level(logging.DEBUG, logger="msf_kedro.networks.training"):
        quadratic([[1.0], [1.0]])
    assert "toy: 2 epochs in" in caplog.text
    assert "target 1.0000" in caplog.text
    assert "learning_rate" not in caplog.text


# --- going on after a break ---


def noisy(checkpoint: Checkpoint | None, breaks_in: int | None = None, epochs: int = 4):
    """Fit a number to random ones with Adam, and keep it after every epoch.

    `breaks_in` is the epoch whose last step fails.
    """
    network, generator = Number(), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 5, gamma=0.5)
    drawn, kept = [], []

    def epoch(number):
        drawn.append(number)
        for step in range(3):
            if (number, step) == (breaks_in, 2):
                raise BrokenOffError
            yield (torch.randn(2, generator=generator),)

    def loss(targets):
        return {"loss": (network.number - targets).square().mean(), "first": targets[0]}

    def keep(number):
        kept.append({"number": network.number.detach().clone()})
        return {"epochs_kept": float(len(kept))}

    resumable = Resumable(checkpoint, [generator], kept)
    batches = (epoch(number) for number in range(1, epochs + 1))
    history = fit("toy", network, loss, batches, optimizer, schedule, keep, resumable=resumable)
    return network.number.item(), kept, without_seconds(history), drawn, generator.get_state()


WHOLE = noisy(None)


def same(found: tuple, expected: tuple = WHOLE) -> None:
    assert found[:3] == expected[:3]
    assert torch.equal(found[-1], expected[-1]), "the generators are where they would be"


def test_a_checkpoint_is_what_the_protocol_says():
    assert isinstance(Checkpoint(), Protocol)
    assert not isinstance(torch.nn.Identity(), Protocol)


def test_a_training_that_is_kept_is_the_same():
    checkpoint = Checkpoint()
    same(noisy(checkpoint))
    assert checkpoint.saved == 3


@pytest.mark.parametrize("epoch", range(1, 4))
def test_it_goes_on_after_any_epoch_to_the_same_end(epoch):
    checkpoint = Checkpoint(lasts=epoch)
    with pytest.raises(BrokenOffError):
        noisy(checkpoint)
    found = noisy(checkpoint)
    same(found)
    assert found[3] == list(range(epoch + 1, 5)), "what is done is not done again"


@pytest.mark.parametrize("epoch", range(1, 5))
def test_an_epoch_that_breaks_off_in_the_middle_is_done_again(epoch):
    checkpoint = Checkpoint()
    with pytest.raises(BrokenOffError):
        noisy(checkpoint, breaks_in=epoch)
    assert checkpoint.saved == epoch - 1
    found = noisy(checkpoint)
    same(found)
    assert found[3] == list(range(epoch, 5))


def test_it_may_break_off_again_and_again():
    found, breaks = in_pieces(noisy)
    same(found)
    assert breaks == 3


def test_without_the_state_it_would_end_elsewhere():
    """So that the equalities above are not those of a constant."""
    checkpoint = Checkpoint(lasts=2)
    with pytest.raises(BrokenOffError):
        noisy(checkpoint)
    state = checkpoint.load()
    for change in ("network", "optimizer", "schedule", "generators", "kept", "history"):
        changed = Checkpoint()
        changed.save(state | {change: fresh(change, state)})
        found = noisy(changed)
        assert found[:3] != WHOLE[:3], change


def fresh(part: str, state: dict):
    """A part of a state as it is at the start of a training, or otherwise wrong."""
    start = Checkpoint(lasts=1)
    with pytest.raises(BrokenOffError):
        noisy(start)
    return state[part][:1] if part in ("kept", "history") else start.load()[part]


def test_that_it_goes_on_is_logged(caplog):
    checkpoint = Checkpoint(lasts=3)
    with pytest.raises(BrokenOffError):
        noisy(checkpoint)
    with caplog.at_level(logging.DEBUG, logger="msf_kedro.networks.training"):
        noisy(checkpoint)
    assert "toy: goes on after epoch 3" in caplog.text
    assert "toy: 1 epochs in" in caplog.text
