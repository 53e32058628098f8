"""Normalised clips in one ragged tensor: all bodies one after the other, and where clips start."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Skeletons:
    """Normalised clips.

    Attributes:
        names: the clips' names, without repetition.
        bodies: the bodies of all clips, time innermost.
        first: `bodies[first[n]:first[n + 1]]` are those of clip `n`; one more than there are clips.
    """

    names: list[str]
    bodies: Float[Tensor, "B C V T"]
    first: Int[Tensor, " bounds"]

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: n for n, name in enumerate(self.names)}

    def places(self, names: Iterable[str]) -> Int[Tensor, " n"]:
        """The places of the clips with these names, in the order given.

        Raises:
            ValueError: some of them are not here; the message says how many and names a few.
        """
        place, names = self._place, list(names)
        if missing := [name for name in names if name not in place]:
            some = ", ".join(missing[:3]) + ", …" * (len(missing) > 3)
            raise ValueError(
                f"{len(missing)} of {len(names)} clips are not among the {len(self)} skeletons:"
                f" {some}; run the stage `skeletons`, and what depends on it, again"
            )
        return torch.tensor([place[name] for name in names], dtype=torch.int64)

    def batch(
        self, clips: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, "b C V T"], Int[Tensor, " b"], Int[Tensor, " b"]]:
        """The bodies of some clips, and for each its clip's place in `clips` and its own in it."""
        counts = self.first[clips + 1] - self.first[clips]
        clip = torch.repeat_interleave(torch.arange(len(clips)), counts)
        starts = torch.cumsum(counts, 0) - counts
        person = torch.arange(len(clip)) - starts[clip]
        return self.bodies[self.first[clips][clip] + person], clip, person
