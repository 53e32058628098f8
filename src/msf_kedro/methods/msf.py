"""MSF: a pair of VAEs aligns skeletons with fused texts; unseen classes are learnt from latents.

Every function works on `R` seeds at once and keeps the model of every cycle: which cycle is used
is decided later, by the protocol. Stages 2 and 3 of the paper; schedules as released.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from msf_kedro import runtime
from msf_kedro.methods.contract.task import Scores, Task
from msf_kedro.networks import training
from msf_kedro.networks.replicated import ReplicatedLinear
from msf_kedro.networks.vae import GAIN, VAE, draw, kl_divergence, mean_square

NOISES = ("dimension", "sample")
INPUTS = ("standard", "raw")
CROSS_ERRORS = ("mean_square", "norm")
TEXTS = ("LB", "AD", "MD")  # of the full model; any choice of them is a variant of the paper
Checkpoints = dict[str, Tensor]
AlignmentLoss = Callable[[Tensor, Tensor, Tensor, int, int], dict[str, Tensor]]


@dataclass(frozen=True)
class AlignmentConfig:
    """The VAE pair and its schedules. Steps count from 0 within each cycle.

    Attributes:
        latent: dimensions `Z` of the latent space.
        cycles: how often the schedules run through; the model is kept after each.
        steps: optimiser steps, each a random batch, per cycle.
        batch_size: clips per step.
        learning_rate: of Adam.
        noise: `dimension` draws noise for every latent dimension (the textbook VAE), `sample`
            one number per sample that multiplies the whole sigma vector (the release).
        relu_outputs: whether a ReLU follows both decoders, as released.
        inputs: `standard` or `raw`, see `InputMaps`; `raw` is the release.
        input_rms: root mean square per dimension of standard inputs over the training data.
        kl_slope: growth of both KL weights per step from their start on.
        skeleton_kl_from: step at which the skeleton's KL weight starts to grow.
        text_kl_from: step at which the text's KL weight starts to grow.
        text_kl_first_cycle: the first cycle (from 1) in which it grows at all.
        cross_from: step from which the cross reconstructions count.
        cross_error: `mean_square` or, as in the paper's equation, `norm`: the 2-norm of each
            clip's error, averaged over the batch.
    """

    latent: int
    cycles: int
    steps: int
    batch_size: int
    learning_rate: float
    noise: str
    relu_outputs: bool
    inputs: str
    input_rms: float
    kl_slope: float
    skeleton_kl_from: int
    text_kl_from: int
    text_kl_first_cycle: int
    cross_from: int
    cross_error: str

    def __post_init__(self):
        for field in ("latent", "cycles", "steps", "batch_size", "learning_rate", "input_rms"):
            if getattr(self, field) <= 0:
                raise ValueError(f"alignment.{field} is {getattr(self, field)}, expected above 0")
        if self.noise not in NOISES:
            raise ValueError(f"alignment.noise is {self.noise!r}, expected one of {NOISES}")
        if self.inputs not in INPUTS:
            raise ValueError(f"alignment.inputs is {self.inputs!r}, expected one of {INPUTS}")
        if self.cross_error not in CROSS_ERRORS:
            raise ValueError(
                f"alignment.cross_error is {self.cross_error!r}, expected one of {CROSS_ERRORS}"
            )
        if self.relu_outputs and self.inputs == "standard":
            raise ValueError(
                "alignment: relu_outputs cannot rebuild standard inputs, half of which"
                " are negative; set relu_outputs: false or inputs: raw"
            )


@dataclass(frozen=True)
class UnseenClassifierConfig:
    """The softmax classifier over generated latents (stage 3).

    Attributes:
        latents_per_class: latents drawn from each unseen class's text.
        steps: full-batch steps of Adam.
        learning_rate: of Adam.
        relu_logits: whether a ReLU follows the logits, as released.
    """

    latents_per_class: int
    steps: int
    learning_rate: float
    relu_logits: bool

    def __post_init__(self):
        for field in ("latents_per_class", "steps", "learning_rate"):
            if getattr(self, field) <= 0:
                raise ValueError(
                    f"unseen_classifier.{field} is {getattr(self, field)}, expected above 0"
                )


class InputMaps:
    """How features and texts enter the VAEs.

    `raw` leaves both alone. `standard` centres both and brings them to one scale; texts are
    expressed in the principal axes of the seen classes' texts, so that what only unseen texts
    hold, and no weight was ever trained for, does not disturb their latents. Only seen classes
    and training clips are looked at.
    """

    def __init__(self, tensors: dict[str, Tensor]):
        self.tensors = tensors

    @classmethod
    def fit(
        cls,
        features: Float[Tensor, "n D"],
        seen_texts: Float[Tensor, "S E"],
        config: AlignmentConfig,
    ) -> "InputMaps":
        if config.inputs == "raw":
            return cls({})
        feature_mean, text_mean = features.mean(0), seen_texts.mean(0)
        _, spread, axes = torch.linalg.svd(seen_texts - text_mean, full_matrices=False)
        # S centred points span S - 1 dimensions at most, fewer where classes share a text.
        axes = axes[: (spread[: len(seen_texts) - 1] > 1e-4 * spread[0]).sum()].T
        feature_scale = config.input_rms / (features - feature_mean).square().mean().sqrt()
        text_rms = (spread.square().sum() / len(seen_texts) / axes.shape[1]).sqrt()
        return cls(
            {
                "feature_mean": feature_mean,
                "feature_scale": feature_scale,
                "text_mean": text_mean,
                "text_axes": axes * (config.input_rms / text_rms),
            }
        )

    def features(self, features: Float[Tensor, "n D"]) -> Float[Tensor, "n D"]:
        if not self.tensors:
            return features
        return (features - self.tensors["feature_mean"]) * self.tensors["feature_scale"]

    def texts(self, texts: Float[Tensor, "K E"]) -> Float[Tensor, "K Q"]:
        if not self.tensors:
            return texts
        return (texts - self.tensors["text_mean"]) @ self.tensors["text_axes"]


class Alignment(nn.Module):
    """The skeleton VAE and the text VAE, which share one latent space."""

    def __init__(
        self, skeleton: int, text: int, generators: list[torch.Generator], config: AlignmentConfig
    ):
        super().__init__()
        self.skeleton = VAE(skeleton, config.latent, generators, config.relu_outputs)
        self.text = VAE(text, config.latent, generators, config.relu_outputs)


def scores(
    name: str,
    task: Task,
    texts: tuple[str, ...],
    seeds: list[int],
    alignment: AlignmentConfig,
    unseen_classifier: UnseenClassifierConfig,
    device: torch.device,
) -> Scores:
    """MSF on a task: its candidates are the cycles.

    Args:
        name: for progress and errors.
        texts: the text kinds that are fused.
        seeds: a root seed per replica.

    Raises:
        ValueError: the task lacks a text kind.
    """
    seen, unseen = task.texts(texts)
    checkpoints, _ = fit_alignment(name, task.features, task.labels, seen, seeds, alignment, device)
    latents = generate_latents(
        checkpoints, unseen, seeds, alignment, unseen_classifier.latents_per_class
    )
    return score_clips(name, checkpoints, latents, task.clips, seeds, unseen_classifier, device)


def score_clips(
    name: str,
    checkpoints: dict[str, Checkpoints],
    latents: Float[Tensor, "Y R U P Z"],
    clips: Float[Tensor, "m D"],
    seeds: list[int],
    config: UnseenClassifierConfig,
    device: torch.device,
) -> Scores:
    """Fit the unseen classifier to latents of every cycle and seed, and score clips with it."""
    classifier, _ = fit_unseen_classifier(name, latents, seeds, config, device)
    logits = [  # one cycle at a time: the latents of a large data set fill gigabytes
        unseen_logits(*_pick(checkpoints, classifier, cycle), clips, config.relu_logits)
        for cycle in range(len(latents))
    ]
    names = tuple(f"cycle {number}" for number in range(1, len(latents) + 1))
    return Scores(torch.stack(logits), names, temperatures=(1.0,))


def fit_alignment(
    name: str,
    features: Float[Tensor, "n D"],
    labels: Int[Tensor, " n"],
    texts: Float[Tensor, "S E"],
    seeds: list[int],
    config: AlignmentConfig,
    device: torch.device,
) -> tuple[dict[str, Checkpoints], list[training.Row]]:
    """Train the VAE pair for every seed at once.

    Args:
        name: for progress and errors.
        features: of the training clips.
        labels: of each its row in `texts`.
        texts: of the seen classes.
        seeds: a root seed per replica.

    Returns:
        `inputs`, the tensors of the input maps, and `states`, the weights after every cycle, each
        stacked as `(cycles, R, ...)`; and the history with a row per cycle, averaged over seeds.
    """
    maps = InputMaps.fit(features, texts, config)
    features, texts = maps.features(features).to(device), maps.texts(texts).to(device)
    labels = labels.to(device)
    generators = [runtime.generator(seed, "alignment") for seed in seeds]
    pair = Alignment(features.shape[1], texts.shape[1], generators, config).to(device)

    def loss(skeletons: Tensor, texts: Tensor, noise: Tensor, cycle: int, step: int):
        return alignment_loss(pair, skeletons, texts, noise, cycle, step, config)

    states, history = train_cycles(name, pair, loss, features, labels, texts, generators, config)
    return {"inputs": maps.tensors, "states": states}, history


def train_cycles(
    name: str,
    model: nn.Module,
    loss: AlignmentLoss,
    features: Float[Tensor, "n D"],
    labels: Int[Tensor, " n"],
    texts: Float[Tensor, "S Q"],
    generators: list[torch.Generator],
    config: AlignmentConfig,
    noises: int = 2,
) -> tuple[Checkpoints, list[training.Row]]:
    """Train `R` replicas of a model that aligns skeletons with texts, on random batches.

    Args:
        name: for progress and errors.
        model: on its device, with a leading replica axis.
        loss: called with a batch's skeletons `(R, B, D)`, its texts `(R, B, Q)`, noise
            `(R, noises, B, W)`, the cycle's number (from 1) and the step in it (from 0); gives
            figures of every replica, `loss` among them.
        features: of the training clips, as they enter the model, on its device.
        labels: of each its row in `texts`, on that device.
        texts: of the seen classes, as they enter the model, on that device.
        generators: of every replica, for batches and noise.
        config: gives cycles, steps, batch size, learning rate, and the noise's width `W`.
        noises: draws of noise per clip and step.

    Returns:
        The weights after every cycle, stacked as `(cycles, R, ...)`; the history with a row per
        cycle, averaged over replicas.
    """

    def cycle(number: int) -> Iterator[tuple[int, int, Tensor, Tensor]]:
        for step in range(config.steps):
            picks = [
                torch.randint(len(features), (config.batch_size,), generator=g) for g in generators
            ]
            shape = (noises, config.batch_size, _noise_width(config))
            noise = [torch.randn(shape, generator=g) for g in generators]
            yield number, step, *(torch.stack(x).to(features.device) for x in (picks, noise))

    def summed(
        number: int, step: int, batch: Int[Tensor, "R B"], noise: Float[Tensor, "R Q B W"]
    ) -> dict[str, Tensor]:
        figures = loss(features[batch], texts[labels[batch]], noise, number, step)
        means = {key: value.mean() for key, value in figures.items()}
        return means | {"loss": figures["loss"].sum()}  # replicas must not share their gradient

    kept: list[dict[str, Tensor]] = []

    def keep(_: int) -> dict[str, float]:
        state = model.state_dict()
        kept.append({key: value.detach().cpu().clone() for key, value in state.items()})
        return {}

    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    cycles = (cycle(number) for number in range(1, config.cycles + 1))
    replicas = len(generators)
    history = training.fit(name, summed, cycles, optimizer, after_epoch=keep, replicas=replicas)
    return {key: torch.stack([state[key] for state in kept]) for key in kept[0]}, history


def alignment_loss(
    pair: Alignment,
    skeletons: Float[Tensor, "R B D"],
    texts: Float[Tensor, "R B E"],
    noise: Float[Tensor, "R 2 B W"],
    cycle: int,
    step: int,
    config: AlignmentConfig,
) -> dict[str, Float[Tensor, " R"]]:
    """Reconstructions, cross reconstructions and KL terms of one step, weighted as released."""
    mu_s, logvar_s = pair.skeleton.encode(skeletons)
    mu_t, logvar_t = pair.text.encode(texts)
    latent_s = draw(mu_s, logvar_s, noise[:, 0])
    latent_t = draw(mu_t, logvar_t, noise[:, 1])
    figures = {
        "reconstruction": mean_square(pair.skeleton.decode(latent_s), skeletons)
        + mean_square(pair.text.decode(latent_t), texts),
        "kl_skeleton": kl_divergence(mu_s, logvar_s),
        "kl_text": kl_divergence(mu_t, logvar_t),
    }
    weight_s, weight_t, weight_cross = weights(cycle, step, config)
    total = (
        figures["reconstruction"]
        + weight_s * figures["kl_skeleton"]
        + weight_t * figures["kl_text"]
    )
    if weight_cross:
        cross = mean_square if config.cross_error == "mean_square" else _error_norm
        figures["cross"] = cross(pair.skeleton.decode(latent_t), skeletons) + cross(
            pair.text.decode(latent_s), texts
        )
        total = total + weight_cross * figures["cross"]
    return {"loss": total} | figures


def weights(cycle: int, step: int, config: AlignmentConfig) -> tuple[float, float, float]:
    """Weights of the skeleton's KL, the text's KL and the cross reconstruction at a step."""
    skeleton = config.kl_slope * max(0, step - config.skeleton_kl_from)
    text = config.kl_slope * max(0, step - config.text_kl_from)
    cross = float(step >= config.cross_from)
    return skeleton, text if cycle >= config.text_kl_first_cycle else 0.0, cross


def generate_latents(
    checkpoints: dict[str, Checkpoints],
    texts: Float[Tensor, "U E"],
    seeds: list[int],
    config: AlignmentConfig,
    per_class: int,
) -> Float[Tensor, "Y R U P Z"]:
    """`per_class` latents of each unseen class from its text's posterior, per cycle and seed."""
    texts = InputMaps(checkpoints["inputs"]).texts(texts)
    states = checkpoints["states"]
    generators = [runtime.generator(seed, "latents") for seed in seeds]
    return draw_latents(states, "text", texts, generators, config, per_class)


def draw_latents(
    states: Checkpoints,
    encoder: str,
    texts: Float[Tensor, "U Q"],
    generators: list[torch.Generator],
    config: AlignmentConfig,
    per_class: int,
) -> Float[Tensor, "Y R U P Z"]:
    """Samples of the posteriors that an encoder of every cycle and replica gives to some texts."""
    mu, logvar = (_apply(states, f"{encoder}.to_{part}", texts) for part in ("mu", "logvar"))
    width = 1 if config.noise == "sample" else mu.shape[-1]
    shape = (mu.shape[0], mu.shape[2], per_class, width)
    noise = torch.stack([torch.randn(shape, generator=g) for g in generators], dim=1)
    return draw(mu[..., None, :], logvar[..., None, :], noise)


def fit_unseen_classifier(
    name: str,
    latents: Float[Tensor, "Y R U P Z"],
    seeds: list[int],
    config: UnseenClassifierConfig,
    device: torch.device,
) -> tuple[Checkpoints, list[training.Row]]:
    """A softmax classifier over the latents of every cycle and seed, all trained together."""
    cycles, _, classes, per_class, width = latents.shape
    generators = [
        runtime.generator(s, "unseen_classifier", c) for c in range(cycles) for s in seeds
    ]
    classifier = ReplicatedLinear(width, classes, generators, GAIN).to(device)
    samples = latents.reshape(len(generators), classes * per_class, width).to(device)
    target = torch.arange(classes, device=device).repeat_interleave(per_class)
    target = target.expand(len(generators), -1)

    def loss(samples: Tensor) -> dict[str, Tensor]:
        logits = classifier(samples)
        logits = logits.relu() if config.relu_logits else logits
        error = F.cross_entropy(logits.transpose(1, 2), target, reduction="none").mean(1)
        accuracy = (logits.argmax(-1) == target).float().mean()
        return {"loss": error.sum(), "accuracy": accuracy}

    optimizer = torch.optim.Adam(classifier.parameters(), lr=config.learning_rate, fused=True)
    history = training.fit(
        name, loss, [[(samples,)]] * config.steps, optimizer, replicas=len(generators)
    )
    state = {key: value.detach().cpu() for key, value in classifier.state_dict().items()}
    return {k: v.unflatten(0, (cycles, len(seeds))) for k, v in state.items()}, history


def unseen_probs(
    checkpoints: dict[str, Checkpoints],
    classifier: Checkpoints,
    features: Float[Tensor, "n D"],
    relu_logits: bool,
    cycle: int,
    replica: int,
) -> Float[Tensor, "n U"]:
    """Probabilities over the unseen classes, of one model.

    Args:
        cycle: which cycle's model, from 0.
        replica: which seed's model, from 0.
    """
    picked = _pick(checkpoints, classifier, (cycle, replica))
    return unseen_logits(*picked, features, relu_logits).softmax(-1)


def unseen_logits(
    checkpoints: dict[str, Checkpoints],
    classifier: Checkpoints,
    features: Float[Tensor, "n D"],
    relu_logits: bool,
) -> Float[Tensor, "*Y n U"]:
    """Logits over the unseen classes, from the skeleton encoder's means.

    Leading axes of the weights (cycle and seed, or none) are those of the logits. Not of all
    cycles and seeds at once where there are many clips: their latents fill gigabytes.
    """
    features = InputMaps(checkpoints["inputs"]).features(features)
    mu = _apply(checkpoints["states"], "skeleton.to_mu", features)
    logits = mu @ classifier["weight"] + classifier["bias"]
    return logits.relu() if relu_logits else logits


def _pick(
    checkpoints: dict[str, Checkpoints], classifier: Checkpoints, index: int | tuple[int, int]
) -> tuple[dict[str, Checkpoints], Checkpoints]:
    """The VAEs and classifiers of one cycle, or of one cycle and replica."""
    states, classifier = (
        {key: value[index] for key, value in state.items()}
        for state in (checkpoints["states"], classifier)
    )
    return {"inputs": checkpoints["inputs"], "states": states}, classifier


def _apply(state: Checkpoints, layer: str, x: Float[Tensor, "n I"]) -> Float[Tensor, "*Y n O"]:
    """One linear layer, of every cycle and seed if the state has them, on the same input."""
    return x @ state[f"{layer}.weight"] + state[f"{layer}.bias"]


def _noise_width(config: AlignmentConfig) -> int:
    return config.latent if config.noise == "dimension" else 1


def _error_norm(output: Tensor, target: Tensor) -> Float[Tensor, " R"]:
    """2-norm of each sample's error, averaged over the batch, of every replica."""
    return (output - target).norm(dim=-1).mean(dim=-1)
