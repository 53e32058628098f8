"""What a node is made of: its function's code, its parameters and its inputs, by argument.

By argument and not by dataset, so that two nodes that call the same function with the same content
are the same, whatever their datasets are called.
"""

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from kedro.io import CatalogProtocol
from kedro.pipeline.node import Node

from .artifacts import dataset_of, is_parameter, is_scratch
from .code import Code
from .plain import plain, texts


@dataclass(frozen=True)
class Ingredients:
    """What a node is made of, but for the content of its inputs.

    Attributes:
        function: the qualified name of its function.
        parameters: argument → `name` and `value`.
        inputs: argument → dataset, without parameters and scratch.
    """

    function: str
    parameters: dict[str, dict[str, Any]]
    inputs: dict[str, str]

    def names(self) -> set[str]:
        """Texts among the parameters."""
        return {text for p in self.parameters.values() for text in texts(p["value"])}


def ingredients(node: Node, catalog: CatalogProtocol, immaterial: Iterable[str]) -> Ingredients:
    """What a node is made of.

    Args:
        immaterial: parameters that do not change what a node makes, such as a number of workers.
    """
    function, bound = _bound(node)
    parameters, inputs = {}, {}
    for argument, value in bound.items():
        if not isinstance(value, _Dataset):
            parameters[argument] = {"name": None, "value": plain(value)}
        elif is_parameter(value):
            if value.removeprefix("params:") not in immaterial:
                loaded = plain(dataset_of(catalog, value).load())
                parameters[argument] = {"name": str(value), "value": loaded}
        elif (dataset := dataset_of(catalog, value)) is None or not is_scratch(dataset):
            inputs[argument] = str(value)
    return Ingredients(_name(function), parameters, inputs)


def code_of(node: Node, code: Code, names: Iterable[str]) -> dict[str, str]:
    """Module → hash of what a node's function reaches there."""
    return code.reached_by(inspect.unwrap(_function(node)[0]), names)


class _Dataset(str):
    """The name of a dataset, to tell it from a text that is given in code."""


def _function(node: Node) -> tuple[Any, tuple, dict[str, Any]]:
    function, given, keywords = node.func, (), {}
    while isinstance(function, partial):
        given, keywords = function.args + given, function.keywords | keywords
        function = function.func
    return function, given, keywords


def _bound(node: Node) -> tuple[Any, dict[str, Any]]:
    """A node's function, and argument → `_Dataset` or given value."""
    function, given, keywords = _function(node)
    read = node._inputs or []
    if isinstance(read, dict):
        keywords = keywords | {key: _Dataset(name) for key, name in read.items()}
    else:
        given += tuple(map(_Dataset, [read] if isinstance(read, str) else read))
    signature = inspect.signature(function)
    bound: dict[str, Any] = {}
    for argument, value in signature.bind_partial(*given, **keywords).arguments.items():
        kind = signature.parameters[argument].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            bound |= {f"{argument}[{place}]": item for place, item in enumerate(value)}
        elif kind is inspect.Parameter.VAR_KEYWORD:
            bound |= value
        else:
            bound[argument] = value
    return function, bound


def _name(function: Any) -> str:
    function = function if hasattr(function, "__qualname__") else type(function)
    return f"{function.__module__}.{function.__qualname__}"
