"""An easy zero-shot problem for every method, and small configurations that solve it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from msf_kedro.methods import configure
from msf_kedro.methods.contract.task import Task
from msf_kedro.texts.fusion import Texts, parse_texts

CPU = torch.device("cpu")
CLASSES, UNSEEN, CLIPS = 32, 8, 15
SEEN_IDS = list(range(1, CLASSES - UNSEEN + 1))
UNSEEN_IDS = list(range(CLASSES - UNSEEN + 1, CLASSES + 1))

GENERATIVE = {
    "latent": 12,
    "cycles": 2,
    "steps": 300,
    "batch_size": 32,
    "learning_rate": 3e-3,
    "noise": "dimension",
    "relu_outputs": False,
    "inputs": "standard",
    "input_rms": 1.0,
    "latents_per_class": 50,
    "classifier_steps": 150,
    "classifier_learning_rate": 0.05,
    "relu_logits": False,
}
SCHEDULES = {
    "kl_slope": 1e-6,
    "skeleton_kl_from": 1,
    "text_kl_from": 2,
    "text_kl_first_cycle": 2,
    "cross_from": 100,
}
RANKING = {"embedding": 10, "text_hidden": 30, "margin": 0.3, "checkpoints": 2}
FIELDS: dict[str, dict[str, Any]] = {
    "msf": GENERATIVE | SCHEDULES | {"cross_error": "mean_square"},
    "synse": GENERATIVE | SCHEDULES,
    "cada_vae": GENERATIVE
    | {"kl_weight": 1e-3, "kl_from": 0.0, "kl_until": 1.0}
    | {"cross_weight": 1.0, "cross_from": 0.2, "cross_until": 0.4}
    | {"distribution_weight": 0.1, "distribution_from": 0.1, "distribution_until": 0.2},
    "revise": RANKING
    | {"code": 20, "contractive_weight": 1e-4, "discrepancy_weight": 1.0, "kernel_sharpness": 32.0}
    | {"batch_size": 128, "learning_rate": 3e-3, "steps": 300, "temperatures": [0.5, 1.0]},
    "jpose": RANKING
    | {"triplet_weight": 0.01, "batch_size": 64, "learning_rate": 1e-2, "steps": 200}
    | {"temperatures": [0.1, 1.0]},
    "ridge": {"regularisations": [0.01, 1.0], "temperatures": [0.1, 1.0]},
    "msf_plus": {"regularisation": 0.1, "shrinkage": 0.5, "components": 20}
    | {"weights": [0.5, 1.0], "temperatures": [0.1, 1.0]},
}
TEXTS = dict.fromkeys(FIELDS, "LB+AD+MD") | {"synse": "noun+verb", "jpose": "verb+noun"}


def make(method: str, **changes) -> Any:
    """A method's configuration; changes that it has no field for are left out."""
    fields = FIELDS[method]
    return configure(method, fields | {k: v for k, v in changes.items() if k in fields})


@dataclass(frozen=True)
class Toy:
    """Clips of all classes, and their classes' words.

    Attributes:
        features: of all clips.
        class_ids: of all clips.
        words: text kind → features, a row per class.
    """

    features: Tensor
    class_ids: Tensor
    words: dict[str, Tensor]

    def texts(self, texts: str, class_ids: Sequence[int] = tuple(UNSEEN_IDS)) -> Texts:
        rows = torch.tensor(class_ids) - 1
        kinds = {kind: self.words[kind][rows] for kind in parse_texts(texts)}
        return Texts(list(class_ids), "toy", kinds)

    def task(self, texts: str) -> Task:
        seen = self.class_ids <= SEEN_IDS[-1]
        labels = self.class_ids[seen] - 1
        return Task(self.features[seen], labels, self.texts(texts, SEEN_IDS), "toy_layout")

    @property
    def unseen(self) -> tuple[Tensor, Tensor]:
        """Clips of unseen classes, and the place of each one's class among them."""
        unseen = self.class_ids > SEEN_IDS[-1]
        return self.features[unseen], self.class_ids[unseen] - UNSEEN_IDS[0]


@pytest.fixture(scope="session")
def toy() -> Toy:
    """32 classes, of which the last 8 are unseen.

    A class has two parts, each of two numbers: its verb and its noun. Texts are random linear
    maps of one or both, features of both with noise and a ReLU.
    """
    generator = torch.Generator().manual_seed(0)

    def randn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    factors = {"verb": randn(CLASSES, 2), "noun": randn(CLASSES, 2)}
    factors |= {kind: torch.cat([*factors.values()], dim=1) for kind in ("LB", "AD", "MD")}
    words = {kind: 1 + value @ randn(value.shape[1], 24) for kind, value in factors.items()}
    places = torch.arange(CLASSES).repeat_interleave(CLIPS)
    features = (1 + 0.5 * factors["LB"][places] @ randn(4, 16)).relu()
    features = (features + 0.05 * randn(*features.shape)).relu()
    return Toy(features, places + 1, words)
