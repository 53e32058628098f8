"""Text features of classes by kind, and their fusion."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from msf_kedro.texts.body_parts import BODY_PARTS
from msf_kedro.texts.named import NAMED

NAMES = "names_"  # starts the names of the columns that tell which of `NAMED` a text names
# Text kind → its column in the class text table.
TEXT_COLUMNS = {
    "LB": "label",
    "AD": "action_description",
    "MD": "motion_description",
    "verb": "verb",
    "noun": "noun",
}


def parse_texts(texts: str) -> list[str]:
    """The text kinds of a combination such as `LB+AD+MD`.

    Raises:
        ValueError: a kind is unknown or comes twice.
    """
    kinds = texts.split("+")
    if not set(kinds) <= set(TEXT_COLUMNS) or len(set(kinds)) < len(kinds):
        known = ", ".join(TEXT_COLUMNS)
        raise ValueError(f"texts is {texts!r}, expected kinds of {known} joined by +")
    return kinds


def fuse(parts: Iterable[Float[np.ndarray, "K _"]]) -> Float[np.ndarray, "K F"]:
    """Concatenate the kinds' features and L2-normalise the whole (MSF, section 3.2)."""
    joined = np.concatenate(list(parts), axis=1)
    return joined / np.linalg.norm(joined, axis=1, keepdims=True)


@dataclass(frozen=True)
class Texts:
    """What a text encoder makes of the words for some classes.

    Attributes:
        class_ids: of the rows.
        encoder: the encoder's name.
        kinds: text kind → the encoder's raw outputs, a row per class; the order counts.
        named: text kind → which of `NAMED` the words name, 1 or 0; a kind that is not there names
            none.
    """

    class_ids: list[int]
    encoder: str
    kinds: dict[str, Float[Tensor, "K _"]]
    named: dict[str, Float[Tensor, "K N"]] = field(default_factory=dict)

    def __post_init__(self):
        if not self.kinds or not self.class_ids:
            raise ValueError("texts: expected at least one kind and one class")
        for kind, rows in self.kinds.items():
            if len(rows) != len(self.class_ids):
                raise ValueError(
                    f"texts: {len(rows)} rows of {kind}, expected one for each of"
                    f" {len(self.class_ids)} classes"
                )

    @classmethod
    def of_table(
        cls,
        text_features: pd.DataFrame,
        kinds: Sequence[str],
        class_ids: Sequence[int],
        encoder: str,
    ) -> "Texts":
        """Some kinds' features of some classes, in the order asked for.

        Args:
            text_features: features indexed by `kind` and `class_id`; columns that start with
                `NAMES` say which of `NAMED` the words name.

        Raises:
            ValueError: there are no features of a kind, or of a class, or other things are named.
        """
        there = text_features.index.unique("kind").tolist()
        if missing := [kind for kind in kinds if kind not in there]:
            raise ValueError(
                f"text features: none of the kinds {', '.join(missing)}, only {', '.join(there)}"
            )
        features, named = {}, {}
        plain = [column for column in text_features if column.startswith(NAMES)]
        if plain and plain != [f"{NAMES}{name}" for name in NAMED]:
            raise ValueError(
                "text features: what the words name was looked up by another version of the"
                " project; make them anew: `kedro run --pipelines=semantics`"
            )
        for kind in kinds:
            table = text_features.loc[kind]
            if lacking := sorted(set(class_ids) - set(table.index)):
                raise ValueError(f"text features: {kind} lacks classes {lacking}")
            rows = table.loc[list(class_ids)]
            features[kind] = torch.tensor(rows.drop(columns=plain).to_numpy(dtype=np.float32))
            if plain:
                named[kind] = torch.tensor(rows[plain].to_numpy(dtype=np.float32))
        return cls(list(class_ids), encoder, features, named)

    def of(self, kinds: Iterable[str]) -> "Texts":
        """Some of the kinds, in the order asked for."""
        kinds = list(kinds)
        named = {kind: self.named[kind] for kind in kinds if kind in self.named}
        return replace(self, kinds={kind: self.kinds[kind] for kind in kinds}, named=named)

    @property
    def widths(self) -> dict[str, int]:
        """Dimensions of each kind's features."""
        return {kind: rows.shape[1] for kind, rows in self.kinds.items()}

    @property
    def body_parts(self) -> Float[Tensor, "K P"]:
        """Which of `BODY_PARTS` the words of any kind name: 1 or 0."""
        return self._named()[:, : len(BODY_PARTS)]

    @property
    def movements(self) -> Float[Tensor, "K M"]:
        """Which of `MOVEMENTS` the words of any kind name: 1 or 0."""
        return self._named()[:, len(BODY_PARTS) :]

    def _named(self) -> Float[Tensor, "K N"]:
        none = torch.zeros(len(self.class_ids), len(NAMED))
        return torch.stack([none, *self.named.values()]).amax(0)

    def fused(self) -> Float[Tensor, "K F"]:
        """All kinds, fused."""
        return torch.from_numpy(fuse(rows.numpy() for rows in self.kinds.values()))

    def apart(self) -> list[Float[Tensor, "K _"]]:
        """Each kind by itself, L2-normalised."""
        return [torch.from_numpy(fuse([rows.numpy()])) for rows in self.kinds.values()]
