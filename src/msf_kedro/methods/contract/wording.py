"""Texts as vectors whose inner products say how alike two classes are described."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from msf_kedro.methods.contract.states import put, take
from msf_kedro.texts.fusion import Texts


@dataclass(frozen=True)
class Wording:
    """What texts are compared with: the mean of the seen classes.

    Three thirds weigh the same: the encoder's vector of a text, which parts of the body it names
    (`Texts.body_parts`), and which movements (`Texts.movements`), each less its mean, of unit norm.
    A third of which a class's text names nothing is zero: it says nothing.

    Attributes:
        mean: of the seen classes' vectors.
        parts: of the seen classes that name some, the share that names each part.
        movements: the same of movements.
    """

    mean: Float[Tensor, " E"]
    parts: Float[Tensor, " P"]
    movements: Float[Tensor, " M"]

    @classmethod
    def fit(cls, seen: Texts) -> "Wording":
        """From the texts of the seen classes."""
        return cls(
            seen.fused().double().mean(0),
            _share(seen.body_parts.double()),
            _share(seen.movements.double()),
        )

    def vectors(self, texts: Texts) -> Float[Tensor, "K F"]:
        """Of any classes, of the kinds of the seen ones; of unit norm, less where a third is 0."""
        thirds = (
            texts.fused().double() - self.mean,
            _less(texts.body_parts.double(), self.parts),
            _less(texts.movements.double(), self.movements),
        )
        return torch.cat([F.normalize(third, dim=-1) for third in thirds], -1) / 3**0.5

    def state(self, name: str) -> dict[str, Tensor]:
        """Its tensors under names that start with a name, which `of_state` reads."""
        return put(vars(self), name)

    @classmethod
    def of_state(cls, state: Mapping[str, Any], name: str) -> "Wording":
        """What `state` gave under this name."""
        return cls(**take(state, name))


def _share(named: Float[Tensor, "K N"]) -> Float[Tensor, " N"]:
    """Of the classes that name something, the share that names each thing."""
    naming = named[named.any(1)]
    return naming.mean(0) if len(naming) else named.new_zeros(named.shape[1])


def _less(named: Float[Tensor, "K N"], share: Float[Tensor, " N"]) -> Float[Tensor, "K N"]:
    """What classes name less the share that does; 0 for one that names nothing."""
    return torch.where(named.any(1, keepdim=True), named - share, 0)
