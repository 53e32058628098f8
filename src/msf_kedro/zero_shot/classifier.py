"""What protocols and decisions need of a classifier of unseen classes, of whatever method."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class UnseenClassifier(Protocol):
    """Classifiers of several candidates and seeds; `methods.contract` has the real one.

    Attributes:
        class_ids: of the classes, in the order of the logits.
        candidates: names of the candidates.
        seeds: root seeds.
        temperatures: soft-max temperatures to choose from.
    """

    class_ids: list[int]
    candidates: list[str]
    seeds: list[int]
    temperatures: list[float]

    def logits(self, features: Tensor) -> Tensor:
        """Features `(n, D)` of clips to logits `(Y, R, n, K)` by every candidate and seed."""

    def probs(self, features: Tensor, candidate: int, seed: int, temperature: float) -> Tensor:
        """Probabilities `(n, K)` by one candidate (from 1) and root seed."""

    def pick(self, candidate: int, replica: int) -> "UnseenClassifier":
        """One model alone, by its places from 0."""
