"""Which parts of the body a text names, and on which side.

Sentence embeddings hardly tell "the left hand" from "both hands", and a skeleton shows little else
as clearly. The words are those of anatomy in plain English. Where hips belong, and that several
limbs without a side are those of both, was settled on clips of UTD-MHAD's training subjects.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from msf_kedro.texts.plain_words import rows_of_named, words_of

BODY_PARTS = (
    *("arm", "leg", "torso", "head"),
    *("left_arm", "right_arm", "both_arms", "left_leg", "right_leg", "both_legs"),
)
# A word → the part of the body that it is or belongs to.
WORDS = {
    word: part
    for part, words in {
        "arm": "arm forearm elbow wrist hand palm fist finger thumb",
        "leg": "leg thigh knee ankle foot heel toe",
        "torso": "torso trunk spine body hip",
        "head": "head neck",
    }.items()
    for word in words.split()
}
MANY = {"feet": "foot"}
DIGITS = {"finger", "thumb", "toe"}  # several are of one side, unless the text says more
BOTH = ("left", "right")
SIDES = {"left": ("left",), "right": ("right",), "both": BOTH, "two": BOTH}
REACH = 2  # how many words before a part its side may stand


def body_parts(texts: Sequence[str]) -> Float[np.ndarray, "n P"]:
    """Of every text, which of `BODY_PARTS` it names: 1 or 0.

    A side is one that stands one or two words before ("left hand", "both bent knees"); several
    limbs without a side ("the hands") are those of both sides.
    """
    return rows_of_named([_named(text) for text in texts], BODY_PARTS)


def _named(text: str) -> set[str]:
    words = words_of(text)
    found = set()
    for place, word in enumerate(words):
        several = word in MANY or (word not in WORDS and word.removesuffix("s") in WORDS)
        one = MANY.get(word, word.removesuffix("s") if several else word)
        part = WORDS.get(one)
        if part is None:
            continue
        found.add(part)
        if part in ("arm", "leg"):
            before = [side for side in words[max(0, place - REACH) : place] if side in SIDES]
            if not before and several and one not in DIGITS:
                before = ["both"]
            found |= {f"{side}_{part}" for given in before for side in SIDES[given]}
    for limb in ("arm", "leg"):
        if {f"left_{limb}", f"right_{limb}"} <= found:
            found.add(f"both_{limb}s")
    return found
