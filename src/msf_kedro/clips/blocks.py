"""A tensor that is too large for memory."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Blocks:
    """A tensor given as blocks of its rows, one after the other.

    Attributes:
        shape: of the whole tensor; the blocks' rows add up to its first number.
        dtype: of the tensor.
        rows: makes the blocks, anew at each call.
        saved: called when the tensor is safe on disk: what the blocks are made from may go.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    rows: Callable[[], Iterator[Tensor]]
    saved: Callable[[], None]

    @property
    def nbytes(self) -> int:
        """Bytes of the whole tensor."""
        return math.prod(self.shape) * self.dtype.itemsize

    def tensor(self) -> Tensor:
        """The whole tensor, if it is not too large after all.

        Raises:
            ValueError: the blocks do not make up the shape.
        """
        tensor = torch.cat(list(self.rows()))
        if tensor.shape != self.shape:
            raise ValueError(f"blocks of {tuple(tensor.shape)} in all, expected {self.shape}")
        return tensor
