"""Transductive inference: the unlabelled clips that are there together tell of each other's class.

A method names an unseen class's clips by its words. Clips that lie together are mostly of one
class, whatever the method says of the single one; so where all clips are at hand, the clips that a
method takes for an unseen class give its prototype, beside which each is judged again. Seen and
unseen clips are mixed, nobody says which are which, no label is read, and nothing supposes that
classes are equally frequent.
"""

import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from msf_kedro.joins import rows_of
from msf_kedro.zero_shot.protocols import TRAINING_SUBJECTS

# Chosen on calibration clips of UTD-MHAD; twice or half of them is as good (docs/methods.md).
TEMPERATURE = 0.05  # of the soft-max over cosines
ROUNDS = 10
KEPT = 0.5  # of a prototype's start; without it, frequent classes take in rare ones
FLOOR = 1e-6  # of a method's probabilities: its neighbours can overrule a method that is sure


def refine(
    probs: pd.DataFrame, places: pd.DataFrame, seen: Float[Tensor, "S P"], roles: pd.DataFrame
) -> pd.DataFrame:
    """Probabilities over the unseen classes, refined by what lies beside each clip.

    Clips of training subjects and those of test subjects are refined apart: the strict protocol
    fits gates on the former, and may look at no test subject.

    Args:
        probs: a column per unseen class; by candidate, seed and clip name.
        places: of these clips in a space of unit norm, by name.
        seen: prototypes of the seen classes there.
        roles: `name` and `part`; nothing else of them is read.
    """
    training = set(roles.name[roles.part.isin(TRAINING_SUBJECTS)])
    names = probs.index.get_level_values("name")
    parts = []
    for _, group in probs.groupby(["candidate", "seed", names.isin(training)], sort=False):
        mine = rows_of(places, group.index.get_level_values("name"), "places")
        values = torch.tensor(mine.to_numpy()), seen, torch.tensor(group.to_numpy())
        parts.append(pd.DataFrame(refined(*values).numpy(), group.index, group.columns))
    return pd.concat(parts).loc[probs.index]


def refined(
    clips: Float[Tensor, "n P"], seen: Float[Tensor, "S P"], probs: Float[Tensor, "n U"]
) -> Float[Tensor, "n U"]:
    """The probabilities of clips that are looked at together.

    The prototypes of unseen classes start as means of all clips, each weighted by its probability
    and by how far it is from every seen class. Again and again they move half-way from there to
    the means of the clips weighted by the part of each that falls to the class, among all classes,
    seen ones too. At last a clip's probabilities are multiplied by its likeness to the prototypes.

    Args:
        clips: in a space of unit norm.
        seen: prototypes of the seen classes there, of unit norm.
        probs: the method's, over the unseen classes.
    """
    clips, seen = clips.double(), seen.double()
    said = probs.double().clamp(min=FLOOR).log()
    near = clips @ seen.mT
    nearest = near.amax(1, keepdim=True)
    start = prototypes = _means(clips, said.exp() * (nearest.max() - nearest))
    for _ in range(ROUNDS):
        like = clips @ prototypes.mT / TEMPERATURE
        parts = torch.cat([near / TEMPERATURE, like + said], 1).softmax(1)[:, len(seen) :]
        moved = KEPT * start + (1 - KEPT) * _means(clips, parts)
        prototypes = F.normalize(moved, dim=-1)
    like = clips @ prototypes.mT / TEMPERATURE
    return (said + like.log_softmax(1)).softmax(1).to(probs.dtype)


def _means(clips: Float[Tensor, "n P"], weights: Float[Tensor, "n U"]) -> Float[Tensor, "U P"]:
    """Weighted means of clips, of unit norm."""
    return F.normalize(weights.mT @ clips, dim=-1)
