"""Which kinds of movement a text names: where to, what is done, how often and how fast, how high.

As with parts of the body, a skeleton shows them outright and a sentence embedding blurs them:
"rises once" and "rises repeatedly" are one sentence to it. The words are plain English; they are
those of `docs/class_texts.md` and others that mean the same.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from msf_kedro.texts.plain_words import rows_of_named, words_of

# A kind of movement → words that name it, in their plain form.
WORDS = {
    # where to
    "up": "up upward rise raise lift climb",
    "down": "down downward lower drop fall sink",
    "forward": "forward ahead front",
    "backward": "backward back behind",
    "inward": "inward across toward cross",
    "outward": "outward sideways aside apart away",
    "round": "circle round around rotate turn twist roll spin",
    # what is done
    "bend": "bend bent fold curl lean crouch",
    "straighten": "straight straighten stretch extend",
    "swing": "swing sway wave shake",
    "push": "push punch press hit strike thrust tap throw kick",
    "pull": "pull",
    "step": "step walk stride run march",
    "jump": "jump hop leap",
    # when
    "once": "once",
    "repeatedly": "repeatedly repeat again times several",
    "alternately": "alternately alternate turns",
    "together": "together both meet touch join clap",
    "quickly": "quickly quick fast rapidly sudden suddenly briskly",
    "slowly": "slowly slow gently gradually",
    "still": "still stay hold keep rest remain",
    # how high
    "head": "head face overhead above top ear mouth eye neck",
    "chest": "chest shoulder breast",
    "hips": "hip waist belly",
    "ground": "ground floor feet foot knee",
}
MOVEMENTS = tuple(WORDS)


def movements(texts: Sequence[str]) -> Float[np.ndarray, "n M"]:
    """Of every text, which of `MOVEMENTS` it names: 1 or 0."""
    return rows_of_named([_named(text) for text in texts], MOVEMENTS)


def _named(text: str) -> set[str]:
    return set().union(*(KINDS.get(word, set()) for word in words_of(text)))


def _forms(word: str) -> set[str]:
    """A word as plural, in the third person, as participles; some that nobody uses among them."""
    stem, doubled = word.removesuffix("e"), word + word[-1]
    endings = {word + "s", stem + "es", stem + "ed", stem + "ing", doubled + "ed", doubled + "ing"}
    return {word} | endings


KINDS: dict[str, set[str]] = {}  # a word as it may stand in a text → kinds of movement
for movement, words in WORDS.items():
    for word in words.split():
        for form in _forms(word):
            KINDS.setdefault(form, set()).add(movement)
