"""Fingerprints of code: what counts as a change, and of what."""

from itertools import count

import pytest

from msf_kedro.runner.code import Code

SOURCES = {
    "__init__": "",
    "nodes": '''
from functools import partial
from .helpers import double as twice, unused
from . import numbers
import {package}.shapes as shapes
LIMIT = 3
TABLE = {{"a": LIMIT}}

def node(x: "int") -> int:
    """What it does."""
    return twice(x) + numbers.one() + LIMIT

def other(x):
    return unused(x)

def late(x):
    from {package}.helpers import later
    return later(x)

def by_class(x):
    return shapes.Square(x).area()

def by_table(x):
    return TABLE[x]

def by_name(name, x):
    from importlib import import_module
    return import_module(f"{package}.methods.{{name}}").fit(x)

def with_file():
    return "text.jinja"

again = partial(node, 1)
''',
    "helpers": """
def double(x):
    return x + inner(x)

def inner(x):
    return x

def unused(x):
    return x

def later(x):
    return x
""",
    "numbers": "def one():\n    return 1\n\n\ndef two():\n    return 2\n",
    "shapes": """
class Shape:
    side = 1

class Square(Shape):
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side**2
""",
    "methods/__init__": "",
    "methods/msf": "def fit(x):\n    return x\n",
    "methods/ridge": "def fit(x):\n    return -x\n",
}
NUMBER = count()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package on the path: its folder, whose files a test may change."""
    name = f"fingerprinted_{next(NUMBER)}"
    root = tmp_path / name
    (root / "methods").mkdir(parents=True)
    for module, source in SOURCES.items():
        if module == "nodes":
            source = source.format(package=name)
        (root / f"{module}.py").write_text(source)
    (root / "text.jinja").write_text("hello")
    monkeypatch.syspath_prepend(tmp_path)
    return root


def fingerprint(package, name: str, names=()) -> dict[str, str]:
    return Code([package.name]).reached_by(f"{package.name}.nodes.{name}", names)


def edit(package, module: str, old: str, new: str) -> None:
    file = package / f"{module}.py"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("function", "module", "old", "new"),
    [
        ("node", "nodes", "twice(x) + numbers", "twice(x) - numbers"),
        ("node", "nodes", "LIMIT = 3", "LIMIT = 4"),
        ("node", "helpers", "x + inner", "x - inner"),
        ("node", "helpers", "def inner(x):\n    return x", "def inner(x):\n    return 2 * x"),
        ("node", "numbers", "return 1", "return 3"),
        ("late", "helpers", "def later(x):\n    return x", "def later(x):\n    return -x"),
        ("by_class", "shapes", "self.side**2", "self.side**3"),
        ("by_class", "shapes", "side = 1", "side = 2"),
        ("by_table", "nodes", "LIMIT = 3", "LIMIT = 4"),
        ("node", "nodes", '"int"', '"float"'),
    ],
)
def test_a_change_in_what_is_reached_is_one(package, function, module, old, new):
    before = fingerprint(package, function)
    edit(package, module, old, new)
    after = fingerprint(package, function)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {f"{package.name}.{module}"}


@pytest.mark.parametrize(
    ("function", "module", "old", "new"),
    [
        ("node", "nodes", '"""What it does."""', '"""Something else."""'),
        ("node", "nodes", "return twice", "# a remark\n    return twice"),
        (
            "node",
            "nodes",
            "twice(x) + numbers.one() + LIMIT",
            "(\n twice(x) + numbers.one()+LIMIT)",
        ),
        ("node", "helpers", "def unused(x):\n    return x", "def unused(x):\n    return 0"),
        ("node", "numbers", "return 2", "return 3"),
        ("node", "shapes", "self.side**2", "self.side**3"),
        ("node", "nodes", "return unused(x)", "return -unused(x)"),
    ],
)
def test_any_other_change_is_none(package, function, module, old, new):
    before = fingerprint(package, function)
    edit(package, module, old, new)
    assert fingerprint(package, function) == before


def test_a_module_that_is_imported_by_name_counts_for_who_names_it(package):
    before = {name: fingerprint(package, "by_name", {name}) for name in ("msf", "ridge")}
    unnamed = fingerprint(package, "by_name")
    edit(package, "methods/ridge", "return -x", "return -2 * x")
    assert fingerprint(package, "by_name", {"msf"}) == before["msf"]
    assert fingerprint(package, "by_name", {"ridge"}) != before["ridge"]
    assert fingerprint(package, "by_name") != unnamed, "who names none may mean any"


def test_a_file_beside_the_module_counts(package):
    before = fingerprint(package, "with_file")
    (package / "text.jinja").write_text("good bye")
    assert fingerprint(package, "with_file") != before


def test_a_partial_function_is_the_function(package):
    from importlib import import_module

    code = Code([package.name])
    nodes = import_module(f"{package.name}.nodes")
    assert code.reached_by(nodes.again) == code.reached_by(nodes.node)


def test_functions_of_other_packages_are_known_by_name(package):
    assert Code([package.name]).reached_by(sorted) == {"builtins": "sorted"}
    import json

    assert Code([package.name]).reached_by(json.dumps) == {"json": "dumps"}


def test_the_page_that_a_node_fills_in_is_reached():
    from msf_kedro.pipelines.tables.nodes import write_tables
    from msf_kedro.reports import pages

    reached = Code(["msf_kedro"]).reached_by(write_tables)
    assert "msf_kedro.reports.pages" in reached
    definitions = Code(["msf_kedro"]).module(pages.__name__)
    files = {f.name for name in definitions.statements for f in definitions.definition(name).files}
    assert files == {"tables.html.jinja"}


def test_what_has_been_read_is_read_again_only_where_a_file_has_changed(package):
    first = Code.today([package.name])
    assert Code.today([package.name]) is first
    file = package / "nodes.py"
    file.write_text(file.read_text() + "\n\ndef another():\n    return 1\n")
    assert Code.today([package.name]) is not first
