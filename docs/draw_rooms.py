"""Draw the rooms in docs/architecture.md anew, from the imports in src/msf_kedro.

    python docs/draw_rooms.py

A room is a folder of the package, or what lies in its root: `foundations` of the library, `project`
of the shell. An arrow says that a room imports from another one; arrows that follow from others
are left out. Ends with an error where rooms import each other in a circle.
"""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "msf_kedro"
PAGE = Path(__file__).parent / "architecture.md"
PACKAGE = SOURCE.name
SHELL = ("datasets", "pipelines", "project", "runner")
PROJECT = (
    *("__main__", "checking", "cli", "commands", "context", "hooks", "pipeline_registry"),
    *("run_log", "sentences", "settings", "starter"),
)


def room_of(module: str) -> str:
    """The room of a module, named from the package's root on: `clips.ntu`, `runtime`."""
    first = module.split(".")[0]
    if first in PROJECT:
        return "project"
    return first if (SOURCE / first).is_dir() else "foundations"


def imported(tree: ast.AST) -> Iterator[str]:
    """The package's modules that a file imports, named from the package's root on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            names = [f"{PACKAGE}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        yield from (name.removeprefix(f"{PACKAGE}.") for name in names if f"{PACKAGE}." in name)


def measure() -> dict[str, set[str]]:
    """Room → the rooms that it imports."""
    rooms: dict[str, set[str]] = {}
    for file in SOURCE.rglob("*.py"):
        module = ".".join(file.relative_to(SOURCE).with_suffix("").parts)
        if module != "__init__":
            found = set(map(room_of, imported(ast.parse(file.read_text()))))
            rooms.setdefault(room_of(module), set()).update(found)
    return {room: found - {room} for room, found in sorted(rooms.items())}


def draw(rooms: dict[str, set[str]]) -> str:
    """The rooms as a Mermaid flowchart, importing rooms above imported ones."""
    graph = {room: sorted(found) for room, found in rooms.items()}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError
    reached: dict[str, set[str]] = {}
    for room in order:
        reached[room] = set().union(*(reached[other] | {other} for other in rooms[room]))
    lines = ["flowchart TD", "    subgraph shell [the shell: Kedro]"]
    lines += [f"        {room}" for room in SHELL]
    lines += ["    end", "    subgraph library [the library: NumPy, PyTorch, pandas]"]
    lines += [f"        {room}" for room in reversed(order) if room not in SHELL]
    lines += ["    end"]
    for room in reversed(order):
        through = set().union(*(reached[other] for other in rooms[room]))
        lines += [f"    {room} --> {other}" for other in sorted(rooms[room] - through)]
    return "\n".join(lines)


if __name__ == "__main__":
    block = f"```mermaid\n{draw(measure())}\n```"
    PAGE.write_text(re.sub(r"```mermaid\n.*?```", block, PAGE.read_text(), flags=re.DOTALL))
