"""The kinds of inference: each clip by itself, or the unlabelled clips that are there together."""

from collections.abc import Mapping
from typing import Any

INDUCTIVE, TRANSDUCTIVE = INFERENCES = ("inductive", "transductive")


def check_inference(name: str) -> None:
    """Raise a ValueError where there is no inference of that name."""
    if name not in INFERENCES:
        raise ValueError(f"unknown inference {name!r}; known are {', '.join(INFERENCES)}")


def inference_of(made_with: Mapping[str, Any]) -> str:
    """The inference of predictions, from the parameters that made them.

    Raises:
        ValueError: it was not the same in both phases.
    """
    if "inference" in made_with.get("several", {}):
        raise ValueError(
            "the calibration phase and the test phase were predicted with different values of"
            " inference, but a gate holds for clips as those it was fitted on; rerun the stages"
            " `alignment` and `gate`"
        )
    return made_with.get("inference", INDUCTIVE)


def in_tables(method: str, inference: str) -> str:
    """What tables call a method: `msf`, or `msf, transductive`."""
    return method if inference == INDUCTIVE else f"{method}, {inference}"


def run_in_tables(run: Mapping[str, Any]) -> str:
    """The same of a run, as a report is of one: `inference` stands there unless it is inductive."""
    return in_tables(run["method"], run.get("inference", INDUCTIVE))


def out_of_tables(name: str) -> tuple[str, str]:
    """Method and inference, from what `in_tables` gave."""
    method, _, inference = name.partition(", ")
    return method, inference or INDUCTIVE
