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
    generators: list[torch.Generator],
    checkpoint: training.Checkpoint | None = None,
    count: int | None = None,
    unit: str = "epoch",
) -> tuple[dict[str, Tensor], list[training.Row]]:
    """Train all replicas of a network with Adam.

    Args:
        name: for progress and errors.
        network: with a leading replica axis.
        loss: called with the parts of a batch; gives figures of every replica, `loss` among them.
        epochs: the epochs, each an iterable of batches that draws nothing before it is iterated.
        generators: what they draw from, one per replica.
        checkpoint: where the state is kept after every epoch, and found by a training that goes on.
        count: how many epochs there are, for progress; None if nobody knows.
        unit: what an epoch is called there.

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
    history = training.fit(
        *(name, network, summed, epochs, optimizer),
        after_epoch=keep,
        replicas=len(generators),
        resumable=training.Resumable(checkpoint, generators, kept),
        count=count,
        unit=unit,
    )
    return {key: torch.stack([state[key] for state in kept]) for key in kept[0]}, history
