"""The training loop of every model: optimiser steps, precision, progress, histories, checks."""

import logging
import math
import time
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler
from tqdm.auto import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from msf_kedro import runtime

logger = logging.getLogger(__name__)

Loss = Callable[..., dict[str, Tensor]]
Row = dict[str, int | float]


def fit(
    name: str,
    loss: Loss,
    epochs: Iterable[Iterable],
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler | None = None,
    after_epoch: Callable[[int], dict[str, float]] = lambda epoch: {},
    replicas: int = 1,
) -> list[Row]:
    """Minimise a loss over epochs of batches.

    Args:
        name: what is trained, for progress and errors.
        loss: called with the parts of a batch; returns `loss`, the scalar to minimise, and
            further figures that the history averages over the epoch.
        epochs: the epochs, each an iterable of batches (tuples).
        optimizer: holds the parameters and the learning rate.
        schedule: changes the optimiser's learning rate after each step; None keeps it.
        after_epoch: called with the epoch's number, from 1, for further figures of the history.
        replicas: how many models' losses `loss` adds up; the history has their mean.

    Returns:
        A row per epoch: `epoch`, the means of the loss's figures, `learning_rate` (the last),
        `seconds`, and what `after_epoch` gave.

    Raises:
        FloatingPointError: the loss of an epoch is not finite.
    """
    device = optimizer.param_groups[0]["params"][0].device
    history = []
    started = time.perf_counter()
    with logging_redirect_tqdm():
        progress = tqdm(epochs, desc=name, unit="epoch", disable=None, leave=False)
        for number, batches in enumerate(progress, 1):
            row = {"epoch": number} | _run_epoch(loss, batches, optimizer, schedule, device)
            row["loss"] /= replicas
            if not math.isfinite(row["loss"]):
                raise FloatingPointError(
                    f"{name}: the loss is {row['loss']} in epoch {number} at learning rate"
                    f" {row['learning_rate']:.3g}; lower the learning rate or check the input"
                )
            history.append(row | after_epoch(number))
            progress.set_postfix(loss=f"{row['loss']:.4f}")
    seconds = time.perf_counter() - started
    logger.info("%s: %d epochs in %.1f s, %s", name, len(history), seconds, _describe(history[-1]))
    return history


def _run_epoch(loss, batches, optimizer, schedule, device) -> dict[str, float]:
    totals: dict[str, Tensor] = {}
    steps = 0
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
        steps += 1
        for key, value in figures.items():  # summed on the device: no wait at every step
            totals[key] = totals.get(key, 0) + value.detach().float()
    means = {key: (total / steps).item() for key, total in totals.items()}
    return means | {"learning_rate": rate, "seconds": time.perf_counter() - started}


def _describe(row: Row) -> str:
    hidden = {"epoch", "seconds", "learning_rate"}
    return ", ".join(f"{key} {value:.4f}" for key, value in row.items() if key not in hidden)
