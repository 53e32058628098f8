"""SynSE: the skeleton's latent is half a noun and half a verb (Gupta et al., ICIP 2021).

A text VAE of half the latent size for every part of speech. The first half of the skeleton's
latent is decoded into the noun's text, the second into the verb's; the skeleton is decoded from
both texts' latents, joined. From the released code: the order (noun, verb), the terms, their
schedules, which are MSF's, and one draw of noise for each VAE. Batches, cycles and
unseen classifier are MSF's.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from msf_kedro.configuration import configuration
from msf_kedro.methods.contract.generative import Generative, ScheduledConfig
from msf_kedro.networks.vae import VAE, draw, kl_divergence, mean_square


@configuration
class SynseConfig(ScheduledConfig):
    """SynSE's parameters; the texts' schedule counts for both text VAEs."""


class Triple(nn.Module):
    """The skeleton VAE and two text VAEs, each with its half of the latent.

    Attributes:
        widths: of both texts' inputs, which enter side by side.
        half: latent dimensions of each text VAE.
    """

    def __init__(self, widths: list[int], generators: list[torch.Generator], config: SynseConfig):
        super().__init__()
        if len(widths) != 3:
            raise ValueError(f"synse takes two text kinds, as in noun+verb, not {len(widths) - 1}")
        if config.latent % 2:
            raise ValueError(
                f"synse.latent is {config.latent}, expected an even number: each text has half"
            )
        skeleton, *self.widths = widths
        self.half = config.latent // 2
        self.skeleton = VAE(skeleton, config.latent, generators, config.relu_outputs)
        self.first, self.second = (
            VAE(width, self.half, generators, config.relu_outputs) for width in self.widths
        )


class Synse(Generative):
    """SynSE, fitted."""

    Config = SynseConfig
    Network = Triple
    TEXT_VAES = ("first", "second")
    RANDOM = "synse"
    APART = True

    @staticmethod
    def loss(
        network: Triple,
        skeletons: Float[Tensor, "R B D"],
        texts: Float[Tensor, "R B Q"],
        noise: Float[Tensor, "R 3 B W"],
        cycle: int,
        step: int,
        config: SynseConfig,
    ) -> dict[str, Float[Tensor, " R"]]:
        """Reconstructions, cross reconstructions and KL terms, weighted as released.

        A text VAE uses the first dimensions of its noise.
        """
        mu_s, logvar_s = network.skeleton.encode(skeletons)
        latent_s = draw(mu_s, logvar_s, noise[:, 0])
        reconstruction = mean_square(network.skeleton.decode(latent_s), skeletons)
        cross, kl_text, latents = 0.0, 0.0, []
        halves = latent_s.split(network.half, dim=-1)
        targets = texts.split(network.widths, dim=-1)
        vaes = (network.first, network.second)
        for i, (vae, half, target) in enumerate(zip(vaes, halves, targets, strict=True), 1):
            mu, logvar = vae.encode(target)
            latents.append(draw(mu, logvar, noise[:, i, :, : network.half]))
            reconstruction = reconstruction + mean_square(vae.decode(latents[-1]), target)
            kl_text = kl_text + kl_divergence(mu, logvar)
            cross = cross + mean_square(vae.decode(half), target)
        joined = torch.cat(latents, dim=-1)
        figures = {
            "reconstruction": reconstruction,
            "kl_skeleton": kl_divergence(mu_s, logvar_s),
            "kl_text": kl_text,
            "cross": cross + mean_square(network.skeleton.decode(joined), skeletons),
        }
        weights = config.weights(cycle, step)
        terms = ("kl_skeleton", "kl_text", "cross")
        total = reconstruction + sum(w * figures[k] for w, k in zip(weights, terms, strict=True))
        return {"loss": total} | figures


METHOD = Synse
