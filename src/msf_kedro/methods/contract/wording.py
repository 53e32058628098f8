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

    Two halves weigh the same: the encoder's vector of a text, and which parts of the body it names
    (`Texts.body_parts`), each less its mean, of unit norm. The second half of a class whose text
    names no part is zero: it says nothing.

    Attributes:
        mean: of the seen classes' vectors.
        parts: of the seen classes that name some, the share that names each part.
    """

    mean: Float[Tensor, " E"]
    parts: Float[Tensor, " P"]

    @classmethod
    def fit(cls, seen: Texts) -> "Wording":
        """From the texts of the seen classes."""
        parts = seen.body_parts.double()
        naming = parts[parts.any(1)]
        mean = naming.mean(0) if len(naming) else parts.new_zeros(parts.shape[1])
        return cls(seen.fused().double().mean(0), mean)

    def vectors(self, texts: Texts) -> Float[Tensor, "K F"]:
        """Of any classes, of the kinds of the seen ones; of unit norm, or less where half is 0."""
        parts = texts.body_parts.double()
        named = torch.where(parts.any(1, keepdim=True), parts - self.parts, 0)
        halves = (texts.fused().double() - self.mean, named)
        return torch.cat([F.normalize(half, dim=-1) for half in halves], -1) / 2**0.5

    def state(self, name: str) -> dict[str, Tensor]:
        """Its tensors under names that start with a name, which `of_state` reads."""
        return put(vars(self), name)

    @classmethod
    def of_state(cls, state: Mapping[str, Any], name: str) -> "Wording":
        """What `state` gave under this name."""
        return cls(**take(state, name))
