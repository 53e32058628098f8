"""What ridge, ReViSE and JPoSE share: one latent a class, and the class of the nearest one wins.

Also what the two that are trained share: a hinge between clips and classes, and models kept at
equal intervals of the training, which are their candidates.
"""

from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, ClassVar

import torch
from jaxtyping import Float, Int
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from msf_kedro import runtime
from msf_kedro.configuration import configuration
from msf_kedro.methods.contract.candidates import train_candidates
from msf_kedro.methods.contract.fitted import Classifier, Fitted, Latents
from msf_kedro.methods.contract.task import Task
from msf_kedro.networks import training
from msf_kedro.texts.fusion import Texts


class Nearest(Fitted):
    """A method whose classes have one latent each; a clip's logits are its inner products."""

    SKELETON = "skeleton"

    def classifier(
        self, latents: Latents, device: torch.device, name: str = ""
    ) -> tuple[Classifier, list[training.Row]]:
        weight = latents.values[..., 0, :].mT
        bias = torch.zeros_like(weight[..., :1, :])
        temperatures = list(self.config.temperatures)
        fitted = self.skeleton_side()
        classifier = Classifier(fitted, latents.class_ids, weight, bias, False, temperatures)
        return classifier, [{"epoch": 1, "seconds": 0.0}]  # nothing is trained


@configuration
class RankingConfig:
    """How a ranking network is trained.

    Attributes:
        margin: of the hinge losses.
        batch_size: clips per step; all of them where they are fewer.
        learning_rate: of Adam.
        steps: optimiser steps.
        checkpoints: how many models are kept, at equal intervals of the training.
        temperatures: of the soft-max over inner products, to choose from on calibration clips.
    """

    margin: PositiveFloat
    batch_size: PositiveInt
    learning_rate: training.LearningRate
    steps: PositiveInt
    checkpoints: PositiveInt
    temperatures: Annotated[list[PositiveFloat], Field(min_length=1)]

    def __post_init__(self):
        if self.steps % self.checkpoints:
            raise ValueError(
                f"steps is {self.steps}, expected a multiple of checkpoints, {self.checkpoints}"
            )


class Ranking(Nearest):
    """A network that embeds clips and texts, trained so that clips rank their class first.

    Its candidates are the checkpoints.
    """

    # Called with the widths of the skeleton's and each text's inputs, a generator per replica, and
    # the config. All that it needs for clips is in parameters whose names start with `skeleton`,
    # all for texts in those that start with `text`.
    Network: ClassVar[type[nn.Module]]
    RANDOM: ClassVar[str]  # names the random numbers of weights and batches

    @staticmethod
    @abstractmethod
    def loss(
        network: nn.Module,
        skeletons: Float[Tensor, "R B D"],
        labels: Int[Tensor, "R B"],
        texts: list[Float[Tensor, "S _"]],
        config: Any,
    ) -> dict[str, Float[Tensor, " R"]]:
        """All terms of one step, and their weighted sum `loss`."""

    @staticmethod
    @abstractmethod
    def skeleton_inputs(features: Float[Tensor, "n D"]) -> Float[Tensor, "n D"]:
        """Features as they enter the network."""

    @classmethod
    def fit(
        cls,
        task: Task,
        seeds: list[int],
        config: RankingConfig,
        device: torch.device,
        name: str = "",
        checkpoint: training.Checkpoint | None = None,
    ) -> tuple[Fitted, list[training.Row]]:
        texts = [seen.to(device) for seen in cls.inputs(task.seen)]
        features, labels = cls.skeleton_inputs(task.features).to(device), task.labels.to(device)
        generators = [runtime.generator(seed, cls.RANDOM) for seed in seeds]
        widths = [features.shape[1], *(seen.shape[1] for seen in texts)]
        network = cls.Network(widths, generators, config).to(device)

        interval = config.steps // config.checkpoints

        def batches() -> Iterator[tuple[Tensor]]:
            for _ in range(interval):
                picks = [
                    torch.randperm(len(features), generator=g)[: config.batch_size]
                    for g in generators
                ]
                yield (torch.stack(picks).to(device),)

        def loss(batch: Int[Tensor, "R B"]) -> dict[str, Tensor]:
            return cls.loss(network, features[batch], labels[batch], texts, config)

        epochs = (batches() for _ in range(config.checkpoints))
        models, history = train_candidates(
            *(name, network, loss, epochs, config.learning_rate, generators, checkpoint),
            count=config.checkpoints,
        )
        candidates = [f"step {interval * number}" for number in range(1, config.checkpoints + 1)]
        return cls._of(task, seeds, config, candidates, {}, models), history

    def project(self, features: Float[Tensor, "n D"], candidate: int) -> Float[Tensor, "R n Z"]:
        clips = self.skeleton_inputs(features).expand(len(self.seeds), -1, -1)
        return self._skeleton_networks[candidate].embed_skeletons(clips)

    @cached_property
    def _skeleton_networks(self) -> list[nn.Module]:
        return [self._network(place, "skeleton") for place in range(len(self.about["candidates"]))]

    def latents(self, texts: Texts) -> Latents:
        inputs = [t.expand(len(self.seeds), -1, -1) for t in self.inputs(self.check_texts(texts))]
        embedded = [
            self._network(candidate, "text").embed_texts(inputs)
            for candidate in range(len(self.about["candidates"]))
        ]
        return Latents(texts.class_ids, torch.stack(embedded)[..., None, :])

    def _network(self, candidate: int, side: str) -> nn.Module:
        """The network of a candidate, complete on the side that is named."""
        skeleton, *texts = self.about["widths"].values()
        widths = [skeleton, *texts] if self.APART else [skeleton, sum(texts)]
        network = self.Network(widths, [torch.Generator() for _ in self.seeds], self.config)
        state = {name: tensor[candidate] for name, tensor in self.models.items()}
        missing, _ = network.load_state_dict(state, strict=False)
        if absent := [name for name in missing if name.startswith(side)]:
            raise ValueError(f"{self.about['method']}: its weights {absent} are not there")
        return network.requires_grad_(False)


def multi_class_hinge(
    similarities: Float[Tensor, "R B S"], labels: Int[Tensor, "R B"], margin: float
) -> Float[Tensor, " R"]:
    """How far every other class comes within the margin of a clip's own class or beyond it.

    Summed over classes, averaged over clips (Weston and Watkins, 1999).
    """
    own = similarities.gather(-1, labels[..., None])
    excess = (margin + similarities - own).relu()
    return (excess.sum(-1) - margin).mean(-1)  # the own class's excess is the margin
