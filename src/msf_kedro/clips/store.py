"""Normalised clips in one ragged tensor: all bodies in a row, and where each clip starts."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Skeletons:
    """Normalised clips.

    Attributes:
        names: of the clips.
        bodies: the bodies of all clips, time innermost.
        first: `bodies[first[n]:first[n + 1]]` are those of clip `n`; one longer than the clips.
    """

    names: list[str]
    bodies: Float[Tensor, "B C V T"]
    first: Int[Tensor, " bounds"]

    def __len__(self) -> int:
        return len(self.first) - 1

    def places(self, names: Iterable[str]) -> Int[Tensor, " n"]:
        """Where some clips are.

        Raises:
            ValueError: a clip is not there.
        """
        wanted = pd.Index(names)
        places = pd.Index(self.names).get_indexer(wanted)
        if (places < 0).any():
            missing = wanted[places < 0]
            raise ValueError(
                f"skeletons: {len(missing)} of {len(wanted)} clips are not there, such as"
                f" {', '.join(missing[:5])}; they come from different runs: rerun the stage"
                " skeletons, and what depends on it"
            )
        return torch.tensor(places)

    def batch(
        self, clips: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, "b C V T"], Int[Tensor, " b"], Int[Tensor, " b"]]:
        """The bodies of some clips, each with its clip's place in `clips`, its own in the clip."""
        counts = self.first[clips + 1] - self.first[clips]
        clip = torch.repeat_interleave(torch.arange(len(clips)), counts)
        starts = torch.cumsum(counts, 0) - counts
        person = torch.arange(len(clip)) - starts[clip]
        return self.bodies[self.first[clips][clip] + person], clip, person
