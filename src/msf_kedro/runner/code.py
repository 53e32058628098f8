"""Fingerprints of code: a function, and the code of its package that it reaches.

Code is read, not run. What a definition reaches is followed by the names in it through the
modules' imports: called functions, classes with all their methods, constants, annotations. Modules
that are imported by a computed name (`import_module(f"methods.{name}")`) count if a parameter of
the node, or of what its inputs were made with, is that name, else all that the name could be. Files
beside a module whose names stand in it as a text count with their content. Comments, docstrings and
line breaks do not count; other packages do not either: records name their versions.
"""

import ast
import importlib.util
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from pathlib import Path

from .files import content_hash, text_hash

FILE_NAME = re.compile(r"[\w-][\w./-]*\.\w{1,8}")
WHOLE = "*"  # stands for all names of a module


@dataclass(frozen=True)
class Reached:
    """A definition, or all of a module."""

    module: str
    name: str = WHOLE


@dataclass
class Definition:
    """What a name of a module stands for.

    Attributes:
        text: the code, comparable.
        reached: other definitions that it names.
        patterns: of modules that it imports by a computed name.
        files: beside the module, which it names.
    """

    text: str = ""
    reached: set[Reached] = field(default_factory=set)
    patterns: set[str] = field(default_factory=set)
    files: set[Path] = field(default_factory=set)


class Module:
    """A module's source: its definitions and what its names stand for."""

    def __init__(self, name: str, file: Path, code: "Code"):
        self.name, self.file, self.code = name, file, code
        self.package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        self.statements: dict[str, list[ast.stmt]] = {}
        self.imports: dict[str, Reached] = {}
        self.loose: list[ast.stmt] = []  # statements that define no name; all depend on them
        self._definitions: dict[str, Definition] = {}
        self._sort(ast.parse(file.read_bytes()).body)

    def _sort(self, body: list[ast.stmt]) -> None:
        for place, statement in enumerate(body):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self.imports.update(self._imported(statement))
            elif isinstance(statement, ast.If | ast.Try):
                for inner in ("body", "orelse", "finalbody"):
                    self._sort(getattr(statement, inner, []))
                for handler in getattr(statement, "handlers", []):
                    self._sort(handler.body)
            elif names := list(_defined(statement)):
                for name in names:
                    self.statements.setdefault(name, []).append(statement)
            elif not (place == 0 and _is_text(statement)):
                self.loose.append(statement)

    def _imported(self, statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Reached]]:
        """Names that an import gives, and what of the fingerprinted packages they stand for."""
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                full = alias.name if alias.asname else alias.name.partition(".")[0]
                if self.code.covers(full):
                    yield alias.asname or full, Reached(full)
            return
        source = statement.module or ""
        if statement.level:
            above = self.package.split(".")
            above = above[: len(above) - statement.level + 1]
            source = ".".join([*above, *filter(None, [source])])
        if self.code.covers(source):
            for alias in statement.names:
                yield alias.asname or alias.name, self.code.named(source, alias.name)

    def definition(self, name: str) -> Definition:
        """What a name of the module stands for; nothing for one that it does not define."""
        if name not in self._definitions:
            found = self._definitions[name] = Definition()
            for statement in self.statements.get(name, []):
                self._read(statement, found)
            if self.loose and name:
                found.reached.add(Reached(self.name, ""))
            for statement in self.loose if not name else []:
                self._read(statement, found)
        return self._definitions[name]

    def _read(self, statement: ast.stmt, found: Definition) -> None:
        nodes = _without_docstrings(statement)
        found.text += ast.dump(statement)
        imports = dict(self.imports)
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports.update(self._imported(node))
        inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
        for node in nodes:
            if isinstance(node, ast.Attribute | ast.Name):
                # The start of a chain such as `config.fields().names` counts too.
                alone = id(node) not in inner
                if alone or isinstance(node, ast.Name):
                    reached = self._resolve(node, imports, alone)
                    found.reached |= {reached} if reached else set()
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                if FILE_NAME.fullmatch(node.value):
                    beside = self.file.parent / node.value
                    found.files |= {beside} if beside.is_file() else set()
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                found.patterns.add(self._pattern(node.args[0] if node.args else None))

    def _resolve(
        self, node: ast.expr, imports: dict[str, Reached], alone: bool = True
    ) -> Reached | None:
        """What a name, or a chain of attributes such as `training.fit`, stands for."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        if node.id in self.statements:
            return Reached(self.name, node.id)
        reached = imports.get(node.id)
        for attribute in attributes:
            if reached is None or reached.name != WHOLE:
                break
            reached = self.code.named(reached.module, attribute)
        if reached and reached.name == WHOLE and not alone:
            return None  # a chain that starts here says what of the module is meant
        return reached

    def _pattern(self, name: ast.expr | None) -> str:
        """A regular expression for the modules that a computed name can mean."""
        known = {"__name__": self.name, "__package__": self.package}
        if isinstance(name, ast.Constant):
            return re.escape(str(name.value))
        if isinstance(name, ast.JoinedStr):
            parts = [
                re.escape(part.value)
                if isinstance(part, ast.Constant)
                else re.escape(known.get(ast.unparse(part.value), "")) or r"([\w.]+)"
                for part in name.values
            ]
            return "".join(parts)
        return re.escape(self.package) + r"\.([\w.]+)"


class Code:
    """The source of some packages.

    Args:
        packages: names of the top-level packages whose code counts.
    """

    def __init__(self, packages: Iterable[str]):
        self._packages = frozenset(packages)
        self._modules: dict[str, Module | None] = {}
        self._hashes: dict[tuple[Reached, frozenset[str]], dict[str, str]] = {}

    @classmethod
    def today(cls, packages: Iterable[str]) -> "Code":
        """The source as it is now; what a process has read of the same files is not read again."""
        packages = frozenset(packages)
        roots = filter(None, map(_root, sorted(packages)))
        files = [
            f for r in roots for f in sorted(r.rglob("*")) if f.suffix != ".pyc" and f.is_file()
        ]
        stats = [(str(file), file.stat()) for file in files]
        return _read_once(packages, tuple((f, s.st_mtime_ns, s.st_size) for f, s in stats))

    def covers(self, module: str) -> bool:
        return module.partition(".")[0] in self._packages

    def reached_by(
        self, function: Callable | type | str, names: Iterable[str] = ()
    ) -> dict[str, str]:
        """Module → hash of all that a function or class reaches there.

        Args:
            function: what is called, also a partial function or an object with `__call__`, or the
                dotted name of a function or class.
            names: that may choose among modules that are imported by a computed name.
        """
        while isinstance(function, partial):
            function = function.func
        if isinstance(function, str):
            module, _, name = function.rpartition(".")
        else:
            function = function if hasattr(function, "__qualname__") else type(function)
            module, name = function.__module__, function.__qualname__
        if not self.covers(module) or self.module(module) is None:
            return {module: name}
        key = Reached(module, name.partition(".")[0]), frozenset(names)
        if key not in self._hashes:
            self._hashes[key] = self._hashed(self._closure(*key))
        return self._hashes[key]

    def _hashed(self, found: set[Reached]) -> dict[str, str]:
        parts: dict[str, list[str]] = {}
        for reached in found:
            definition = self.module(reached.module).definition(reached.name)
            files = [f"{file.name} {content_hash(file)}" for file in definition.files]
            text = f"{reached.name} {definition.text} {sorted(files)}"
            parts.setdefault(reached.module, []).append(text)
        return {name: text_hash("\n".join(sorted(parts[name])))[:16] for name in sorted(parts)}

    def _closure(self, start: Reached, names: frozenset[str]) -> set[Reached]:
        found: set[Reached] = set()
        todo = [start]
        while todo:
            reached = todo.pop()
            module = self.module(reached.module)
            if reached in found or module is None:
                continue
            if reached.name == WHOLE:
                todo += [Reached(module.name, name) for name in ("", *module.statements)]
                continue
            if reached.name in module.imports and reached.name not in module.statements:
                todo.append(module.imports[reached.name])
                continue
            found.add(reached)
            definition = module.definition(reached.name)
            todo += definition.reached
            for pattern in definition.patterns:
                todo += [Reached(name) for name in self._matching(pattern, names)]
        return found

    def _matching(self, pattern: str, names: frozenset[str]) -> list[str]:
        matches = [m for name in self._all if (m := re.fullmatch(pattern, name))]
        chosen = [match for match in matches if names.intersection(match.groups())]
        return [match.string for match in chosen or matches]

    @cached_property
    def _all(self) -> list[str]:
        names = []
        for package in sorted(self._packages):
            root = _root(package)
            for file in sorted(root.rglob("*.py")) if root else []:
                parts = file.relative_to(root.parent).with_suffix("").parts
                names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        return names

    def named(self, module: str, name: str) -> Reached:
        """What `from module import name` gives."""
        within = self.module(module)
        defined = within and (name in within.statements or name in within.imports)
        if not defined and self._file(f"{module}.{name}"):
            return Reached(f"{module}.{name}")
        return Reached(module, name)

    def module(self, name: str) -> Module | None:
        """The module of that name; None if it has no source here."""
        if name not in self._modules:
            file = self._file(name)
            self._modules[name] = None  # while it is read: modules may import each other
            if file:
                self._modules[name] = Module(name, file, self)
        return self._modules[name]

    def _file(self, module: str) -> Path | None:
        package, *below = module.split(".")
        root = _root(package) if package in self._packages else None
        if root is None:
            return None
        place = root.joinpath(*below)
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file() and (below or file.name == "__init__.py"):
                return file
        return None


@lru_cache(maxsize=4)
def _read_once(packages: frozenset[str], _: tuple[tuple[str, int, int], ...]) -> Code:
    return Code(packages)


def _root(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    places = spec and spec.submodule_search_locations
    return Path(next(iter(places))) if places else None


def _defined(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement of a module defines."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    else:
        return
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                yield node.id


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _without_docstrings(statement: ast.stmt) -> list[ast.AST]:
    """A statement and all nodes below it, once its docstrings are taken out of it."""
    nodes: list[ast.AST] = [statement]
    for node in nodes:  # which grows meanwhile
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.body = [s for s in node.body if not _is_text(s)] or [ast.Pass()]
        nodes.extend(ast.iter_child_nodes(node))
    return nodes
