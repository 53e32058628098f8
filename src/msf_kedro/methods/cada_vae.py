"""CADA-VAE: a pair of VAEs whose posteriors are drawn together (Schönfeld et al., CVPR 2019).

Four terms: reconstruction, KL, cross reconstruction and distribution alignment; each of the last
three has a warm-up of its own. From the paper and its code: the terms and the warm-ups' times.
From the re-implementation that the skeleton literature compares with (SynSE's): linear encoders
and decoders, label texts of unit norm, mean squared errors, cycles, a classifier on latents of
unseen classes. (It gives distribution alignment the weight 0, and both papers' networks draw one
number of noise per sample: `cada_vae.noise`.) Network, batches, unseen classifier are MSF's.
"""

from jaxtyping import Float
from pydantic import NonNegativeFloat
from torch import Tensor

from msf_kedro.configuration import configuration
from msf_kedro.methods.contract.generative import Generative, GenerativeConfig
from msf_kedro.methods.msf import Pair
from msf_kedro.networks.vae import kl_divergence, wasserstein_distance

TERMS = ("kl", "cross", "distribution")


@configuration
class CadaVaeConfig(GenerativeConfig):
    """CADA-VAE's parameters.

    The weight of a term is 0 up to `from`, grows linearly, and stays from `until` on, both as
    shares of a cycle's steps.

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

    kl_weight: NonNegativeFloat
    kl_from: NonNegativeFloat
    kl_until: NonNegativeFloat
    cross_weight: NonNegativeFloat
    cross_from: NonNegativeFloat
    cross_until: NonNegativeFloat
    distribution_weight: NonNegativeFloat
    distribution_from: NonNegativeFloat
    distribution_until: NonNegativeFloat

    def __post_init__(self):
        super().__post_init__()
        for term in TERMS:
            start, end = (getattr(self, f"{term}_{part}") for part in ("from", "until"))
            if start > end:
                raise ValueError(
                    f"{term}_from is {start}, {term}_until is {end}, expected in this order"
                )

    def weight(self, term: str, progress: float) -> float:
        """The weight of a term when a share of the cycle has passed."""
        full, start, end = (getattr(self, f"{term}_{part}") for part in ("weight", "from", "until"))
        if progress >= end:
            return full
        return full * (progress - start) / (end - start) if progress > start else 0.0


class CadaVae(Generative):
    """CADA-VAE, fitted."""

    Config = CadaVaeConfig
    Network = Pair
    RANDOM = "cada_vae"

    @staticmethod
    def loss(
        network: Pair,
        skeletons: Float[Tensor, "R B D"],
        texts: Float[Tensor, "R B Q"],
        noise: Float[Tensor, "R 2 B W"],
        cycle: int,
        step: int,
        config: CadaVaeConfig,
    ) -> dict[str, Float[Tensor, " R"]]:
        """Reconstruction, KL, cross reconstruction and distribution alignment."""
        skeleton, text = network.posteriors(skeletons, texts, noise)
        figures = {
            "reconstruction": network.error(skeleton.latent, text.latent, skeletons, texts),
            "kl": kl_divergence(skeleton.mu, skeleton.logvar) + kl_divergence(text.mu, text.logvar),
            "cross": network.error(text.latent, skeleton.latent, skeletons, texts),
            "distribution": wasserstein_distance(
                skeleton.mu, skeleton.logvar, text.mu, text.logvar
            ),
        }
        weights = {term: config.weight(term, step / config.steps) for term in TERMS}
        total = figures["reconstruction"] + sum(weights[term] * figures[term] for term in TERMS)
        return {"loss": total} | figures


METHOD = CadaVae
