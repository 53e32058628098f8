"""Node functions with some of their keywords given."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any


class Bound:
    """A function and some of its keywords, with the function's name, types and docstring.

    Unlike `functools.partial` it keeps these when it is sent to another process, where Kedro looks
    for them.
    """

    def __init__(self, function: Callable, **keywords: Any):
        self.function = function
        self.keywords = keywords
        update_wrapper(self, function)

    def __call__(self, *inputs: Any, **more: Any) -> Any:
        return self.function(*inputs, **more, **self.keywords)
