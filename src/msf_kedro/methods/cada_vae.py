"""CADA-VAE: a pair of VAEs whose posteriors are drawn together (Schönfeld et al., CVPR 2019).

Four terms: reconstruction, KL, cross reconstruction and distribution alignment; each of the last
three has a warm-up of its own. From the paper and its code: the terms and the warm-ups' times.
From the re-implementation that the skeleton literature compares with (SynSE's): linear encoders
and decoders, label texts of unit norm, mean squared errors, cycles, a classifier on latents of
unseen classes. (It gives distribution alignment the weight 0, and both papers' networks draw one
number of noise per sample: `alignment.noise`.) Network, batches, unseen classifier are MSF's.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from msf_kedro import runtime
from msf_kedro.methods import msf
from msf_kedro.methods.contract.task import Scores, Task
from msf_kedro.methods.msf import Alignment, AlignmentConfig, InputMaps, UnseenClassifierConfig
from msf_kedro.networks.vae import draw, kl_divergence, mean_square, wasserstein_distance

TEXTS = ("LB",)
TERMS = ("kl", "cross", "distribution")


@dataclass(frozen=True)
class CadaVaeConfig:
    """Weights and warm-ups. A term's weight is 0 up to `from`, grows linearly, and stays from
    `until` on, both as shares of a cycle's steps.

    Attributes:
        kl_weight: of both KL divergences, each summed over latent dimensions.
        kl_from: start of its warm-up.
        kl_until: end of its warm-up.
        cross_weight: of both cross reconstructions, each a mean squared error.
        cross_from: start of its warm-up.
        cross_until: end of its warm-up.
        distribution_weight: of the 2-Wasserstein distance of both posteriors.
        distribution_from: start of its warm-up.
        distribution_until: end of its warm-up.
    """

    kl_weight: float
    kl_from: float
    kl_until: float
    cross_weight: float
    cross_from: float
    cross_until: float
    distribution_weight: float
    distribution_from: float
    distribution_until: float

    def __post_init__(self):
        for term in TERMS:
            weight, start, end = (
                getattr(self, f"{term}_{part}") for part in ("weight", "from", "until")
            )
            if weight < 0:
                raise ValueError(f"cada_vae.{term}_weight is {weight}, expected at least 0")
            if not 0 <= start <= end:
                raise ValueError(
                    f"cada_vae: {term}_from is {start}, {term}_until is {end}, expected shares of"
                    " a cycle, 0 or more, in this order"
                )


def scores(
    name: str,
    task: Task,
    texts: tuple[str, ...],
    seeds: list[int],
    alignment: AlignmentConfig,
    unseen_classifier: UnseenClassifierConfig,
    config: CadaVaeConfig,
    device: torch.device,
) -> Scores:
    """CADA-VAE on a task: its candidates are the cycles.

    Args:
        name: for progress and errors.
        texts: the text kinds that are fused.
        seeds: a root seed per replica.
        alignment: gives network, inputs, noise, batches, steps and cycles; its schedules and cross
            error are MSF's and not used.

    Raises:
        ValueError: the task lacks a text kind.
    """
    seen, unseen = task.texts(texts)
    maps = InputMaps.fit(task.features, seen, alignment)
    features, seen = maps.features(task.features).to(device), maps.texts(seen).to(device)
    generators = [runtime.generator(seed, "cada_vae") for seed in seeds]
    pair = Alignment(features.shape[1], seen.shape[1], generators, alignment).to(device)

    def loss(skeletons: Tensor, texts: Tensor, noise: Tensor, cycle: int, step: int):
        weights = {term: weight(config, term, step / alignment.steps) for term in TERMS}
        return cada_vae_loss(pair, skeletons, texts, noise, weights)

    labels = task.labels.to(device)
    states, _ = msf.train_cycles(name, pair, loss, features, labels, seen, generators, alignment)
    checkpoints = {"inputs": maps.tensors, "states": states}
    per_class = unseen_classifier.latents_per_class
    latents = msf.generate_latents(checkpoints, unseen, seeds, alignment, per_class)
    return msf.score_clips(name, checkpoints, latents, task.clips, seeds, unseen_classifier, device)


def cada_vae_loss(
    pair: Alignment,
    skeletons: Float[Tensor, "R B D"],
    texts: Float[Tensor, "R B Q"],
    noise: Float[Tensor, "R 2 B W"],
    weights: dict[str, float],
) -> dict[str, Float[Tensor, " R"]]:
    """All terms of one step, and their weighted sum."""
    mu_s, logvar_s = pair.skeleton.encode(skeletons)
    mu_t, logvar_t = pair.text.encode(texts)
    latent_s = draw(mu_s, logvar_s, noise[:, 0])
    latent_t = draw(mu_t, logvar_t, noise[:, 1])
    figures = {
        "reconstruction": mean_square(pair.skeleton.decode(latent_s), skeletons)
        + mean_square(pair.text.decode(latent_t), texts),
        "kl": kl_divergence(mu_s, logvar_s) + kl_divergence(mu_t, logvar_t),
        "cross": mean_square(pair.skeleton.decode(latent_t), skeletons)
        + mean_square(pair.text.decode(latent_s), texts),
        "distribution": wasserstein_distance(mu_s, logvar_s, mu_t, logvar_t),
    }
    total = figures["reconstruction"] + sum(weights[term] * figures[term] for term in TERMS)
    return {"loss": total} | figures


def weight(config: CadaVaeConfig, term: str, progress: float) -> float:
    """The weight of a term when a share of the cycle has passed."""
    full, start, end = (getattr(config, f"{term}_{part}") for part in ("weight", "from", "until"))
    if progress >= end:
        return full
    return full * (progress - start) / (end - start) if progress > start else 0.0
