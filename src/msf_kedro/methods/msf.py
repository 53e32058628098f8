"""MSF: a pair of VAEs aligns skeletons with fused texts (Li et al., ICIG 2023).

One VAE reads skeleton features, one the fused texts, and they share a latent space. Terms as in
the paper's section 3.3, schedules as released.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from msf_kedro.configuration import configuration
from msf_kedro.methods.contract.generative import Generative, GenerativeConfig, ScheduledConfig
from msf_kedro.networks.vae import VAE, draw, kl_divergence, mean_square


@configuration
class MsfConfig(ScheduledConfig):
    """MSF's parameters.

    Attributes:
        cross_error: `mean_square` or, as in the paper's equation, `norm`: the 2-norm of each
            clip's error, averaged over the batch.
    """

    cross_error: Literal["mean_square", "norm"]


class Posterior(NamedTuple):
    """What a VAE makes of a batch: a normal distribution for each sample, and a draw from it."""

    mu: Float[Tensor, "R B Z"]
    logvar: Float[Tensor, "R B Z"]
    latent: Float[Tensor, "R B Z"]


class Pair(nn.Module):
    """The skeleton VAE and the text VAE, which share one latent space."""

    def __init__(
        self, widths: list[int], generators: list[torch.Generator], config: GenerativeConfig
    ):
        super().__init__()
        skeleton, text = widths
        self.skeleton = VAE(skeleton, config.latent, generators, config.relu_outputs)
        self.text = VAE(text, config.latent, generators, config.relu_outputs)

    def posteriors(
        self,
        skeletons: Float[Tensor, "R B D"],
        texts: Float[Tensor, "R B Q"],
        noise: Float[Tensor, "R 2 B W"],
    ) -> tuple[Posterior, Posterior]:
        """Of the skeletons and of the texts."""
        batches = ((self.skeleton, skeletons), (self.text, texts))
        encoded = [vae.encode(batch) for vae, batch in batches]
        draws = [draw(*normal, noise[:, place]) for place, normal in enumerate(encoded)]
        of_skeletons, of_texts = (Posterior(*n, z) for n, z in zip(encoded, draws, strict=True))
        return of_skeletons, of_texts

    def error(
        self,
        skeleton_latent: Float[Tensor, "R B Z"],
        text_latent: Float[Tensor, "R B Z"],
        skeletons: Float[Tensor, "R B D"],
        texts: Float[Tensor, "R B Q"],
        measure: Callable = mean_square,
    ) -> Float[Tensor, " R"]:
        """How far both decoders are from the batch; with latents exchanged, the cross error."""
        return measure(self.skeleton.decode(skeleton_latent), skeletons) + measure(
            self.text.decode(text_latent), texts
        )


class Msf(Generative):
    """MSF, fitted."""

    Config = MsfConfig
    Network = Pair
    RANDOM = "alignment"

    @staticmethod
    def loss(
        network: Pair,
        skeletons: Float[Tensor, "R B D"],
        texts: Float[Tensor, "R B Q"],
        noise: Float[Tensor, "R 2 B W"],
        cycle: int,
        step: int,
        config: MsfConfig,
    ) -> dict[str, Float[Tensor, " R"]]:
        """Reconstructions, cross reconstructions and KL terms, weighted as released."""
        skeleton, text = network.posteriors(skeletons, texts, noise)
        figures = {
            "reconstruction": network.error(skeleton.latent, text.latent, skeletons, texts),
            "kl_skeleton": kl_divergence(skeleton.mu, skeleton.logvar),
            "kl_text": kl_divergence(text.mu, text.logvar),
        }
        total = figures["reconstruction"]
        weight_s, weight_t, weight_cross = config.weights(cycle, step)
        if weight_s:
            total = total + weight_s * figures["kl_skeleton"]
        if weight_t:
            total = total + weight_t * figures["kl_text"]
        if weight_cross:
            measure = mean_square if config.cross_error == "mean_square" else error_norm
            figures["cross"] = network.error(
                text.latent, skeleton.latent, skeletons, texts, measure
            )
            total = total + weight_cross * figures["cross"]
        return {"loss": total} | figures


def error_norm(output: Tensor, target: Tensor) -> Float[Tensor, " R"]:
    """2-norm of each sample's error, averaged over the batch, of every replica."""
    return (output - target).norm(dim=-1).mean(dim=-1)


METHOD = Msf
