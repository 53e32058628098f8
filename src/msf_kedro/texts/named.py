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
