"""Errors in one sentence, as a user is told them."""

import re


def in_short(error: BaseException) -> str:
    """An error's message, without what Kedro and pydantic put around it."""
    text = str(error) or type(error).__name__
    text = re.sub(r"\AFailed while .*\n", "", text)
    text = re.sub(r"\AParameter validation failed:\n- ", "", text)
    text = re.sub(
        r"Parameter '(\w+)': Failed to .* for parameter '\w+': ", r"parameters \1: ", text
    )
    text = re.sub(r"\d+ validation errors? for \w+\n", "", text)
    text = re.sub(r"\n\s+For further information visit \S+", "", text)
    text = re.sub(r" \[type=\w+, input_value=(.*), input_type=\w+\]", r", not \1", text)
    return re.sub(r"\n  ", ": ", text)
