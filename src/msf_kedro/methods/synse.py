"""SynSE: the skeleton's latent is half a noun and half a verb (Gupta et al., ICIP 2021).

A text VAE of half the latent size for every part of speech. The first half of the skeleton's
latent is decoded into the noun's text, the second into the verb's; the skeleton is decoded from
both texts' latents, joined. From the released code: the order (noun, verb), the terms, their
schedules, which are MSF's (`msf.weights`), and one draw of noise for each VAE. Batches, cycles and
unseen classifier are MSF's.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from msf_kedro import runtime
from msf_kedro.methods import msf
from msf_kedro.methods.contract.task import Scores, Task
from msf_kedro.methods.msf import AlignmentConfig, InputMaps, UnseenClassifierConfig
from msf_kedro.networks.vae import VAE, draw, kl_divergence, mean_square

TEXTS = ("noun", "verb")


class Parts(nn.Module):
    """The skeleton VAE and a text VAE for every part, each of which has its share of the latent.

    Attributes:
        widths: of the parts' texts, which enter and leave side by side.
        share: latent dimensions of each text VAE.
    """

    def __init__(
        self,
        skeleton: int,
        widths: list[int],
        generators: list[torch.Generator],
        config: AlignmentConfig,
    ):
        super().__init__()
        if config.latent % len(widths):
            raise ValueError(
                f"synse: alignment.latent is {config.latent}, expected a multiple of"
                f" {len(widths)}, as each text has its share of the latent"
            )
        self.widths = widths
        self.share = config.latent // len(widths)
        self.skeleton = VAE(skeleton, config.latent, generators, config.relu_outputs)
        self.texts = nn.ModuleList(
            VAE(width, self.share, generators, config.relu_outputs) for width in widths
        )


def scores(
    name: str,
    task: Task,
    texts: tuple[str, ...],
    seeds: list[int],
    alignment: AlignmentConfig,
    unseen_classifier: UnseenClassifierConfig,
    device: torch.device,
) -> Scores:
    """SynSE on a task: its candidates are the cycles.

    Args:
        name: for progress and errors.
        texts: the text kinds, one for each part of the latent.
        seeds: a root seed per replica.
        alignment: gives the network, inputs, noise, batches, steps, cycles and schedules; the
            text's schedule counts for every text, and its cross error is MSF's and not used.

    Raises:
        ValueError: the task lacks a text kind, or the latent cannot be shared out evenly.
    """
    pairs = [task.texts([kind]) for kind in texts]
    maps = [InputMaps.fit(task.features, seen, alignment) for seen, _ in pairs]
    seen, unseen = (
        [m.texts(t) for m, t in zip(maps, side, strict=True)] for side in zip(*pairs, strict=True)
    )
    features = maps[0].features(task.features).to(device)
    generators = [runtime.generator(seed, "synse") for seed in seeds]
    widths = [part.shape[1] for part in seen]
    parts = Parts(features.shape[1], widths, generators, alignment).to(device)

    def loss(skeletons: Tensor, texts: Tensor, noise: Tensor, cycle: int, step: int):
        return synse_loss(parts, skeletons, texts, noise, cycle, step, alignment)

    states, _ = msf.train_cycles(
        name,
        parts,
        loss,
        features,
        task.labels.to(device),
        torch.cat(seen, dim=1).to(device),
        generators,
        alignment,
        noises=1 + len(texts),
    )
    draws = [runtime.generator(seed, "synse", "latents") for seed in seeds]
    per_class = unseen_classifier.latents_per_class
    latents = [
        msf.draw_latents(states, f"texts.{i}", part, draws, alignment, per_class)
        for i, part in enumerate(unseen)
    ]
    checkpoints = {"inputs": maps[0].tensors, "states": states}
    joined = torch.cat(latents, dim=-1)
    return msf.score_clips(name, checkpoints, joined, task.clips, seeds, unseen_classifier, device)


def synse_loss(
    parts: Parts,
    skeletons: Float[Tensor, "R B D"],
    texts: Float[Tensor, "R B Q"],
    noise: Float[Tensor, "R P B W"],
    cycle: int,
    step: int,
    config: AlignmentConfig,
) -> dict[str, Float[Tensor, " R"]]:
    """Reconstructions, cross reconstructions and KL terms of one step, weighted as released.

    Args:
        texts: of all parts, side by side.
        noise: first the skeleton's, then every text's, of which the first dimensions are used.
    """
    mu_s, logvar_s = parts.skeleton.encode(skeletons)
    latent_s = draw(mu_s, logvar_s, noise[:, 0])
    reconstruction = mean_square(parts.skeleton.decode(latent_s), skeletons)
    cross, kl_text, latents = 0.0, 0.0, []
    halves = latent_s.split(parts.share, dim=-1)
    targets = texts.split(parts.widths, dim=-1)
    for i, (vae, half, target) in enumerate(zip(parts.texts, halves, targets, strict=True), 1):
        mu, logvar = vae.encode(target)
        latents.append(draw(mu, logvar, noise[:, i, :, : parts.share]))
        reconstruction = reconstruction + mean_square(vae.decode(latents[-1]), target)
        kl_text = kl_text + kl_divergence(mu, logvar)
        cross = cross + mean_square(vae.decode(half), target)
    joined = torch.cat(latents, dim=-1)
    figures = {
        "reconstruction": reconstruction,
        "kl_skeleton": kl_divergence(mu_s, logvar_s),
        "kl_text": kl_text,
        "cross": cross + mean_square(parts.skeleton.decode(joined), skeletons),
    }
    weights = msf.weights(cycle, step, config)
    terms = ("kl_skeleton", "kl_text", "cross")
    total = reconstruction + sum(w * figures[k] for w, k in zip(weights, terms, strict=True))
    return {"loss": total} | figures
