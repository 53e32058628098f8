"""A space in which clips are compared with classes' clips and with what classes' texts foretell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from msf_kedro.methods.contract.prototypes import class_means, dual_weights


@dataclass(frozen=True)
class Space:
    """The space.

    Attributes:
        origin: subtracted from a clip's values.
        axes: then they are mapped to these.
        means: of the seen classes there, less `centre`.
        centre: their mean.
        weights: from the seen classes' texts to their means, see `dual_weights`.
    """

    origin: Float[Tensor, " K"]
    axes: Float[Tensor, "K P"]
    means: Float[Tensor, "S P"]
    centre: Float[Tensor, " P"]
    weights: Float[Tensor, "S P"]

    @classmethod
    def fit(
        cls,
        values: Float[Tensor, "n K"],
        labels: Int[Tensor, " n"],
        mapped: tuple[Float[Tensor, " K"], Float[Tensor, "K P"]],
        seen: Float[Tensor, "S E"],
        regularisation: float,
    ) -> "Space":
        """From clips of the seen classes.

        Args:
            mapped: origin and axes, as `principal` and `whitened` give them.
            seen: texts of the seen classes, `centred`.
            regularisation: see `dual_weights`.
        """
        origin, axes = mapped
        means = class_means((values - origin) @ axes, labels, len(seen))
        centre = means.mean(0)
        weights = dual_weights(seen, means - centre, regularisation)
        return cls(origin, axes, means - centre, centre, weights)

    def place(self, values: Float[Tensor, "n K"]) -> Float[Tensor, "n P"]:
        """Clips in the space, of unit norm."""
        return F.normalize((values - self.origin) @ self.axes - self.centre, dim=-1)

    def foretell(self, likeness: Float[Tensor, "U S"]) -> Float[Tensor, "U P"]:
        """Where classes' clips should be, of unit norm, by their texts' likeness to seen ones'."""
        return F.normalize(likeness @ self.weights, dim=-1)

    def cosines(
        self, values: Float[Tensor, "n K"], likeness: Float[Tensor, "U S"]
    ) -> tuple[Float[Tensor, "n S"], Float[Tensor, "n U"]]:
        """Of clips with the seen classes' clips, and with what unseen classes' texts foretell."""
        placed = self.place(values)
        return placed @ F.normalize(self.means, dim=-1).mT, placed @ self.foretell(likeness).mT

    def state(self, name: str) -> dict[str, Tensor]:
        """Its tensors under names that start with a name, which `of_state` reads."""
        return {f"{name}.{field}": tensor for field, tensor in vars(self).items()}

    @classmethod
    def of_state(cls, state: Mapping[str, Any], name: str) -> "Space | None":
        """What `state` gave under this name; None if there is nothing of it."""
        start = f"{name}."
        fields = {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
        return cls(**fields) if fields else None
