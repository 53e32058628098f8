"""The kinds of inference: each clip by itself, or the unlabelled clips that are there together."""

INDUCTIVE, TRANSDUCTIVE = INFERENCES = ("inductive", "transductive")


def check_inference(name: str) -> None:
    """Raise a ValueError where there is no inference of that name."""
    if name not in INFERENCES:
        raise ValueError(f"unknown inference {name!r}; known are {', '.join(INFERENCES)}")
