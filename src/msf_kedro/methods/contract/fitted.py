"""The one contract of all methods: fit, describe classes in words, apply to any clips.

    fitted, history = get_method("msf").fit(task, seeds, config, device)
    latents = fitted.latents(texts)                       # of any classes
    classifier, history = fitted.classifier(latents, device)
    logits = classifier.logits(features)                  # of any clips

A method has one model for every candidate (`Y`), among which a protocol chooses, and every seed
(`R`). What is fitted saves as a plain nested dictionary (`state`), which says what made it.
"""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from msf_kedro.methods.contract.task import Task
from msf_kedro.networks.training import Checkpoint, Row
from msf_kedro.texts.fusion import Texts

State = dict[str, Any]
KINEMATICS = "k"  # starts the names of their columns


@dataclass(frozen=True)
class Latents:
    """What a fitted method makes of classes in words.

    Attributes:
        class_ids: of the classes.
        values: `P` latents of each: drawn ones of a generative method, one of any other.
    """

    class_ids: list[int]
    values: Float[Tensor, "Y R K P Z"]

    def state(self) -> State:
        return dict(vars(self))


@dataclass(frozen=True)
class Fitted(ABC):
    """A method fitted to seen clips and seen texts.

    Attributes:
        about: what made it: `method`, `candidates` (their names), `seeds`, `class_ids` (seen),
            `kinds`, `encoder`, `layout`, `widths` (of the skeleton's and each kind's features),
            `kinematics` (how many of the skeleton's are) and the method's `config`.
        shared: tensors that all models share.
        models: tensors of all models, with leading axes `Y` and `R`.
    """

    about: State
    shared: dict[str, Tensor]
    models: dict[str, Tensor]

    Config: ClassVar[type]  # a frozen dataclass, filled from the parameters of the method's name
    SKELETON: ClassVar[str]  # start of the names of the tensors that `project` reads
    APART: ClassVar[bool] = False  # whether each text kind enters by itself, or all fused
    KINEMATICS: ClassVar[bool] = False  # whether it reads kinematics beside the networks' features
    PLAIN_WORDS: ClassVar[bool] = False  # whether it reads what texts name (`Texts.named`)

    @classmethod
    @abstractmethod
    def fit(
        cls,
        task: Task,
        seeds: list[int],
        config: Any,
        device: torch.device,
        name: str = "",
        checkpoint: Checkpoint | None = None,
    ) -> tuple["Fitted", list[Row]]:
        """Fit the method for every seed at once.

        Args:
            seeds: a root seed per replica.
            config: the method's `Config`.
            name: what is fitted, for progress and errors.
            checkpoint: where a long training keeps its state, and from which it goes on to the
                same models if it broke off; a method that takes seconds may ignore it.

        Returns:
            The fitted method, and a history with at least `seconds` per row.

        Raises:
            ValueError: the task does not suit the method.
        """

    @abstractmethod
    def latents(self, texts: Texts) -> Latents:
        """Latents of any classes, from their words.

        Raises:
            ValueError: a text kind is missing, or is not as wide as the seen texts were.
        """

    @abstractmethod
    def project(self, features: Float[Tensor, "n D"], candidate: int) -> Float[Tensor, "R n Z"]:
        """Clips in the space of the latents, by every seed's model.

        Args:
            candidate: the model's place among the candidates, from 0.
        """

    @abstractmethod
    def classifier(
        self, latents: Latents, device: torch.device, name: str = ""
    ) -> tuple["Classifier", list[Row]]:
        """A classifier of the latents' classes, and the history of its training."""

    @classmethod
    def reads(cls, features: pd.DataFrame) -> pd.DataFrame:
        """The columns of a table of features that the method reads; kinematics are the last."""
        if cls.KINEMATICS:
            return features
        return features.loc[:, ~features.columns.str.startswith(KINEMATICS)]

    @classmethod
    def inputs(cls, texts: Texts) -> list[Float[Tensor, "K _"]]:
        """Texts as they enter the method, of unit norm."""
        return texts.apart() if cls.APART else [texts.fused()]

    @classmethod
    def _of(
        cls,
        task: Task,
        seeds: list[int],
        config: Any,
        candidates: list[str],
        shared: dict[str, Tensor],
        models: dict[str, Tensor],
    ) -> "Fitted":
        about = {
            "method": cls.__module__.rpartition(".")[2],
            "candidates": candidates,
            "seeds": list(seeds),
            "class_ids": task.seen.class_ids,
            "kinds": list(task.seen.kinds),
            "encoder": task.seen.encoder,
            "layout": task.layout,
            "widths": {"skeleton": task.features.shape[1]} | task.seen.widths,
            "kinematics": task.kinematics,
            "config": asdict(config),
        }
        return cls(about, shared, models)

    @cached_property
    def config(self) -> Any:
        """The configuration that it was fitted with."""
        return self.Config(**self.about["config"])

    @property
    def seeds(self) -> list[int]:
        return self.about["seeds"]

    def state(self) -> State:
        """Plain values and tensors; `methods.load_fitted` reads them."""
        return {"about": self.about, "shared": self.shared, "models": self.models}

    def skeleton_side(self) -> "Fitted":
        """All that `project` needs, and no more."""
        kept = {k: v for k, v in self.models.items() if k.startswith(self.SKELETON)}
        return replace(self, models=kept)

    def pick(self, candidate: int, replica: int) -> "Fitted":
        """One model alone: its place among the candidates and among the seeds, from 0."""
        about = self.about | {
            "candidates": [self.about["candidates"][candidate]],
            "seeds": [self.seeds[replica]],
        }
        models = {k: _one(v, candidate, replica) for k, v in self.models.items()}
        return replace(self, about=about, models=models)

    def check_texts(self, texts: Texts) -> Texts:
        """The text kinds that the method was fitted with, in its order.

        Raises:
            ValueError: a kind is missing, of another encoder, or of another width.
        """
        kinds, widths = self.about["kinds"], self.about["widths"]
        if missing := [kind for kind in kinds if kind not in texts.kinds]:
            raise ValueError(
                f"{self.about['method']} was fitted with texts {'+'.join(kinds)}; the classes to"
                f" describe lack {', '.join(missing)}"
            )
        if texts.encoder != self.about["encoder"]:
            raise ValueError(
                f"{self.about['method']} was fitted with texts of encoder"
                f" {self.about['encoder']!r}, but these are of {texts.encoder!r}"
            )
        for kind in kinds:
            if texts.widths[kind] != widths[kind]:
                raise ValueError(
                    f"{self.about['method']}: {kind} has {texts.widths[kind]} dimensions, expected"
                    f" {widths[kind]}"
                )
        return texts.of(kinds)


@dataclass(frozen=True)
class Classifier:
    """A linear soft-max classifier in the space of a fitted method's latents.

    Attributes:
        fitted: the method; only its skeleton side is needed.
        class_ids: of the classes among which clips are classified.
        weight: of the linear map.
        bias: of the linear map.
        relu: whether a ReLU follows the logits.
        temperatures: soft-max temperatures to choose from on calibration clips; only 1 where the
            classifier was trained as a soft-max classifier.
    """

    fitted: Fitted
    class_ids: list[int]
    weight: Float[Tensor, "Y R Z K"]
    bias: Float[Tensor, "Y R 1 K"]
    relu: bool
    temperatures: list[float]

    @property
    def candidates(self) -> list[str]:
        return self.fitted.about["candidates"]

    @property
    def seeds(self) -> list[int]:
        return self.fitted.seeds

    def state(self) -> State:
        """Plain values and tensors; `methods.load_classifier` reads them."""
        return vars(self) | {"fitted": self.fitted.skeleton_side().state()}

    def logits(self, features: Float[Tensor, "n D"]) -> Float[Tensor, "Y R n K"]:
        """Logits of any clips, by every model.

        Raises:
            ValueError: features are not as wide as those that the method was fitted to.
        """
        expected = self.fitted.about["widths"]["skeleton"]
        if features.shape[1] != expected:
            raise ValueError(
                f"features have {features.shape[1]} dimensions, expected {expected}: they are not"
                " of the network that the method was fitted to"
            )
        logits = torch.stack(  # one candidate at a time: the latents of many clips fill gigabytes
            [
                self.fitted.project(features, candidate) @ weight + bias
                for candidate, (weight, bias) in enumerate(zip(self.weight, self.bias, strict=True))
            ]
        )
        return (logits.relu() if self.relu else logits).float()

    def probs(
        self, features: Float[Tensor, "n D"], candidate: int, seed: int, temperature: float
    ) -> Float[Tensor, "n K"]:
        """Probabilities by one model.

        Args:
            candidate: its number, from 1.
            seed: its root seed.

        Raises:
            ValueError: there is no such model.
        """
        if not 1 <= candidate <= len(self.candidates) or seed not in self.seeds:
            raise ValueError(
                f"candidate {candidate} of seed {seed} is asked for, but the classifier has"
                f" {len(self.candidates)} candidates and seeds {self.seeds}: what chose it and the"
                " classifier are of different runs; rerun the alignment"
            )
        logits = self.pick(candidate - 1, self.seeds.index(seed)).logits(features)[0, 0]
        return (logits / temperature).softmax(-1)

    def pick(self, candidate: int, replica: int) -> "Classifier":
        """One model alone: its place among the candidates and among the seeds, from 0."""
        weight, bias = (_one(tensor, candidate, replica) for tensor in (self.weight, self.bias))
        return replace(self, fitted=self.fitted.pick(candidate, replica), weight=weight, bias=bias)


def _one(models: Float[Tensor, "Y R ..."], candidate: int, replica: int) -> Tensor:
    """One model's tensor; a copy, as a view is saved with all that it is a view of."""
    return models[candidate : candidate + 1, replica : replica + 1].clone()
