"""Speed of MSF's alignment: all seeds in one batched training against a plain loop.

Both train the same networks on the same random numbers of a data set's size, with the same inputs
(`standard`, this project's default, or `raw`, the release's), loss, batch size and optimiser:

- `batched`: `Msf.fit`, all seeds at once, features in memory;
- `plain`: one seed after another, `nn.Linear` layers, and for every step a batch from
  `next(iter(loader))` of a shuffling `DataLoader`, as the released code has it.

A step of one seed is one step: batched training of 5 seeds makes 5 at a time. The rounds
alternate, so that both meet the same load of the machine; the table has each one's fastest round.

    python benchmarks/alignment.py --inputs standard --seeds 5 --steps 200 --rounds 3
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from msf_kedro import runtime
from msf_kedro.methods.contract.generative import (
    feature_map,
    standardise_features,
    standardise_texts,
    text_map,
)
from msf_kedro.methods.contract.task import Task
from msf_kedro.methods.msf import Msf, MsfConfig
from msf_kedro.texts.fusion import Texts

SIZES = {  # training clips, feature dimensions, seen classes, text dimensions (three texts)
    "UTD-MHAD": (350, 128, 22, 1152),
    "NTU-60": (36_000, 256, 55, 1536),
}


class PlainVAE(nn.Module):
    """One seed's linear VAE."""

    def __init__(self, inputs: int, latent: int):
        super().__init__()
        self.to_mu = nn.Linear(inputs, latent)
        self.to_logvar = nn.Linear(inputs, latent)
        self.from_latent = nn.Linear(latent, inputs)

    def forward(self, x, generator):
        mu, logvar = self.to_mu(x), self.to_logvar(x)
        noise = torch.randn(mu.shape, generator=generator).to(x.device)
        return mu + (0.5 * logvar).exp() * noise, mu, logvar


def config(inputs: str, steps: int) -> MsfConfig:
    """Every term of the loss counts from the first step on."""
    return MsfConfig(
        latent=100,
        cycles=1,
        steps=steps,
        batch_size=64,
        learning_rate=1e-4,
        noise="dimension",
        relu_outputs=inputs == "raw",
        inputs=inputs,
        input_rms=0.6,
        latents_per_class=1,
        classifier_steps=1,
        classifier_learning_rate=1e-3,
        relu_logits=False,
        kl_slope=1e-5,
        skeleton_kl_from=0,
        text_kl_from=0,
        text_kl_first_cycle=1,
        cross_from=0,
        cross_error="mean_square",
    )


def batched(features, labels, texts, seeds: int, settings: MsfConfig, device) -> None:
    """All seeds at once, as the project trains them."""
    seen = Texts(list(range(len(texts))), "random", {"LB": texts})
    task = Task(features, labels, seen, "none")
    Msf.fit(task, list(range(seeds)), settings, device, "batched")


def plain(features, labels, texts, seeds: int, settings: MsfConfig, device) -> None:
    """One seed after another, with a data loader."""
    shared = feature_map(features, settings)
    shared |= {f"text0.{name}": value for name, value in text_map(texts, settings).items()}
    features, texts = standardise_features(features, shared), standardise_texts(texts, shared, 0)
    for seed in range(seeds):
        generator = runtime.generator(seed, "benchmark")
        loader = DataLoader(
            TensorDataset(features, labels), settings.batch_size, shuffle=True, generator=generator
        )
        skeleton = PlainVAE(features.shape[1], settings.latent).to(device)
        text = PlainVAE(texts.shape[1], settings.latent).to(device)
        parameters = [*skeleton.parameters(), *text.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=settings.learning_rate, fused=True)
        for step in range(settings.steps):
            x, classes = next(iter(loader))
            x, t = x.to(device), texts[classes].to(device)
            weights = settings.weights(1, step)
            loss = plain_loss(skeleton, text, x, t, weights, generator, settings.relu_outputs)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def plain_loss(skeleton, text, x, t, weights, generator, relu: bool) -> torch.Tensor:
    """The terms of `Msf.loss`, of one seed."""
    mse = nn.functional.mse_loss
    latent_x, mu_x, logvar_x = skeleton(x, generator)
    latent_t, mu_t, logvar_t = text(t, generator)

    def decode(vae, latent):
        output = vae.from_latent(latent)
        return output.relu() if relu else output

    def kl(mu, logvar):
        return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(-1).mean()

    weight_x, weight_t, weight_cross = weights
    return (
        mse(decode(skeleton, latent_x), x)
        + mse(decode(text, latent_t), t)
        + weight_x * kl(mu_x, logvar_x)
        + weight_t * kl(mu_t, logvar_t)
        + weight_cross * (mse(decode(skeleton, latent_t), x) + mse(decode(text, latent_x), t))
    )


def problem(size: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random features, labels and texts of a data set's size."""
    clips, dimensions, classes, text = SIZES[size]
    generator = runtime.generator(0, "benchmark")
    features = torch.rand(clips, dimensions, generator=generator)
    labels = torch.randint(classes, (clips,), generator=generator)
    texts = nn.functional.normalize(torch.randn(classes, text, generator=generator))
    return features, labels, texts


def seconds(run: Callable, *arguments) -> float:
    """Wall time of one run, to the end of what it started on the device."""
    started = time.perf_counter()
    run(*arguments)
    return time.perf_counter() - started


def main() -> None:
    """Read the options, run, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--inputs", choices=("standard", "raw"), default="standard")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200, help="per seed and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    device = runtime.pick_device(options.device)
    print(
        f"{options.inputs} inputs, {options.seeds} seeds of {options.steps} steps, {device},"
        f" best of {options.rounds}"
    )
    print(f"{'steps per second':18} {'batched':>9} {'plain':>9} {'ratio':>7}")
    for size in options.sizes:
        data = problem(size)
        for run in (batched, plain):  # not timed: first calls set up libraries
            run(*data, options.seeds, config(options.inputs, 3), device)
        arguments = (*data, options.seeds, config(options.inputs, options.steps), device)
        times = torch.tensor(
            [[seconds(run, *arguments) for run in (batched, plain)] for _ in range(options.rounds)]
        )
        rates = options.seeds * options.steps / times.amin(0)
        print(f"{size:18} {rates[0]:9.0f} {rates[1]:9.0f} {rates[0] / rates[1]:7.1f}")


if __name__ == "__main__":
    main()
