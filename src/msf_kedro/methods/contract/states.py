"""Tensors of several objects in one dictionary, as what is fitted saves them."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor


def put(fields: Mapping[str, Tensor | None], name: str) -> dict[str, Tensor]:
    """An object's tensors under names that start with its own, which `take` reads."""
    return {f"{name}.{field}": t for field, t in fields.items() if t is not None}


def take(state: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What `put` gave for this name; empty if there is nothing of it."""
    start = f"{name}."
    return {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
