"""A space in which clips are compared with classes' clips and with what classes' texts foretell."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from msf_kedro.methods.contract.prototypes import class_means, dual_weights, principal, whitening
from msf_kedro.methods.contract.states import put, take

# Of spaces that no study configures; `msf_plus` has its own under these names.
SHRINKAGE, COMPONENTS, REGULARISATION = 0.5, 60, 1.0
NEIGHBOURS = 5  # seen classes that say how crowded a place is


@dataclass(frozen=True)
class Space:
    """The space: clips' values, whitened within classes, seen from the mean of the classes.

    Attributes:
        origin: subtracted from a clip's values.
        axes: then they are mapped to these.
        means: of the seen classes there, less `centre`.
        centre: their mean.
        weights: from the seen classes' texts to their means, see `dual_weights`; None before
            `foretelling`.
    """

    origin: Float[Tensor, " K"]
    axes: Float[Tensor, "K P"]
    means: Float[Tensor, "S P"]
    centre: Float[Tensor, " P"]
    weights: Float[Tensor, "S P"] | None = None

    @classmethod
    def fit(
        cls,
        values: Float[Tensor, "n K"],
        labels: Int[Tensor, " n"],
        classes: int,
        shrinkage: float = SHRINKAGE,
        components: int | None = None,
    ) -> "Space":
        """From clips of the seen classes.

        Args:
            labels: of each clip its class, from 0.
            shrinkage: see `whitening`.
            components: how many `principal` axes are kept first; None: the values stay as they are.
        """
        origin, axes = values.mean(0), torch.eye(values.shape[1]).to(values)
        if components is not None:
            origin, axes = principal(values, components)
        placed = (values - origin) @ axes
        white = whitening(placed, labels, class_means(placed, labels, classes), shrinkage)
        means = class_means(placed @ white, labels, classes)
        centre = means.mean(0)
        return cls(origin, axes @ white, means - centre, centre)

    def foretelling(
        self, seen: Float[Tensor, "S E"], regularisation: float = REGULARISATION
    ) -> "Space":
        """The space that also foretells classes from texts.

        Args:
            seen: vectors of the seen classes' texts.
            regularisation: see `dual_weights`.
        """
        return replace(self, weights=dual_weights(seen, self.means, regularisation))

    def place(self, values: Float[Tensor, "n K"]) -> Float[Tensor, "n P"]:
        """Clips in the space, of unit norm."""
        return F.normalize((values - self.origin) @ self.axes - self.centre, dim=-1)

    def seen(self) -> Float[Tensor, "S P"]:
        """The means of the seen classes' clips, of unit norm."""
        return F.normalize(self.means, dim=-1)

    def foretell(self, likeness: Float[Tensor, "U S"]) -> Float[Tensor, "U P"]:
        """Where classes' clips should be, of unit norm, by their texts' likeness to seen ones'."""
        return F.normalize(likeness @ self.weights, dim=-1)

    def crowding(self, places: Float[Tensor, "U P"]) -> Float[Tensor, " U"]:
        """Half the mean cosine with the nearest seen classes, of places of unit norm.

        Where seen classes lie close together, clips of any class lie near: less this, cosines with
        such places can be compared with those elsewhere (CSLS: Conneau et al., 2018, section 2.3;
        of its two terms the clip's own is the same for all classes).
        """
        cosines = self.seen() @ places.mT
        return cosines.topk(min(NEIGHBOURS, len(cosines)), dim=0).values.mean(0) / 2

    def cosines(
        self, values: Float[Tensor, "n K"], likeness: Float[Tensor, "U S"]
    ) -> tuple[Float[Tensor, "n S"], Float[Tensor, "n U"]]:
        """Of clips with the seen classes' clips, and with what unseen classes' texts foretell."""
        placed = self.place(values)
        return placed @ self.seen().mT, placed @ self.foretell(likeness).mT

    def state(self, name: str) -> dict[str, Tensor]:
        """Its tensors under names that start with a name, which `of_state` reads."""
        return put(vars(self), name)

    @classmethod
    def of_state(cls, state: Mapping[str, Any], name: str) -> "Space | None":
        """What `state` gave under this name; None if there is nothing of it."""
        fields = take(state, name)
        return cls(**fields) if fields else None
