"""From a text to its words, and from what texts name to rows of numbers."""

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def words_of(text: str) -> list[str]:
    """A text's words in their order, in small letters."""
    return re.findall("[a-z]+", text.lower())


def rows_of_named(found: Sequence[set[str]], names: Sequence[str]) -> Float[np.ndarray, "n N"]:
    """Of every text, of which `found` is what it names, which of the names: 1 or 0."""
    rows = [[name in of_text for name in names] for of_text in found]
    return np.array(rows, dtype=np.float32).reshape(len(found), len(names))
