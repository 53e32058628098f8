"""What ReViSE and JPoSE share: a hinge of clips and classes, and training with check-points."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from msf_kedro.methods.contract.task import Scores
from msf_kedro.networks import training


def multi_class_hinge(
    similarities: Float[Tensor, "R B S"], labels: Int[Tensor, "R B"], margin: float
) -> Float[Tensor, " R"]:
    """How far every other class comes within the margin of a clip's own class or beyond it.

    Summed over classes, averaged over clips (Weston and Watkins, 1999).
    """
    own = similarities.gather(-1, labels[..., None])
    excess = (margin + similarities - own).relu()
    return (excess.sum(-1) - margin).mean(-1)  # the own class's excess is the margin


def train_checkpoints(
    name: str,
    model: nn.Module,
    loss: Callable[[Tensor], dict[str, Tensor]],
    score: Callable[[], Tensor],
    clips: int,
    generators: list[torch.Generator],
    config,
) -> Scores:
    """Train `R` replicas with Adam on random batches and score clips at equal intervals.

    Args:
        name: for progress and errors.
        model: on its device, with a leading replica axis.
        loss: called with the batch's clips `(R, B)`; gives figures of every replica, `loss`
            among them.
        score: gives logits `(R, m, U)` of the model as it is.
        clips: how many there are to train on; a batch holds all of them if they are fewer.
        generators: of every replica, for the batches.
        config: gives `steps`, `checkpoints`, `batch_size`, `learning_rate`, `temperatures`.
    """
    interval = config.steps // config.checkpoints
    device = next(model.parameters()).device

    def batches() -> Iterator[tuple[Tensor]]:
        for _ in range(interval):
            picks = [torch.randperm(clips, generator=g)[: config.batch_size] for g in generators]
            yield (torch.stack(picks).to(device),)

    def summed(batch: Int[Tensor, "R B"]) -> dict[str, Tensor]:
        figures = loss(batch)
        means = {key: value.mean() for key, value in figures.items()}
        return means | {"loss": figures["loss"].sum()}  # replicas must not share their gradient

    kept: list[Tensor] = []

    def keep(_: int) -> dict[str, float]:
        with torch.no_grad():
            kept.append(score().float().cpu())
        return {}

    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    epochs = (batches() for _ in range(config.checkpoints))
    training.fit(name, summed, epochs, optimizer, after_epoch=keep, replicas=len(generators))
    names = tuple(f"step {interval * number}" for number in range(1, len(kept) + 1))
    return Scores(torch.stack(kept), names, tuple(config.temperatures))


def check_training(section: str, config) -> None:
    """Raise a ValueError where the numbers that `train_checkpoints` reads are of no use."""
    if config.steps % config.checkpoints:
        raise ValueError(
            f"{section}.steps is {config.steps}, expected a multiple of {section}.checkpoints,"
            f" {config.checkpoints}"
        )
    if not config.temperatures or min(config.temperatures) <= 0:
        raise ValueError(
            f"{section}.temperatures is {config.temperatures}, expected numbers above 0"
        )
