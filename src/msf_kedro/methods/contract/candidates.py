"""Training whose every epoch leaves a candidate."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from msf_kedro.networks import training


def train_candidates(
    name: str,
    network: nn.Module,
    loss: Callable[..., dict[str, Tensor]],
    epochs: Iterable[Iterable[tuple]],
    learning_rate: float,
    replicas: int,
) -> tuple[dict[str, Tensor], list[training.Row]]:
    """Train all replicas of a network with Adam.

    Args:
        name: for progress and errors.
        network: with a leading replica axis.
        loss: called with the parts of a batch; gives figures of every replica, `loss` among them.
        epochs: the epochs, each an iterable of batches.

    Returns:
        The weights after every epoch, on the CPU, stacked as `(Y, R, ...)`; the history with a row
        per epoch, averaged over replicas.
    """

    def summed(*batch) -> dict[str, Tensor]:
        figures = loss(*batch)
        means = {key: value.mean() for key, value in figures.items()}
        return means | {"loss": figures["loss"].sum()}  # replicas must not share their gradient

    kept: list[dict[str, Tensor]] = []

    def keep(_: int) -> dict[str, float]:
        state = network.state_dict()
        kept.append({key: value.detach().cpu().clone() for key, value in state.items()})
        return {}

    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate, fused=True)
    history = training.fit(name, summed, epochs, optimizer, after_epoch=keep, replicas=replicas)
    return {key: torch.stack([state[key] for state in kept]) for key in kept[0]}, history
