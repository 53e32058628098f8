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


def bind(function: Callable, *datasets: str, **given: Any) -> tuple[Callable, list[str]]:
    """A node's function and inputs.

    Every dataset is read into the argument of its name (`params:x` into `x`), unless a value is
    given for that argument. Other values are given too, where the function has such an argument.
    Those that can be given are a function's last arguments: the inputs are a list in its order, by
    which Kedro finds the types of parameters (it does not in a dictionary).
    """
    arguments = inspect.signature(function).parameters
    keywords = {name: value for name, value in given.items() if name in arguments}
    named = {name.removeprefix("params:"): name for name in datasets}
    inputs = [named[argument] for argument in arguments if argument in named.keys() - keywords]
    return (Bound(function, **keywords) if keywords else function), inputs
