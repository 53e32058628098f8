"""What texts name in plain words that a skeleton shows: parts of the body, kinds of movement."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from msf_kedro.texts.body_parts import BODY_PARTS, body_parts
from msf_kedro.texts.movements import MOVEMENTS, movements

NAMED = (*(f"part_{part}" for part in BODY_PARTS), *(f"moves_{kind}" for kind in MOVEMENTS))


def named(texts: Sequence[str]) -> Float[np.ndarray, "n N"]:
    """Of every text, which of `NAMED` it names: 1 or 0."""
    return np.concatenate([body_parts(texts), movements(texts)], axis=1)


def told(texts: Sequence[str]) -> str:
    """What some texts of one class name, in words for people."""
    parts, kinds = body_parts(texts).any(0), movements(texts).any(0)
    limbs = [p.replace("_", " ") for p, there in zip(BODY_PARTS, parts, strict=True) if there]
    moves = [kind for kind, there in zip(MOVEMENTS, kinds, strict=True) if there]
    return (
        f"its words name {', '.join(limbs) or 'no part of the body'}; of movements"
        f" {', '.join(moves) or 'none'}"
    )
