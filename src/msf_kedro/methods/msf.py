"""MSF: a pair of VAEs aligns skeletons with fused texts (Li et al., ICIG 2023).

One VAE reads skeleton features, one the fused texts, and they share a latent space. Terms as in
the paper's section 3.3, schedules as released.
"""

from typing import Literal

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


class Pair(nn.Module):
    """The skeleton VAE and the text VAE, which share one latent space."""

    def __init__(
        self, widths: list[int], generators: list[torch.Generator], config: GenerativeConfig
    ):
        super().__init__()
        skeleton, text = widths
        self.skeleton = VAE(skeleton, config.latent, generators, config.relu_outputs)
        self.text = VAE(text, config.latent, generators, config.relu_outputs)


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
        mu_s, logvar_s = network.skeleton.encode(skeletons)
        mu_t, logvar_t = network.text.encode(texts)
        latent_s = draw(mu_s, logvar_s, noise[:, 0])
        latent_t = draw(mu_t, logvar_t, noise[:, 1])
        figures = {
            "reconstruction": mean_square(network.skeleton.decode(latent_s), skeletons)
            + mean_square(network.text.decode(latent_t), texts),
            "kl_skeleton": kl_divergence(mu_s, logvar_s),
            "kl_text": kl_divergence(mu_t, logvar_t),
        }
        weight_s, weight_t, weight_cross = config.weights(cycle, step)
        total = (
            figures["reconstruction"]
            + weight_s * figures["kl_skeleton"]
            + weight_t * figures["kl_text"]
        )
        if weight_cross:
            cross = mean_square if config.cross_error == "mean_square" else error_norm
            figures["cross"] = cross(network.skeleton.decode(latent_t), skeletons) + cross(
                network.text.decode(latent_s), texts
            )
            total = total + weight_cross * figures["cross"]
        return {"loss": total} | figures


def error_norm(output: Tensor, target: Tensor) -> Float[Tensor, " R"]:
    """2-norm of each sample's error, averaged over the batch, of every replica."""
    return (output - target).norm(dim=-1).mean(dim=-1)


METHOD = Msf
