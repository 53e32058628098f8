"""How a configuration is declared and checked: flat frozen dataclasses, plain names, seeds."""

import re
import sys
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

from pydantic import ConfigDict, ValidationError
from pydantic.dataclasses import dataclass

# Field types say the range (`PositiveInt`, `Literal["a", "b"]`); what one field alone cannot say
# is checked in `__post_init__`. Pydantic ignores unknown keys unless told to forbid them.
configuration = partial(dataclass, frozen=True, config=ConfigDict(extra="forbid"))


def explain(error: ValidationError) -> str:
    """What is wrong with a configuration's fields, in one line."""
    told = []
    for problem in error.errors():
        field = ".".join(map(str, problem["loc"]))
        message = problem["msg"].removeprefix("Value error, ")
        found = "" if problem["type"] == "missing" or not field else f", not {problem['input']!r}"
        told.append(": ".join(filter(None, [field, message])) + found)
    return "; ".join(told)


LARGEST = 2**53  # of a number: up to here floating-point numbers hold every integer
NAME = re.compile(r"\w[\w .+=-]{0,98}")


def check_name(name: Any, parameter: str) -> None:
    """Refuse a name that is more than one folder's: paths are made of it.

    Raises:
        ValueError: it holds anything but letters, digits, spaces and `_ . + = -`, begins with one
            of the latter other than `_`, or is long.
    """
    if not NAME.fullmatch(str(name)):
        raise ValueError(
            f"{parameter} is {str(name)[:100]!r}, expected a name: up to 99 letters, digits, spaces"
            " or any of _.+=-, a letter or digit first"
        )


def check_seeds(seeds: Any, parameter: str) -> None:
    """Refuse what are not root seeds, each once.

    Raises:
        ValueError: there are none, one comes twice, or one is no whole number in the range.
    """
    good = isinstance(seeds, list) and all(
        type(seed) is int and 0 <= seed <= LARGEST for seed in seeds
    )
    if not good or not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"{parameter} is {str(seeds)[:100]}, expected whole numbers from 0 to 2^53, each once"
        )


def misfits(
    given: Mapping[str, Any], declared: Mapping[str, Any], own: Collection[str], above: str = ""
) -> Iterator[tuple[str, str]]:
    """What is given of another kind than declared, such as a text for a number.

    A list may also be given as a text or a number, as the command line cannot give one, and a text
    as a whole number. Where nothing is declared, anything may stand.

    Args:
        own: names of groups whose keys are the user's own.

    Returns:
        Names such as `shift_gcn_training.epochs`, each with a sentence.
    """
    for key, value in given.items():
        name, wanted = f"{above}{key}", declared.get(key)
        if isinstance(wanted, Mapping) and isinstance(value, Mapping):
            if name not in own:
                yield from misfits(value, wanted, own, f"{name}.")
        elif wanted is not None and not _is_like(value, wanted):
            yield name, f"{name} is {str(value)[:60]!r}, expected {_kind(wanted)}"


def _is_like(value: Any, wanted: Any) -> bool:
    number = type(value) in (int, float) and abs(value) <= sys.float_info.max  # NaN is not
    match wanted:
        case bool():
            return isinstance(value, bool)
        case int():
            return number and isinstance(value, int) and abs(value) <= LARGEST
        case float():
            return number
        case str():
            return type(value) in (str, int)
        case list():
            return type(value) in (list, str, int)
    return False


def _kind(wanted: Any) -> str:
    match wanted:
        case Mapping():
            return f"a group of {', '.join(list(wanted)[:3])} and so on"
        case bool():
            return "true or false"
        case list():
            return "a list"
        case str():
            return "a text"
    return "a whole number" if isinstance(wanted, int) else "a number"
