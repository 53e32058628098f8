"""Milliseconds of a training step of the unseen classifiers: the project's, and plain ones.

`project` trains the classifiers of all candidates and seeds at once, error and gradient in one pass
over the samples; `autograd` does so with `F.cross_entropy` and an argmax; `plain loop` trains one
`nn.Linear` after another, as the released code does. All on random latents, 500 a class. The three
take turns in every round.

    OMP_NUM_THREADS=1 python benchmarks/unseen_classifiers.py
"""

import argparse
import statistics
import time

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from msf_kedro import runtime
from msf_kedro.methods.contract.fitted import Latents
from msf_kedro.methods.msf import Msf
from msf_kedro.networks.replicated import ReplicatedLinear

LATENT, PER_CLASS, RATE = 200, 500, 1e-3
SIZES = {  # unseen classes, candidates, seeds
    "UTD-MHAD 22-5": (5, 2, 5),
    "NTU-60 48-12": (12, 10, 5),
    "NTU-120 96-24": (24, 10, 5),
}
CONFIG = {
    **{"latent": LATENT, "cycles": 1, "steps": 1, "batch_size": 64, "learning_rate": RATE},
    **{"noise": "dimension", "relu_outputs": False, "inputs": "standard", "input_rms": 0.6},
    **{"latents_per_class": PER_CLASS, "classifier_learning_rate": RATE, "relu_logits": False},
    **{"kl_slope": 0.0, "skeleton_kl_from": 0, "text_kl_from": 0, "text_kl_first_cycle": 1},
    **{"cross_from": 0, "cross_error": "mean_square"},
}


def project(values: Tensor, steps: int) -> None:
    candidates, seeds, classes = values.shape[:3]
    about = {
        "candidates": [f"cycle {number}" for number in range(candidates)],
        "seeds": list(range(seeds)),
        "config": CONFIG | {"classifier_steps": steps},
    }
    Msf(about, {}, {}).classifier(Latents(list(range(classes)), values), torch.device("cpu"))


def autograd(values: Tensor, steps: int) -> None:
    models, classes = values.shape[0] * values.shape[1], values.shape[2]
    samples = values.reshape(models, classes * PER_CLASS, LATENT)
    generators = [runtime.generator(model, "benchmark") for model in range(models)]
    linear = ReplicatedLinear(LATENT, classes, generators)
    target = torch.arange(classes).repeat_interleave(PER_CLASS).expand(models, -1)
    optimizer = torch.optim.Adam(linear.parameters(), lr=RATE, fused=True)
    for _ in range(steps):
        logits = linear(samples)
        error = F.cross_entropy(logits.transpose(1, 2), target, reduction="none").mean(1)
        (logits.argmax(-1) == target).float().mean()
        optimizer.zero_grad()
        error.sum().backward()
        optimizer.step()


def plain(values: Tensor, steps: int) -> None:
    classes = values.shape[2]
    target = torch.arange(classes).repeat_interleave(PER_CLASS)
    for samples in values.flatten(0, 1).flatten(1, 2):
        linear = nn.Linear(LATENT, classes)
        optimizer = torch.optim.Adam(linear.parameters(), lr=RATE, fused=True)
        for _ in range(steps):
            logits = linear(samples)
            error = F.cross_entropy(logits, target)
            (logits.argmax(-1) == target).float().mean()
            optimizer.zero_grad()
            error.backward()
            optimizer.step()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--steps", type=int, default=10, help="of every classifier, a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sides = {"project": project, "autograd": autograd, "plain loop": plain}
    print("milliseconds of processor time, one step of all classifiers, medians")
    print(f"{'size':16}" + "".join(f"{name:>12}" for name in sides) + "   ratios to the loop")
    for size in options.sizes:
        classes, candidates, seeds = SIZES[size]
        generator = runtime.generator(0, "benchmark")
        shape = (candidates, seeds, classes, PER_CLASS, LATENT)
        values = torch.randn(shape, generator=generator)
        spent = {name: [] for name in sides}
        for number in range(options.rounds + 1):
            for name, train in sides.items():
                started = time.process_time()
                train(values, options.steps)
                if number:  # the first round sets up libraries
                    spent[name].append((time.process_time() - started) / options.steps)
        medians = {name: 1000 * statistics.median(times) for name, times in spent.items()}
        ratios = ", ".join(f"{medians['plain loop'] / medians[name]:.2f}" for name in sides)
        print(f"{size:16}" + "".join(f"{value:12.1f}" for value in medians.values()), " ", ratios)


if __name__ == "__main__":
    main()
