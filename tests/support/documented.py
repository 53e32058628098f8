"""What README and docs hold: pages, code blocks, inline code and commands."""

import re
from pathlib import Path

from support.sessions import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = "bash|cd|curl|docker|git|kedro|make|pip|python|python3|sha256sum|source|tar|unzip|uv"
INLINE = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:{PROGRAMS}) \S")
OPTIONS = re.compile(r"--(env|pipelines|params|nodes|from-nodes|namespaces|load-versions)=")
SETTING = re.compile(r"[A-Za-z_]+=\S* +")


def blocks(page: Path, *languages: str) -> list[str]:
    """Code blocks in a language."""
    fence = rf"^ *```(?:{'|'.join(languages)})\n(.*?)^ *```"
    return re.findall(fence, page.read_text(), re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def quoted(page: Path) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def scripts(page: Path) -> list[str]:
    """Blocks of shell commands."""
    return blocks(page, "bash", "sh", "shell", "console")


def lines(script: str) -> list[str]:
    """Its commands, a line each, without comments."""
    whole = script.replace("\\\n", " ").splitlines()
    parts = [part for line in whole for part in re.sub(r"(^|\s)#.*", "", line).split(" && ")]
    return [re.sub(r"\s+", " ", part.strip().removeprefix("$ ")) for part in parts if part.strip()]


def commands() -> dict[str, set[str]]:
    """Every command, in blocks and inline, with the pages that it is on."""
    found: dict[str, set[str]] = {}
    for page in PAGES:
        inline = [text for text in quoted(page) if INLINE.match(text)]
        for command in [line for script in scripts(page) for line in lines(script)] + inline:
            found.setdefault(command, set()).add(page.name)
    return found


def options() -> list[str]:
    """Options of `kedro run` that stand alone."""
    return sorted({text for page in PAGES for text in quoted(page) if OPTIONS.match(text)})


def without_settings(command: str) -> str:
    """A command without the variables set in front of it."""
    while match := SETTING.match(command):
        command = command[match.end() :]
    return command
