"""Trainings that break off, and where they keep their state meanwhile."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import torch


class BrokenOffError(Exception):
    """What ends a training before its time."""


class Checkpoint:
    """Keeps a state as bytes, as a file would; breaks off once that has happened `lasts` times."""

    def __init__(self, lasts: int | None = None):
        self.lasts = lasts
        self.kept: bytes | None = None
        self.saved = 0

    def load(self) -> dict[str, Any] | None:
        if self.kept is None:
            return None
        return torch.load(BytesIO(self.kept), weights_only=True)

    def save(self, state: dict[str, Any]) -> None:
        buffer = BytesIO()
        torch.save(state, buffer)
        self.kept = buffer.getvalue()
        self.saved += 1
        if self.saved == self.lasts:
            raise BrokenOffError


def in_pieces(train: Callable[[Checkpoint], Any]) -> tuple[Any, int]:
    """What a training gives that breaks off after each of its epochs, and how often it did."""
    checkpoint, breaks = Checkpoint(), 0
    while True:
        checkpoint.lasts = checkpoint.saved + 1
        try:
            return train(checkpoint), breaks
        except BrokenOffError:
            breaks += 1


def without_seconds(history: list[dict]) -> list[dict]:
    """A history's figures that two trainings can share."""
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]
