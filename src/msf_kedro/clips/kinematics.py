"""What a clip's joints reach and how fast they move: features that nothing has to be trained for.

They say in numbers what a description says in words: how high the hands rise, how far a foot
reaches, which limbs move at all.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from msf_kedro.clips.store import Skeletons

AT_ONCE = 4096  # bodies whose figures are computed together


def kinematics(skeletons: Skeletons) -> Float[Tensor, "n K"]:
    """The figures of every clip, the mean over its bodies.

    For each coordinate of each joint, in the units of the normalised skeleton: the smallest and
    the largest value, and the mean distance between one frame and the next; `K` is three times
    joints times coordinates. Frames that lack the body, all zeros, do not count.
    """
    of_bodies = [_of_bodies(part) for part in skeletons.bodies.split(AT_ONCE)]
    return _means(torch.cat(of_bodies), skeletons.first)


def _of_bodies(bodies: Float[Tensor, "B C V T"]) -> Float[Tensor, "B K"]:
    there = bodies.ne(0).flatten(1, 2).any(1)[:, None, None]
    both = there[..., 1:] & there[..., :-1]
    steps = bodies.diff(dim=-1).abs() * both
    figures = [
        bodies.where(there, torch.inf).amin(-1),
        bodies.where(there, -torch.inf).amax(-1),
        steps.sum(-1) / both.sum(-1).clamp(min=1),
    ]
    found = torch.stack(figures, 1).flatten(1)
    return found.where(there.flatten(1).any(1, keepdim=True), 0)  # of a body that is in a frame


def _means(of_bodies: Float[Tensor, "B K"], first: Int[Tensor, " bounds"]) -> Float[Tensor, "n K"]:
    counts = first.diff()
    clip = torch.repeat_interleave(torch.arange(len(counts)), counts)
    totals = of_bodies.new_zeros(len(counts), of_bodies.shape[1]).index_add(0, clip, of_bodies)
    return totals / counts[:, None]
