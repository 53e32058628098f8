"""How near the words of a new class are to those of known ones."""

import numpy as np
from jaxtyping import Float

from msf_kedro.recognizer.model import KnownClass
from msf_kedro.texts.fusion import fuse


def nearness(new: KnownClass, known: list[KnownClass], told: int = 3) -> str:
    """A sentence on the known classes whose words are nearest to those of a new one.

    It is compared with how near known classes are to the nearest other one, as the cosine of two
    texts alone says little: descriptions in a small vocabulary are all alike.

    Args:
        told: how many of the nearest are named.
    """
    if not known:
        return "there is no other class to compare it with"
    rows = _fused([new, *known])
    cosines = rows[1:] @ rows[0]
    nearest = np.argsort(-cosines, kind="stable")[:told]
    named = [f"{known[n].label} ({known[n].side}, cosine {cosines[n]:.2f})" for n in nearest]
    sentence = f"nearest to {', '.join(named)}"
    if len(known) < 2:
        return sentence
    usual = _nearest_others(rows[1:])
    low, middle, high = np.quantile(usual, [0.1, 0.5, 0.9])
    sentence += f"; known classes have their nearest other at {middle:.2f}"
    if cosines[nearest[0]] > high:
        sentence += ", so it will be hard to tell apart from the first"
    elif cosines[nearest[0]] < low:
        sentence += ", so it lies apart from all that it was trained on: expect little"
    return sentence


def _fused(classes: list[KnownClass]) -> Float[np.ndarray, "K F"]:
    kinds = list(classes[0].features)
    return fuse(np.stack([k.features[kind].numpy() for k in classes]) for kind in kinds)


def _nearest_others(rows: Float[np.ndarray, "K F"]) -> Float[np.ndarray, " K"]:
    """Each row's largest cosine with another one."""
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    return cosines.max(axis=1)
