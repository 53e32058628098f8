"""Node functions whose arguments are named like the datasets they read, or are given."""

import inspect
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any


class Bound(partial):
    """A function and some of its keywords, with the function's name, types and docstring.

    Kedro looks for these, also in another process, where a plain `partial` has lost them.
    """

    def __new__(cls, function: Callable, /, **keywords: Any):
        return update_wrapper(super().__new__(cls, function, **keywords), function)


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
