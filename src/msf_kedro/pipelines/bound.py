"""Node functions whose arguments are named like the datasets they read, or are given."""

import inspect
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


def bind(function: Callable, *datasets: str, **given: Any) -> tuple[Callable, dict[str, str]]:
    """A node's function and inputs.

    Every dataset is read into the argument of its name (`params:x` into `x`), unless a value is
    given for that argument. Other values are given too, where the function has such an argument.
    """
    arguments = inspect.signature(function).parameters
    keywords = {name: value for name, value in given.items() if name in arguments}
    inputs = {name.removeprefix("params:"): name for name in datasets}
    read = {argument: name for argument, name in inputs.items() if argument not in keywords}
    return (Bound(function, **keywords) if keywords else function), read
