"""A space in which clips are compared with seen classes' clips and unseen classes' texts."""

from dataclasses import dataclass

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
        origin: Float[Tensor, " K"],
        axes: Float[Tensor, "K P"],
        seen: Float[Tensor, "S E"],
        regularisation: float,
    ) -> "Space":
        means = class_means((values - origin) @ axes, labels, len(seen))
        centre = means.mean(0)
        weights = dual_weights(seen, means - centre, regularisation)
        return cls(origin, axes, means - centre, centre, weights)

    def cosines(
        self, values: Float[Tensor, "n K"], likeness: Float[Tensor, "U S"]
    ) -> tuple[Float[Tensor, "n S"], Float[Tensor, "n U"]]:
        """Of clips with the seen classes' clips, and with what unseen classes' texts foretell.

        Args:
            likeness: of the unseen classes' texts to the seen ones'.
        """
        placed = F.normalize((values - self.origin) @ self.axes - self.centre, dim=-1)
        return tuple(
            placed @ F.normalize(prototypes, dim=-1).mT
            for prototypes in (self.means, likeness @ self.weights)
        )
