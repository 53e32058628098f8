"""The card of a bundle: what it is, takes and can do, for people."""

import re
from collections.abc import Mapping
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined


def card(values: Mapping[str, Any]) -> str:
    """The card as Markdown, from a model's plain values."""
    environment = Environment(
        loader=PackageLoader("msf_kedro", "recognizer"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    classes = values["classes"]
    return environment.get_template("card.md.jinja").render(
        **values,
        of=lambda side: [known for known in classes if known["side"] == side],
        percent=lambda fraction: f"{100 * fraction:.1f}",
        plain=_plain,
        in_yaml=_in_yaml,
    )


def _in_yaml(values: Mapping[str, Any]) -> str:
    """Plain values, a line each where they fit."""
    return yaml.safe_dump(dict(values), default_flow_style=None, width=100, allow_unicode=True)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is in a table."""
    return re.sub(r"([\\|*<`&_])", r"\\\1", " ".join(text.split()))
