"""How a configuration is declared: a flat frozen dataclass whose fields' types are checked."""

from functools import partial

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
