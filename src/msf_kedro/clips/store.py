"""Normalised clips in one ragged tensor: all bodies in a row, and where each clip starts."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Skeletons:
    """Normalised clips.

    Attributes:
        bodies: the bodies of all clips, time innermost.
        first: `bodies[first[n]:first[n + 1]]` are those of clip `n`; one longer than the clips.
    """

    bodies: Float[Tensor, "B C V T"]
    first: Int[Tensor, " bounds"]

    def __len__(self) -> int:
        return len(self.first) - 1

    def batch(
        self, clips: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, "b C V T"], Int[Tensor, " b"], Int[Tensor, " b"]]:
        """The bodies of some clips, each with its clip's place in `clips`, its own in the clip."""
        counts = self.first[clips + 1] - self.first[clips]
        clip = torch.repeat_interleave(torch.arange(len(clips)), counts)
        starts = torch.cumsum(counts, 0) - counts
        person = torch.arange(len(clip)) - starts[clip]
        return self.bodies[self.first[clips][clip] + person], clip, person
