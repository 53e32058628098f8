"""An easy zero-shot problem for every method, and small configs that solve it."""

import pytest
import torch

from msf_kedro.methods.cada_vae import CadaVaeConfig
from msf_kedro.methods.contract.task import Task
from msf_kedro.methods.jpose import JposeConfig
from msf_kedro.methods.msf import AlignmentConfig, UnseenClassifierConfig
from msf_kedro.methods.revise import ReviseConfig
from msf_kedro.methods.ridge import RidgeConfig

ALIGNMENT = AlignmentConfig(
    latent=12,
    cycles=2,
    steps=300,
    batch_size=32,
    learning_rate=3e-3,
    noise="dimension",
    relu_outputs=False,
    inputs="standard",
    input_rms=1.0,
    kl_slope=1e-6,
    skeleton_kl_from=1,
    text_kl_from=2,
    text_kl_first_cycle=2,
    cross_from=100,
    cross_error="mean_square",
)
CLASSIFIER = UnseenClassifierConfig(
    latents_per_class=50, steps=150, learning_rate=0.05, relu_logits=False
)
CADA_VAE = CadaVaeConfig(
    kl_weight=1e-3,
    kl_from=0.0,
    kl_until=1.0,
    cross_weight=1.0,
    cross_from=0.2,
    cross_until=0.4,
    distribution_weight=0.1,
    distribution_from=0.1,
    distribution_until=0.2,
)
REVISE = ReviseConfig(
    code=20,
    embedding=10,
    text_hidden=30,
    margin=0.3,
    contractive_weight=1e-4,
    discrepancy_weight=1.0,
    kernel_sharpness=32.0,
    batch_size=128,
    learning_rate=3e-3,
    steps=300,
    checkpoints=2,
    temperatures=[0.5, 1.0],
)
JPOSE = JposeConfig(
    embedding=10,
    text_hidden=30,
    margin=0.3,
    triplet_weight=0.01,
    batch_size=64,
    learning_rate=1e-2,
    steps=200,
    checkpoints=2,
    temperatures=[0.1, 1.0],
)
RIDGE = RidgeConfig(regularisations=[0.01, 1.0], temperatures=[0.1, 1.0])


@pytest.fixture(scope="session")
def toy() -> tuple[Task, torch.Tensor]:
    """A task, and the classes of its clips.

    A class has two parts, each of two numbers: its verb and its noun. Texts are random linear
    maps of one or both, features of both with noise and a ReLU. 8 of 32 classes are unseen.
    """
    generator = torch.Generator().manual_seed(0)

    def randn(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    classes, unseen, clips = 32, 8, 15
    factors = {"verb": randn(classes, 2), "noun": randn(classes, 2)}
    factors |= {kind: torch.cat([*factors.values()], dim=1) for kind in ("LB", "AD", "MD")}
    texts = {kind: 1 + value @ randn(value.shape[1], 24) for kind, value in factors.items()}
    labels = torch.arange(classes).repeat_interleave(clips)
    features = (1 + 0.5 * factors["LB"][labels] @ randn(4, 16)).relu()
    features = (features + 0.05 * randn(*features.shape)).relu()
    seen = labels < classes - unseen
    task = Task(
        features=features[seen],
        labels=labels[seen],
        seen={kind: text[:-unseen] for kind, text in texts.items()},
        unseen={kind: text[-unseen:] for kind, text in texts.items()},
        clips=features[~seen],
    )
    return task, labels[~seen] - (classes - unseen)
