"""The house's rules, read off the source: who imports whom, who opens files, who draws numbers."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "msf_kedro"
SOURCES = {str(file.relative_to(PACKAGE)): file for file in sorted(PACKAGE.rglob("*.py"))}
SHELL = (
    *("pipelines", "datasets", "runner", "context", "hooks", "settings", "pipeline_registry"),
    *("cli", "commands", "__main__"),
)
LIBRARY = {name for name in SOURCES if Path(name).parts[0].removesuffix(".py") not in SHELL}

FILE_CALLS = re.compile(
    r"(^|\.)(open|fdopen|(read|write)_(text|bytes)|mkdir|makedirs|unlink|iterdir|rglob|glob"
    r"|fromfile|tofile|loadmat|savemat|(read|to)_(csv|parquet|pickle|json|feather))$"
    r"|^(np|numpy|torch)\.(load|save|savez|loadtxt|savetxt|memmap)$"
)
PICKLES = re.compile(r"^(c?[pP]ickle|dill|cloudpickle|joblib|shelve|marshal)($|\.)")
MACHINE = re.compile(
    r"^torch\.(cuda|backends|mps|random|default_generator|set_default_device|seed|use_determ\w+)"
    r"($|\.)|\.manual_seed(_all)?$|^(np|numpy)\.random\.(?!default_rng|Generator|SeedSequence)\w+"
)
SAMPLERS = re.compile(
    r"^torch\.(rand|randn|randint|randperm|normal|bernoulli|multinomial)(_like)?$"
)

# The rooms of the library, each with those that it may import from, which stand above it.
ROOMS = {
    "runtime": "",
    "configuration": "",
    "joins": "",
    "clips": "",
    "sample": "",
    "drawings": "clips",
    "texts": "configuration",
    "zero_shot": "runtime configuration joins",
    "released": "clips texts zero_shot",
    "networks": "runtime configuration clips released",
    "methods": "runtime configuration texts networks",
    "recognizer": "runtime clips texts zero_shot networks methods",
    "reports": "runtime configuration joins clips drawings texts zero_shot methods",
}

ALLOWED = {
    # The packaged encoder's weights are hashed; it comes with the installation, not as data.
    ("texts/encoders.py", "(folder / 'model.safetensors').read_bytes"),
    # Layouts come with the installation too.
    ("clips/layouts/__init__.py", "Path(__file__).with_name(f'{name}.yml').read_text"),
    # Of bytes that were read elsewhere.
    ("clips/rows.py", "pyarrow.csv.read_csv"),
    # It reads plain values and arrays only, and runs nothing of what a pickle asks for.
    ("clips/pyskl.py", "pickle.Unpickler"),
    # Initial weights come from the global generator, as torch.nn's do, inside `runtime.seeded`.
    ("networks/shift_gcn.py", "torch.randn(inputs, outputs)"),
    # A bundle is a folder that is read and written without Kedro, and clips are a user's files.
    ("recognizer/bundle.py", "(partial / name).write_bytes"),
    ("recognizer/bundle.py", "(folder / name).read_bytes"),
    ("recognizer/bundle.py", "card.read_text"),
    ("recognizer/bundle.py", "partial.mkdir"),
    ("recognizer/incoming.py", "place.rglob"),
    ("recognizer/incoming.py", "file.read_bytes"),
    ("recognizer/words.py", "path.read_bytes"),
    ("recognizer/words.py", "pd.read_csv"),
}


def imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names of all that is imported, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            dots = "." * node.level
            yield from (f"{dots}{node.module or ''}.{alias.name}" for alias in node.names)


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def given(call: ast.Call) -> dict[str, str]:
    return {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg}


def outsiders(tree: ast.AST) -> list[str]:
    """Imports of Kedro, of the shell, and relative ones, which would hide it."""
    shell = tuple(f"msf_kedro.{part}." for part in SHELL)
    outside = ("kedro", ".", *shell)
    return [name for name in imports(tree) if f"{name}.".startswith(outside)]


def file_accesses(tree: ast.AST) -> list[str]:
    return [name for name, _ in calls(tree) if FILE_CALLS.search(name)]


def pickles(tree: ast.AST) -> list[str]:
    """Pickling, or a load that could unpickle."""
    found = [name for name in imports(tree) if PICKLES.match(name)]
    found += [name for name in imports(tree) if name in ("torch.load", "numpy.load")]
    safe = {"torch.load": ("weights_only", "True"), "np.load": ("allow_pickle", "False")}
    for name, call in calls(tree):
        if name.endswith(("to_pickle", "read_pickle", "numpy.load")):
            found.append(name)
        elif name in safe and given(call).get(safe[name][0]) != safe[name][1]:
            found.append(ast.unparse(call))
    return found


def machine_choices(tree: ast.AST) -> list[str]:
    """Uses of the device, of global seeds, and imports that would hide them."""
    used = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return [name for name in (*used, *imports(tree)) if MACHINE.search(name) or name == "random"]


def unseeded(tree: ast.AST) -> list[str]:
    """Samplers without a generator."""
    return [
        ast.unparse(call)
        for name, call in calls(tree)
        if (SAMPLERS.match(name) and "generator" not in given(call))
        or (name.endswith("default_rng") and not call.args)
    ]


def prints(tree: ast.AST) -> list[str]:
    return [ast.unparse(call) for name, call in calls(tree) if name in ("print", "breakpoint")]


RULES: list[tuple[Callable, set[str], str]] = [
    (outsiders, LIBRARY, "from kedro.io import Version"),
    (outsiders, LIBRARY, "def f():\n    import kedro_datasets.partitions"),
    (outsiders, LIBRARY, "from msf_kedro.datasets import TorchDataset"),
    (outsiders, LIBRARY, "from msf_kedro import hooks"),
    (outsiders, LIBRARY, "from . import pipelines"),
    (file_accesses, LIBRARY, "with open('x') as file: pass"),
    (file_accesses, LIBRARY, "with path.open() as file: pass"),
    (file_accesses, LIBRARY, "Path('x').read_text()"),
    (file_accesses, LIBRARY, "table = pd.read_csv('x')"),
    (file_accesses, LIBRARY, "torch.save(state, 'x')"),
    (pickles, set(SOURCES), "import pickle"),
    (pickles, set(SOURCES), "from joblib import dump"),
    (pickles, set(SOURCES), "torch.load('x')"),
    (pickles, set(SOURCES), "torch.load('x', weights_only=False)"),
    (pickles, set(SOURCES), "np.load('x', mmap_mode='r')"),
    (pickles, set(SOURCES), "table.to_pickle('x')"),
    (machine_choices, set(SOURCES) - {"runtime.py"}, "torch.cuda.is_available()"),
    (machine_choices, set(SOURCES) - {"runtime.py"}, "torch.backends.mps"),
    (machine_choices, set(SOURCES) - {"runtime.py"}, "torch.manual_seed(0)"),
    (machine_choices, set(SOURCES) - {"runtime.py"}, "torch.Generator().manual_seed(0)"),
    (machine_choices, set(SOURCES) - {"runtime.py"}, "np.random.seed(0)"),
    (machine_choices, set(SOURCES) - {"runtime.py"}, "from torch import cuda"),
    (machine_choices, set(SOURCES) - {"runtime.py"}, "import random"),
    (unseeded, set(SOURCES), "torch.randn(3)"),
    (unseeded, set(SOURCES), "np.random.default_rng()"),
    (prints, set(SOURCES), "print('x')"),
]


@pytest.mark.parametrize("rule", sorted({rule for rule, *_ in RULES}, key=lambda r: r.__name__))
def test_the_source_keeps_the_rule(rule):
    files = next(files for other, files, _ in RULES if other is rule)
    assert len(files) > 15
    broken = {
        (name, found) for name in files for found in rule(ast.parse(SOURCES[name].read_text()))
    }
    assert not broken - ALLOWED


@pytest.mark.parametrize(("rule", "code"), [(rule, code) for rule, _, code in RULES])
def test_the_rule_sees_what_breaks_it(rule, code):
    assert rule(ast.parse(code))


def test_library_and_shell_are_where_they_should_be():
    """So that a moved file does not silently leave the rules."""
    assert {"zero_shot/gate.py", "zero_shot/splits.py", "methods/msf.py", "clips/ntu.py"} <= LIBRARY
    assert not {"hooks.py", "datasets/clips.py", "pipelines/gate/nodes.py"} & LIBRARY
    assert {"hooks.py", "datasets/clips.py", "pipelines/gate/nodes.py"} <= set(SOURCES)


def test_the_runner_knows_nothing_of_this_project():
    """So that its folder can be copied into another one."""
    files = {name: file for name, file in SOURCES.items() if name.startswith("runner/")}
    assert len(files) > 10
    for name, file in files.items():
        assert "msf_kedro" not in file.read_text(), name


def room(module: str) -> str:
    """A folder of the package, or a file in its root: of `msf_kedro.clips.ntu` it is `clips`."""
    return module.split(".")[1] if module.startswith("msf_kedro.") else ""


def imported_rooms(name: str, tree: ast.AST) -> set[str]:
    """The rooms that a file imports from, its own left out."""
    own = Path(name).parts[0].removesuffix(".py")
    return {room(module) for module in imports(tree)} - {"", own}


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_imports_from_those_below_it_only(name):
    files = {file for file in SOURCES if Path(file).parts[0].removesuffix(".py") == name}
    assert files
    found = [imported_rooms(file, ast.parse(SOURCES[file].read_text())) for file in files]
    assert set().union(*found) <= set(ROOMS[name].split())


def test_every_room_of_the_library_has_its_place_and_there_is_no_circle():
    """Each may import from those that stand above it in the table only."""
    there = {Path(file).parts[0].removesuffix(".py") for file in LIBRARY} - {"__init__"}
    assert set(ROOMS) == there
    assert len(ROOMS) > 10
    known = set()
    for name, others in ROOMS.items():
        assert set(others.split()) <= known, name
        known.add(name)


@pytest.mark.parametrize(
    ("name", "code", "found"),
    [
        ("clips/ntu.py", "from msf_kedro import runtime", {"runtime"}),
        ("clips/ntu.py", "import msf_kedro.methods.msf", {"methods"}),
        ("clips/ntu.py", "def f():\n    from msf_kedro.texts.fusion import fuse", {"texts"}),
        ("clips/ntu.py", "from msf_kedro.clips import clip\nimport numpy", set()),
        ("runtime.py", "from msf_kedro.joins import rows_of", {"joins"}),
    ],
)
def test_imports_of_rooms_are_seen(name, code, found):
    assert imported_rooms(name, ast.parse(code)) == found


def test_no_file_is_named_for_what_it_is_not():
    vague = {"utils", "util", "common", "helpers", "helper", "misc", "base", "tools"}
    assert not {name for name in SOURCES if set(Path(name).with_suffix("").parts) & vague}


def test_files_and_what_is_public_in_them_have_docstrings():
    """But for `create_pipeline`: that name is Kedro's, and the file's docstring says it."""
    bare = set()
    for name, file in SOURCES.items():
        tree = ast.parse(file.read_text())
        named = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        public = [node for node in named if not node.name.startswith("_")]
        bare |= {
            (name, getattr(n, "name", "")) for n in (tree, *public) if not ast.get_docstring(n)
        }
    assert not {(name, what) for name, what in bare if what != "create_pipeline"}
