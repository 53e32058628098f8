"""Zero-shot methods: a file each, all behind the contract in `contract/`.

A method is a file here whose `METHOD` is a `Fitted`, and a group of parameters of its name.
"""

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from msf_kedro.configuration import explain

if TYPE_CHECKING:  # importing PyTorch takes a second, and names are needed without it
    from msf_kedro.methods.contract.fitted import Classifier, Fitted

METHODS = tuple(sorted(file.name for file in pkgutil.iter_modules(__path__) if not file.ispkg))


def get_method(name: str) -> type["Fitted"]:
    """The method of that name.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in METHODS:
        raise ValueError(f"unknown method {name!r}; known methods: {', '.join(METHODS)}")
    return import_module(f"{__name__}.{name}").METHOD


def load_fitted(state: dict[str, Any]) -> "Fitted":
    """What `Fitted.state` saved."""
    return get_method(state["about"]["method"])(**state)


def load_classifier(state: dict[str, Any]) -> "Classifier":
    """What `Classifier.state` saved; it needs nothing beside it to classify clips."""
    from msf_kedro.methods.contract.fitted import Classifier

    return Classifier(**state | {"fitted": load_fitted(state["fitted"])})


def configure(name: str, fields: dict[str, Any]) -> Any:
    """The configuration of a method from the parameters of its name.

    Raises:
        ValueError: the method or a field is unknown, a field is missing or has no valid value.
    """
    try:
        return get_method(name).Config(**fields)
    except ValidationError as error:
        raise ValueError(f"parameters {name}: {explain(error)}") from error
