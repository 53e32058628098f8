"""What a clip's joints reach and how they move: features that nothing has to be trained for.

They say in numbers what a description says in words: how high the hands rise, how far a foot
reaches, which limbs move at all and how fast, whether once or again and again, whether the hands
meet.
"""

from itertools import combinations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from msf_kedro.clips.store import Skeletons

AT_ONCE = 64  # bodies whose figures are computed together: their distances are large
STILL = 0.05  # a way and a range that are not told from none, in the skeleton's units


def width(joints: int, dimensions: int) -> int:
    """How many figures a clip has."""
    return 4 * joints * dimensions + joints * (joints - 1)


def kinematics(skeletons: Skeletons) -> Float[Tensor, "n K"]:
    """The figures of every clip, the mean over its bodies.

    For each coordinate of each joint, in the units of the normalised skeleton: the smallest and
    the largest value, the mean distance between one frame and the next, and the logarithm of the
    whole way over the range, which grows as a movement is repeated. For each pair of joints: their
    smallest and their largest distance. `K` is their `width`. Frames that lack the body, all zeros,
    do not count.
    """
    of_bodies = [figures(part) for part in skeletons.bodies.split(AT_ONCE)]
    return _means(torch.cat(of_bodies), skeletons.first)


def figures(bodies: Float[Tensor, "B C V T"]) -> Float[Tensor, "B K"]:
    """Those of single bodies, all held in memory together."""
    there = bodies.ne(0).flatten(1, 2).any(1)[:, None, None]
    both = there[..., 1:] & there[..., :-1]
    way = ((bodies[..., 1:] - bodies[..., :-1]).abs() * both).sum(-1)
    least, most = _ends(bodies, there)
    repeated = ((way + STILL) / (most - least + STILL)).log()
    first, second = map(list, zip(*combinations(range(bodies.shape[2]), 2), strict=True))
    squares = (bodies[:, :, first] - bodies[:, :, second]).square().sum(1)
    found = [
        *(least, most, way / both.sum(-1).clamp(min=1), repeated),
        *(squared.sqrt() for squared in _ends(squares, there[:, 0])),
    ]
    of_bodies = torch.cat([figure.flatten(1) for figure in found], 1)
    return of_bodies.where(there.flatten(1).any(1, keepdim=True), 0)  # of a body that is in a frame


def _ends(
    values: Float[Tensor, "*axes T"], there: Bool[Tensor, "*ones T"]
) -> tuple[Float[Tensor, "*axes"], Float[Tensor, "*axes"]]:
    """The smallest and the largest over the frames that count."""
    return values.where(there, torch.inf).amin(-1), values.where(there, -torch.inf).amax(-1)


def _means(of_bodies: Float[Tensor, "B K"], first: Int[Tensor, " bounds"]) -> Float[Tensor, "n K"]:
    counts = first.diff()
    clip = torch.repeat_interleave(torch.arange(len(counts)), counts)
    totals = of_bodies.new_zeros(len(counts), of_bodies.shape[1]).index_add(0, clip, of_bodies)
    return totals / counts[:, None]
