"""What MSF, CADA-VAE and SynSE share: VAEs trained in cycles, drawn latents, a trained classifier.

Stages 2 and 3 of the MSF paper. Every function works on `R` seeds at once, and the models after
every cycle are kept: they are the candidates among which a protocol chooses.
"""

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from msf_kedro import runtime
from msf_kedro.configuration import configuration
from msf_kedro.methods.contract.candidates import train_candidates
from msf_kedro.methods.contract.fitted import Classifier, Fitted, Latents
from msf_kedro.methods.contract.task import Task
from msf_kedro.networks import training
from msf_kedro.networks.replicated import ReplicatedLinear
from msf_kedro.networks.softmax import cross_entropy
from msf_kedro.networks.vae import GAIN, draw
from msf_kedro.texts.fusion import Texts


@configuration
class GenerativeConfig:
    """VAEs, their training, and the unseen classifier (stage 3).

    Attributes:
        latent: dimensions `Z` of the latent space.
        cycles: how often the schedules run through; the models are kept after each.
        steps: optimiser steps per cycle, each on a random batch.
        batch_size: clips per step.
        learning_rate: of Adam.
        noise: `dimension` draws noise for every latent dimension (the textbook VAE), `sample`
            one number per sample that multiplies the whole sigma vector (the release).
        relu_outputs: whether a ReLU follows the decoders, as released.
        inputs: `standard` or `raw`, see `feature_map` and `text_map`; `raw` is the release.
        input_rms: root mean square per dimension of standard inputs over the training data.
        latents_per_class: latents drawn from the text of each class to classify.
        classifier_steps: full-batch steps of Adam that train the classifier.
        classifier_learning_rate: of these.
        relu_logits: whether a ReLU follows the classifier's logits, as released.
    """

    latent: PositiveInt
    cycles: PositiveInt
    steps: PositiveInt
    batch_size: PositiveInt
    learning_rate: training.LearningRate
    noise: Literal["dimension", "sample"]
    relu_outputs: bool
    inputs: Literal["standard", "raw"]
    input_rms: PositiveFloat
    latents_per_class: PositiveInt
    classifier_steps: PositiveInt
    classifier_learning_rate: training.LearningRate
    relu_logits: bool

    def __post_init__(self):
        if self.relu_outputs and self.inputs == "standard":
            raise ValueError(
                "relu_outputs cannot rebuild standard inputs, half of which are negative; set"
                " relu_outputs: false or inputs: raw"
            )

    @property
    def noise_width(self) -> int:
        """Numbers of noise per sample."""
        return self.latent if self.noise == "dimension" else 1


@configuration
class ScheduledConfig(GenerativeConfig):
    """The same with the release's schedules. Steps count from 0 within each cycle.

    Attributes:
        kl_slope: growth of the KL weights per step from their start on.
        skeleton_kl_from: step at which the skeleton's KL weight starts to grow.
        text_kl_from: step at which the texts' KL weight starts to grow.
        text_kl_first_cycle: the first cycle (from 1) in which it grows at all.
        cross_from: first step in which the cross reconstructions count, with weight 1.
    """

    kl_slope: NonNegativeFloat
    skeleton_kl_from: NonNegativeInt
    text_kl_from: NonNegativeInt
    text_kl_first_cycle: NonNegativeInt
    cross_from: NonNegativeInt

    def weights(self, cycle: int, step: int) -> tuple[float, float, float]:
        """Weights of the skeleton's KL, the texts' KL and the cross reconstruction at a step."""
        skeleton = self.kl_slope * max(0, step - self.skeleton_kl_from)
        text = self.kl_slope * max(0, step - self.text_kl_from)
        cross = float(step >= self.cross_from)
        return skeleton, text if cycle >= self.text_kl_first_cycle else 0.0, cross


class Generative(Fitted):
    """A method that draws the latents of a class from its texts and learns to tell classes apart.

    Its candidates are the cycles. A subclass says which network and loss it has, and which VAE
    reads which texts.
    """

    # Called with the widths of the skeleton's and each text's inputs, a generator per replica, and
    # the config. Its VAEs are `skeleton` and those that `TEXT_VAES` names.
    Network: ClassVar[type[nn.Module]]
    TEXT_VAES: ClassVar[tuple[str, ...]] = ("text",)
    RANDOM: ClassVar[str]  # names the random numbers of weights and training
    SKELETON = "skeleton.to_mu."

    @staticmethod
    @abstractmethod
    def loss(
        network: nn.Module,
        skeletons: Float[Tensor, "R B D"],
        texts: Float[Tensor, "R B Q"],
        noise: Float[Tensor, "R P B W"],
        cycle: int,
        step: int,
        config: GenerativeConfig,
    ) -> dict[str, Float[Tensor, " R"]]:
        """All terms of one step, and their weighted sum `loss`.

        Args:
            texts: the inputs of all text VAEs side by side.
            noise: one draw for every VAE, the skeleton's first.
            cycle: its number, from 1.
            step: in the cycle, from 0.
        """

    @classmethod
    def fit(
        cls,
        task: Task,
        seeds: list[int],
        config: GenerativeConfig,
        device: torch.device,
        name: str = "",
        checkpoint: training.Checkpoint | None = None,
    ) -> tuple[Fitted, list[training.Row]]:
        texts = cls.inputs(task.seen)
        shared = feature_map(task.features, config)
        for place, seen in enumerate(texts):
            shared |= {f"text{place}.{k}": v for k, v in text_map(seen, config).items()}
        texts = [standardise_texts(seen, shared, place) for place, seen in enumerate(texts)]
        features = standardise_features(task.features, shared).to(device)
        generators = [runtime.generator(seed, cls.RANDOM) for seed in seeds]
        widths = [features.shape[1], *(seen.shape[1] for seen in texts)]
        network = cls.Network(widths, generators, config).to(device)
        labels, texts = task.labels.to(device), torch.cat(texts, dim=1).to(device)

        def cycle(number: int) -> Iterator[tuple[int, int, Tensor, Tensor]]:
            for step in range(config.steps):
                picks = [
                    torch.randint(len(features), (config.batch_size,), generator=g)
                    for g in generators
                ]
                shape = (len(widths), config.batch_size, config.noise_width)
                noise = [torch.randn(shape, generator=g) for g in generators]
                yield number, step, *(torch.stack(x).to(device) for x in (picks, noise))

        def loss(
            number: int, step: int, batch: Int[Tensor, "R B"], noise: Float[Tensor, "R P B W"]
        ) -> dict[str, Tensor]:
            skeletons, words = F.embedding(batch, features), F.embedding(labels[batch], texts)
            return cls.loss(network, skeletons, words, noise, number, step, config)

        cycles = (cycle(number) for number in range(1, config.cycles + 1))
        models, history = train_candidates(
            *(name, network, loss, cycles, config.learning_rate, generators, checkpoint),
            count=config.cycles,
            unit="cycle",
        )
        candidates = [f"cycle {number}" for number in range(1, config.cycles + 1)]
        return cls._of(task, seeds, config, candidates, shared, models), history

    def latents(self, texts: Texts) -> Latents:
        inputs = self.inputs(self.check_texts(texts))
        generators = self._generators("latents")
        drawn = [
            self._draw(encoder, standardise_texts(rows, self.shared, place), generators)
            for place, (encoder, rows) in enumerate(zip(self.TEXT_VAES, inputs, strict=True))
        ]
        return Latents(texts.class_ids, torch.cat(drawn, dim=-1))

    def _generators(self, purpose: str) -> list[torch.Generator]:
        """One for each model, seeds innermost: by its candidate's name and seed, so that a model
        draws the same numbers alone and beside others."""
        return [
            runtime.generator(seed, purpose, candidate)
            for candidate in self.about["candidates"]
            for seed in self.seeds
        ]

    def _draw(
        self, encoder: str, texts: Float[Tensor, "K Q"], generators: list[torch.Generator]
    ) -> Float[Tensor, "Y R K P Z"]:
        """Samples of the posteriors that an encoder of every model gives to some texts."""
        mu, logvar = (
            texts @ self.models[f"{encoder}.{layer}.weight"]
            + self.models[f"{encoder}.{layer}.bias"]
            for layer in ("to_mu", "to_logvar")
        )
        width = 1 if self.config.noise == "sample" else mu.shape[-1]
        noise = torch.empty(*mu.shape[:3], self.config.latents_per_class, width)
        for part, generator in zip(noise.flatten(0, 1), generators, strict=True):
            torch.randn(part.shape, generator=generator, out=part)
        return draw(mu[..., None, :], logvar[..., None, :], noise)

    def project(self, features: Float[Tensor, "n D"], candidate: int) -> Float[Tensor, "R n Z"]:
        """The skeleton encoder's means."""
        weight, bias = (self.models[f"{self.SKELETON}{part}"] for part in ("weight", "bias"))
        return standardise_features(features, self.shared) @ weight[candidate] + bias[candidate]

    def classifier(
        self, latents: Latents, device: torch.device, name: str = ""
    ) -> tuple[Classifier, list[training.Row]]:
        """A soft-max classifier trained on the latents, for every candidate and seed together."""
        config = self.config
        candidates, _, classes, per_class, width = latents.values.shape
        generators = self._generators("unseen_classifier")
        linear = ReplicatedLinear(width, classes, generators, GAIN).to(device)
        samples = latents.values.reshape(len(generators), classes * per_class, width).to(device)

        def loss(samples: Tensor) -> dict[str, Tensor]:
            error, right = cross_entropy(linear.weight, linear.bias, samples, config.relu_logits)
            return {"loss": error.sum(), "accuracy": right.mean()}

        optimizer = torch.optim.Adam(
            linear.parameters(), lr=config.classifier_learning_rate, fused=True
        )
        epochs = [[(samples,)]] * config.classifier_steps
        history = training.fit(
            *(name, linear, loss, epochs, optimizer),
            replicas=len(generators),
            count=config.classifier_steps,
            unit="step",
        )
        weight, bias = (
            tensor.detach().cpu().unflatten(0, (candidates, len(self.seeds)))
            for tensor in (linear.weight, linear.bias)
        )
        fitted = self.skeleton_side()
        return (
            Classifier(fitted, latents.class_ids, weight, bias, config.relu_logits, [1.0]),
            history,
        )


def feature_map(features: Float[Tensor, "n D"], config: GenerativeConfig) -> dict[str, Tensor]:
    """How features enter the VAEs: centred and brought to one scale; `raw` leaves them alone."""
    if config.inputs == "raw":
        return {}
    mean = features.mean(0)
    scale = config.input_rms / (features - mean).square().mean().sqrt()
    return {"feature_mean": mean, "feature_scale": scale}


def text_map(seen: Float[Tensor, "S E"], config: GenerativeConfig) -> dict[str, Tensor]:
    """How texts enter the VAEs: in the principal axes of the seen classes' texts, at one scale.

    What only unseen texts hold, and no weight was ever trained for, then does not disturb their
    latents. `raw` leaves texts alone.
    """
    if config.inputs == "raw":
        return {}
    mean = seen.mean(0)
    _, spread, axes = torch.linalg.svd(seen - mean, full_matrices=False)
    # S centred points span S - 1 dimensions at most, fewer where classes share a text.
    axes = axes[: (spread[: len(seen) - 1] > 1e-4 * spread[0]).sum()].T
    rms = (spread.square().sum() / len(seen) / axes.shape[1]).sqrt()
    return {"mean": mean, "axes": axes * (config.input_rms / rms)}


def standardise_features(
    features: Float[Tensor, "n D"], shared: dict[str, Tensor]
) -> Float[Tensor, "n D"]:
    """Features as `feature_map` says."""
    if not shared:
        return features
    return (features - shared["feature_mean"]) * shared["feature_scale"]


def standardise_texts(
    texts: Float[Tensor, "K E"], shared: dict[str, Tensor], place: int
) -> Float[Tensor, "K Q"]:
    """Texts as `text_map` says for the VAE at a place."""
    if not shared:
        return texts
    return (texts - shared[f"text{place}.mean"]) @ shared[f"text{place}.axes"]
