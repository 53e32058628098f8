"""A tensor that is too large for memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Blocks:
    """A tensor as consecutive blocks of its rows, which every iteration makes anew.

    Attributes:
        shape: of the whole tensor; the blocks' rows add up to its first dimension.
        dtype: of the tensor.
        rows: makes the blocks.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    rows: Callable[[], Iterator[Tensor]]

    def __iter__(self) -> Iterator[Tensor]:
        """The blocks.

        Raises:
            ValueError: they do not make up the tensor.
        """
        length = 0
        for block in self.rows():
            if block.shape[1:] != self.shape[1:] or block.dtype != self.dtype:
                raise ValueError(
                    f"a block is {block.dtype} {tuple(block.shape)}, expected rows of a"
                    f" {self.dtype} {self.shape}"
                )
            length += len(block)
            yield block
        if length != self.shape[0]:
            raise ValueError(f"the blocks have {length} rows in all, expected {self.shape[0]}")
