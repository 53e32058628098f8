"""Stage 1: train a Shift-GCN on seen classes; take features and seen logits of any clips."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt
from torch import Tensor
from torch.optim import lr_scheduler

from msf_kedro import runtime
from msf_kedro.clips.augment import AugmentConfig, augment
from msf_kedro.clips.layouts import Layout
from msf_kedro.clips.store import Skeletons
from msf_kedro.clips.streams import STREAMS, to_stream
from msf_kedro.configuration import configuration
from msf_kedro.networks import training
from msf_kedro.networks.padded_shift_gcn import PaddedShiftGCN
from msf_kedro.networks.shift_gcn import ShiftGCN, SpatialShiftConv
from msf_kedro.progress import progress

BATCH, CPU_BATCH = 256, 16  # clips whose features are taken at once; more leave a core's caches


@configuration
class ShiftGCNTraining:
    """How a Shift-GCN is trained: SGD with Nesterov momentum.

    Attributes:
        epochs: passes over the training clips.
        batch_size: clips per step.
        learning_rate: of the first step after the warm-up.
        warmup_epochs: linear warm-up at the start.
        milestones: epochs after which the rate is divided by 10; empty for a cosine decay to 0.
        weight_decay: of all weights except the masks and those of the graph convolutions.
        graph_weight_decay: of the graph convolutions' linear weights; masks have none.
    """

    epochs: PositiveInt
    batch_size: PositiveInt
    learning_rate: training.LearningRate
    warmup_epochs: NonNegativeInt
    milestones: list[PositiveInt]
    weight_decay: NonNegativeFloat
    graph_weight_decay: NonNegativeFloat

    def __post_init__(self):
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"warmup_epochs is {self.warmup_epochs}, expected fewer than the {self.epochs}"
                " epochs"
            )


@configuration
class StreamsConfig:
    """The weight of each stream in the fused features and logits; 0 turns a stream off."""

    joint: NonNegativeFloat
    bone: NonNegativeFloat
    joint_motion: NonNegativeFloat
    bone_motion: NonNegativeFloat

    def __post_init__(self):
        if not self.active():
            raise ValueError("all streams have weight 0, expected one above 0")

    def weight(self, stream: str) -> float:
        return getattr(self, stream)

    def active(self) -> list[str]:
        return [stream for stream in STREAMS if self.weight(stream)]


@dataclass(frozen=True)
class LabelledClips:
    """Clips as places in the skeletons, with their class indices."""

    clips: Int[Tensor, " n"]
    labels: Int[Tensor, " n"]


def train(
    name: str,
    network: ShiftGCN,
    skeletons: Skeletons,
    stream: str,
    layout: Layout,
    clips: LabelledClips,
    held_out: LabelledClips,
    config: ShiftGCNTraining,
    augmentation: AugmentConfig,
    generator: torch.Generator,
    checkpoint: training.Checkpoint | None = None,
) -> list[training.Row]:
    """Train the network in place; the history has a row per epoch with accuracies as fractions.

    With a checkpoint it goes on after the last epoch whose state that holds.
    """
    device = network.classifier.weight.device

    def epoch() -> Iterator[tuple]:
        order = torch.randperm(len(clips.clips), generator=generator)
        for chosen in order.split(config.batch_size):
            batch = skeletons.batch(clips.clips[chosen])
            bodies, clip, person = (part.to(device) for part in batch)
            bodies = to_stream(augment(bodies, clip, augmentation, generator), stream, layout)
            yield bodies, clip, person, clips.labels[chosen].to(device)

    def loss(bodies, clip, person, target):
        logits, _ = network(bodies, clip, person)
        error = F.cross_entropy(logits, target)
        return {"loss": error, "accuracy": (logits.argmax(1) == target).float().mean()}

    def epochs() -> Iterator[Iterator[tuple]]:
        for _ in range(config.epochs):
            network.train()
            yield epoch()

    def monitor(epoch: int) -> dict[str, float]:
        if not len(held_out.clips):
            return {}
        logits, _ = extract(network, skeletons, stream, layout, held_out.clips)
        error = F.cross_entropy(logits, held_out.labels)
        accuracy = (logits.argmax(1) == held_out.labels).float().mean()
        return {"held_out_loss": error.item(), "held_out_accuracy": accuracy.item()}

    optimizer = _optimizer(network, config)
    schedule = _schedule(optimizer, config, steps=-(-len(clips.clips) // config.batch_size))
    resumable = training.Resumable(checkpoint, [generator])
    return training.fit(
        *(name, network, loss, epochs(), optimizer, schedule, monitor),
        resumable=resumable,
        count=config.epochs,
    )


@torch.inference_mode()
def extract(
    network: ShiftGCN | PaddedShiftGCN,
    skeletons: Skeletons,
    stream: str,
    layout: Layout,
    clips: Int[Tensor, " n"],
    batch_size: int | None = None,
) -> tuple[Float[Tensor, "n K"], Float[Tensor, "n D"]]:
    """Logits and features of clips, in evaluation mode, on the CPU.

    Args:
        clips: their places in the skeletons.
        batch_size: clips at once; None: as many as are fastest on the device.
    """
    network.eval()
    device = next(network.parameters()).device
    batch_size = batch_size or (CPU_BATCH if device.type == "cpu" else BATCH)
    answer = network.of_bodies if isinstance(network, PaddedShiftGCN) else network
    outputs = []
    with progress(f"Shift-GCN, {stream}", len(clips), "clip") as shown:
        for chosen in clips.split(batch_size):
            bodies, clip, person = (part.to(device) for part in skeletons.batch(chosen))
            with runtime.autocast(device):
                outputs.append(answer(to_stream(bodies, stream, layout), clip, person))
            shown.advance(len(chosen))
    logits, features = (torch.cat(part).float().cpu() for part in zip(*outputs, strict=True))
    return logits, features


def extract_tables(
    saved: dict[str, Any],
    layout: Layout,
    skeletons: Skeletons,
    names: pd.Index,
    device: torch.device,
    padded: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features and logits of clips by a saved network, indexed by the clips' names.

    Args:
        saved: `architecture`, `class_ids`, `stream` and `state` of the network.
        layout: of the clips that it was trained on.
        padded: whether absent bodies count, as in the release.
    """
    classes = pd.Index(saved["class_ids"], name="class_id")
    network = ShiftGCN.from_state(saved["architecture"], len(classes), saved["state"])
    logits, features = extract(
        (PaddedShiftGCN(network) if padded else network).to(device),
        skeletons,
        saved["stream"],
        layout,
        skeletons.places(names),
    )
    return (
        pd.DataFrame(features.numpy(), names).add_prefix("f"),
        pd.DataFrame(logits.numpy(), names, classes),
    )


def fuse_streams(
    parts: dict[str, pd.DataFrame], streams: StreamsConfig, normalise: bool
) -> pd.DataFrame:
    """Weighted sum of the active streams' tables, or weighted mean if `normalise`."""
    total = sum(streams.weight(stream) for stream in parts) if normalise else 1.0
    return sum(streams.weight(stream) / total * part for stream, part in parts.items())


def _optimizer(network: ShiftGCN, config: ShiftGCNTraining) -> torch.optim.SGD:
    convolutions = [m for m in network.modules() if isinstance(m, SpatialShiftConv)]
    masks = [module.mask for module in convolutions]
    graph = [module.weight for module in convolutions]
    special = {id(parameter) for parameter in (*masks, *graph)}
    others = [p for p in network.parameters() if id(p) not in special]
    decays = (config.weight_decay, others), (config.graph_weight_decay, graph), (0.0, masks)
    groups = [{"params": weights, "weight_decay": decay} for decay, weights in decays]
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9, nesterov=True)


def _schedule(
    optimizer: torch.optim.Optimizer, config: ShiftGCNTraining, steps: int
) -> lr_scheduler.LRScheduler:
    """The learning rate of every step, with `steps` steps an epoch."""
    warmup, end = config.warmup_epochs * steps, config.epochs * steps
    if config.milestones:
        later = lr_scheduler.MultiStepLR(optimizer, [epoch * steps for epoch in config.milestones])
    else:
        later = lr_scheduler.CosineAnnealingLR(optimizer, end - warmup)
    if not warmup:
        return later
    first = lr_scheduler.LinearLR(optimizer, 1 / warmup, total_iters=warmup - 1)
    if config.milestones:  # they count from the first step
        return lr_scheduler.ChainedScheduler([first, later])
    return lr_scheduler.SequentialLR(optimizer, [first, later], [warmup])
