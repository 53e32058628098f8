"""Values as JSON, so that they can be recorded and compared."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import fields, is_dataclass
from typing import Any


def plain(value: Any) -> Any:
    """Parameters as dictionaries with text keys, lists, numbers, texts, booleans and None.

    Dataclasses and pydantic models become dictionaries of their fields, sets become sorted lists;
    of anything else only its `repr` is known.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    return repr(value)


def texts(value: Any) -> Iterator[str]:
    """All texts in a plain value that could be names: short ones without blanks."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str) and len(value) < 64 and value.split() == [value]:
        yield value


def differences(old: Any, new: Any, name: str) -> Iterator[str]:
    """What has changed between two plain values, such as `gate.folds was 5, is 3`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from differences(old.get(key), new.get(key), f"{name}.{key}")
    elif old != new:
        yield f"{name} was {_short(old)}, is {_short(new)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
