"""What made an artifact, as a tree of text."""

from collections.abc import Iterator
from typing import Any

from .places import Place
from .records import Record, parents, record_of


def tree(file: Place) -> Iterator[str]:
    """Lines: an artifact, its parameters and raw inputs, then the artifacts that it was made from.

    What has been told above is not told again.
    """
    yield from _branch(file, "", "", set())


def _branch(file: Place, lead: str, below: str, told: set[Place]) -> Iterator[str]:
    record = record_of(file)
    if record is None:
        yield f"{lead}{file.name}: no record of what made it"
        return
    title = f"{record.dataset}  {record.version or ''}"
    if file in told:
        yield f"{lead}{title}  (see above)"
        return
    told.add(file)
    run = "" if record.run == record.version else f" of run {record.run}"
    yield f"{lead}{title}  made by {record.node}{run}{_seconds(record)}"
    above = list(parents(file).values())
    facts = list(_facts(record))
    for place, fact in enumerate(facts):
        last = place == len(facts) - 1 and not above
        yield f"{below}{'└─ ' if last else '├─ '}{fact}"
    for place, parent in enumerate(above):
        last = place == len(above) - 1
        yield from _branch(
            parent, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), told
        )


def _facts(record: Record) -> Iterator[str]:
    """Parameters, raw inputs and code."""
    if record.recipe is None:
        return
    for argument, parameter in sorted(record.recipe.parameters.items()):
        yield f"{parameter['name'] or argument} = {_short(parameter['value'])}"
    for read in record.recipe.inputs.values():
        if read.path is None:
            number = f"{read.files} file{'s' if read.files != 1 else ''}"
            files = f"{number}, {read.bytes} bytes, last changed {read.newest}"
            yield f"{read.name}: {files if read.files else 'generated'}, {read.hash[:12]}"
    commit, changed = record.where.get("commit"), record.where.get("changed_since")
    state = f", commit {commit[:12]}{' and later changes' if changed else ''}" if commit else ""
    yield f"code {record.recipe.function}{state}"


def _seconds(record: Record) -> str:
    seconds: Any = record.made.get("seconds")
    return f" in {seconds:.1f} s" if seconds is not None else ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
