"""The training loop of every model: steps, precision, progress, histories, checks, going on."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, runtime_checkable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim.lr_scheduler import LRScheduler

from msf_kedro import runtime
from msf_kedro.progress import Progress, progress

logger = logging.getLogger(__name__)

Loss = Callable[..., dict[str, Tensor]]
Row = dict[str, int | float]
LearningRate = Annotated[float, Field(gt=0, le=1e38)]  # single precision holds no larger number
State = dict[str, Any]


@runtime_checkable
class Checkpoint(Protocol):
    """Where a training keeps its state, so that one that broke off can go on."""

    def load(self) -> State | None:
        """The state that was saved last, on the CPU; None if there is none."""

    def save(self, state: State) -> None:
        """Keep a state in place of the last one.

        Args:
            state: tensors and plain values in dictionaries and lists. The training changes them
                afterwards, but for the items of the list `kept`, which only grows.
        """


@dataclass(frozen=True)
class Resumable:
    """What a training must keep, beside its network and optimiser, to go on as if never broken off.

    Attributes:
        checkpoint: where it is kept; None: nowhere.
        generators: all that the epochs draw random numbers from.
        kept: the list to which `after_epoch` adds tensors and plain values.
    """

    checkpoint: Checkpoint | None
    generators: list[torch.Generator]
    kept: list[Any] = field(default_factory=list)

    def save(self, parts: Mapping[str, Any], history: list[Row]) -> None:
        """Keep the state of the parts, each with a `state_dict`, and of all else."""
        if self.checkpoint:
            state = {name: dict(part.state_dict()) for name, part in parts.items()}
            numbers = [generator.get_state() for generator in self.generators]
            self.checkpoint.save(
                state | {"generators": numbers, "kept": self.kept, "history": history}
            )

    def restore(self, parts: Mapping[str, Any]) -> list[Row]:
        """Bring the parts and all else to the state that is kept; the history so far."""
        state = self.checkpoint.load() if self.checkpoint else None
        if state is None:
            return []
        for name, part in parts.items():
            part.load_state_dict(state[name])
        for generator, numbers in zip(self.generators, state["generators"], strict=True):
            generator.set_state(numbers)
        self.kept[:] = state["kept"]
        return list(state["history"])


def fit(
    name: str,
    network: nn.Module,
    loss: Loss,
    epochs: Iterable[Iterable],
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler | None = None,
    after_epoch: Callable[[int], dict[str, float]] = lambda epoch: {},
    replicas: int = 1,
    resumable: Resumable | None = None,
    count: int | None = None,
    unit: str = "epoch",
) -> list[Row]:
    """Minimise a loss over epochs of batches.

    Args:
        name: what is trained, for progress and errors.
        network: what is trained.
        loss: called with the parts of a batch; returns `loss`, the scalar to minimise, and
            further figures that the history averages over the epoch.
        epochs: the epochs, each an iterable of batches (tuples). A training that goes on passes
            over those that are done: they must not draw random numbers before they are iterated.
        optimizer: holds the parameters and the learning rate.
        schedule: changes the optimiser's learning rate after each step; None keeps it.
        after_epoch: called with the epoch's number, from 1, for further figures of the history.
        replicas: how many models' losses `loss` adds up; the history has their mean.
        resumable: how it goes on where an earlier training broke off, to the same weights and
            history but for `seconds`; None: it does not. The state is kept after every epoch but
            the last, behind which comes the result.
        count: how many epochs there are, for progress; None if nobody knows.
        unit: what an epoch is called there.

    Returns:
        A row per epoch: `epoch`, the means of the loss's figures, `learning_rate` (the last),
        `seconds`, and what `after_epoch` gave.

    Raises:
        FloatingPointError: a figure of an epoch, a weight or a gradient is not finite.
    """
    device = next(network.parameters()).device
    parts = {"network": network, "optimizer": optimizer}
    parts |= {"schedule": schedule} if schedule else {}
    resumable = resumable or Resumable(None, [])
    history = resumable.restore(parts)
    done = len(history)
    if done:
        logger.info("%s: goes on after epoch %d, where an earlier run broke off", name, done)
    started = time.perf_counter()
    with progress(name, count, unit, done) as shown:
        for number, batches in enumerate(epochs, 1):
            if number <= done:
                continue
            if number > done + 1:
                resumable.save(parts, history)
            figures, losses = _run_epoch(loss, batches, optimizer, schedule, device, shown)
            row = {"epoch": number} | figures
            row["loss"] /= replicas
            _check_finite(name, row | _largest(network), losses)
            row |= after_epoch(number)
            _check_finite(name, row, losses)
            history.append(row)
            shown.advance(loss=row["loss"])
    seconds = time.perf_counter() - started
    trained = len(history) - done
    logger.debug("%s: %d epochs in %.1f s, %s", name, trained, seconds, _describe(history[-1]))
    return history


def _run_epoch(
    loss, batches, optimizer, schedule, device, shown: Progress
) -> tuple[dict[str, float], list[Tensor]]:
    """Means of the loss's figures, and the loss of every step."""
    totals: dict[str, Tensor] = {}
    losses: list[Tensor] = []
    started = time.perf_counter()
    for batch in batches:
        optimizer.zero_grad(set_to_none=True)
        with runtime.autocast(device):
            figures = loss(*batch)
        figures["loss"].backward()
        optimizer.step()
        rate = optimizer.param_groups[0]["lr"]
        if schedule:
            schedule.step()
        shown.tick()
        losses.append(figures["loss"].detach())  # on the device: no wait at every step
        for key, value in figures.items():
            totals[key] = totals.get(key, 0) + value.detach().float()
    means = {key: (total / len(losses)).item() for key, total in totals.items()}
    return means | {"learning_rate": rate, "seconds": time.perf_counter() - started}, losses


def _largest(network: nn.Module) -> dict[str, float]:
    """Size of the largest weight, running statistics included, and gradient of the last step."""
    weights = [value for value in network.state_dict().values() if value.is_floating_point()]
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    sizes = [get_total_norm(tensors, math.inf) for tensors in (weights, gradients)]
    return dict(
        zip(("largest weight", "largest gradient"), torch.stack(sizes).tolist(), strict=True)
    )


def _check_finite(name: str, row: Row, losses: list[Tensor]) -> None:
    """Raise a FloatingPointError if a figure of an epoch is not finite."""
    if all(map(math.isfinite, row.values())):
        return
    finite = torch.stack(losses).isfinite().tolist()
    step = f" from step {finite.index(False) + 1} of {len(finite)} on" if False in finite else ""
    epoch, rate = row["epoch"], row["learning_rate"]
    good = f"epoch {epoch - 1} is the last good one" if epoch > 1 else "no epoch was good"
    raise FloatingPointError(
        f"{name}: what epoch {epoch} gives{step}, at learning rate {rate:.3g}, is not finite:"
        f" {_describe(row, '.4g')}; {good}; lower the learning rate, with which the training starts"
        " anew, or check the input"
    )


def _describe(row: Row, form: str = ".4f") -> str:
    hidden = {"epoch", "seconds", "learning_rate"}
    return ", ".join(f"{key} {value:{form}}" for key, value in row.items() if key not in hidden)
