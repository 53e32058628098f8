"""Pipelines that are made when they are used."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Pipeline


class Later(Pipeline):
    """A pipeline that is not made, and whose nodes' code is not imported, before it is used.

    Kedro asks for all pipelines to list their names or to run one of them. Making them all takes
    seconds: their nodes import PyTorch, and the benchmark has thousands.
    """

    def __init__(self, make: Callable[[], Pipeline]):
        self._make = make

    def __getattr__(self, name: str) -> Any:
        """Called for an attribute that is not there: as long as the pipeline is not made."""
        make = self.__dict__.pop("_make", None)
        if make is None:
            raise AttributeError(name)
        super().__init__(make())
        return getattr(self, name)
