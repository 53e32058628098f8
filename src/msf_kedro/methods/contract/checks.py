"""Checks of configurations; errors name the group of parameters and the field."""

from collections.abc import Iterable


def require_positive(config: object, *fields: str) -> None:
    """Raise a ValueError where one of a config's numbers is not above 0."""
    for field in fields:
        if not getattr(config, field) > 0:
            raise ValueError(f"{field} is {getattr(config, field)}, expected above 0")


def require_not_negative(config: object, *fields: str) -> None:
    """Raise a ValueError where one of a config's numbers is below 0."""
    for field in fields:
        if not getattr(config, field) >= 0:
            raise ValueError(f"{field} is {getattr(config, field)}, expected at least 0")


def require_positive_list(config: object, *fields: str) -> None:
    """Raise a ValueError where a list is empty or holds a number that is not above 0."""
    for field in fields:
        values = getattr(config, field)
        if not values or not min(values) > 0:
            raise ValueError(f"{field} is {values}, expected numbers above 0")


def require_one_of(config: object, field: str, known: Iterable[str]) -> None:
    """Raise a ValueError where a name is not among the known ones."""
    if getattr(config, field) not in known:
        raise ValueError(f"{field} is {getattr(config, field)!r}, expected one of {tuple(known)}")
