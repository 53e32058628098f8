"""The recipes of all nodes of a run: all that decides what they make, as far as it is known."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from .artifacts import artifact_of, dataset_of, file_to_load
from .code import Code
from .files import content_hash, text_hash
from .nodes import Ingredients, code_of, ingredients
from .places import Place
from .records import Input, Recipe, record_of
from .sources import Sources

UNKNOWN = "unknown"  # the hash of input that is only in memory, and that no node makes


@dataclass(frozen=True)
class Known:
    """What is known of a node before anything runs.

    Attributes:
        ingredients: function, parameters and datasets.
        code: module → hash.
        names: see `Recipe`.
        raw: argument → raw input, for those that are no artifacts.
    """

    ingredients: Ingredients
    code: dict[str, str]
    names: list[str]
    raw: dict[str, Input]


class Recipes:
    """Recipes of nodes by name.

    Args:
        known: node → what is known at the start.
        memory: dataset that is only in memory → node that makes it. Its content is not known, but
            the recipe that makes it, which stands for it.
    """

    def __init__(self, known: dict[str, Known], memory: dict[str, str]):
        self.known, self.memory = known, memory

    @classmethod
    def of(
        cls,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        code: Code,
        sources: Sources,
        immaterial: Iterable[str],
    ) -> "Recipes":
        """Read code, parameters and raw inputs of all nodes."""
        known: dict[str, Known] = {}
        makers = Makers(pipeline, catalog)
        for node in pipeline.nodes:
            made_of = ingredients(node, catalog, immaterial)
            names, raw = made_of.names(), {}
            for argument, name in made_of.inputs.items():
                if maker := makers.of(name):
                    names.update(known[maker].names)
                elif record := _record(catalog, name):
                    names.update(record.recipe.names if record.recipe else [])
                elif found := _raw(sources, catalog, name):
                    raw[argument] = found
            code_parts = code_of(node, code, names)
            known[node.name] = Known(made_of, code_parts, sorted(names), raw)
        return cls(known, makers.only_in_memory())

    def recipe(self, node: str, catalog: CatalogProtocol) -> Recipe:
        """A node's recipe, with the content of its inputs as they are now.

        Raises:
            LookupError: an input is not there.
        """
        known = self.known[node]
        inputs = {
            argument: known.raw.get(argument) or self._input(name, catalog)
            for argument, name in known.ingredients.inputs.items()
        }
        made_of = known.ingredients
        return Recipe(made_of.function, known.code, made_of.parameters, inputs, known.names)

    def _input(self, name: str, catalog: CatalogProtocol) -> Input:
        if name in self.memory:
            return Input(name, recipe_hash(self.recipe(self.memory[name], catalog)))
        artifact = artifact_of(catalog, name)
        if artifact is None:
            return Input(name, UNKNOWN)
        file = file_to_load(catalog, artifact)
        if file is None:
            raise LookupError(name)
        record = record_of(file)
        content = record.content if record else content_hash(file)
        return Input(name, content, str(file.absolute()), artifact.version(file))

    def state(self) -> dict[str, Any]:
        """As JSON."""
        return {"known": {k: asdict(v) for k, v in self.known.items()}, "memory": self.memory}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Recipes":
        known = {
            node: Known(
                Ingredients(**entry["ingredients"]),
                entry["code"],
                entry["names"],
                {argument: Input(**read) for argument, read in entry["raw"].items()},
            )
            for node, entry in state["known"].items()
        }
        return cls(known, state["memory"])


class Makers:
    """Which node of a pipeline makes a dataset, also under another name of the same file."""

    def __init__(self, pipeline: Pipeline, catalog: CatalogProtocol):
        self._catalog = catalog
        self._by_name = {output: node.name for node in pipeline.nodes for output in node.outputs}
        paths = {name: self._path(name) for name in self._by_name}
        self._by_path = {path: self._by_name[name] for name, path in paths.items() if path}

    def of(self, name: str) -> str | None:
        """The node that makes a dataset; None if it is read from outside the pipeline."""
        return self._by_name.get(name) or self._by_path.get(self._path(name))

    def only_in_memory(self) -> dict[str, str]:
        """Datasets that have no file, with the nodes that make them."""
        return {name: node for name, node in self._by_name.items() if self._path(name) is None}

    def _path(self, name: str) -> Place | None:
        artifact = artifact_of(self._catalog, name)
        return artifact.path if artifact else None


def recipe_hash(recipe: Recipe) -> str:
    """It changes whenever the node could make something else; where inputs lie does not count."""
    content = [
        recipe.code,
        {argument: parameter["value"] for argument, parameter in recipe.parameters.items()},
        {argument: read.hash for argument, read in recipe.inputs.items()},
    ]
    return text_hash(json.dumps(content, sort_keys=True))


def _raw(sources: Sources, catalog: CatalogProtocol, name: str) -> Input | None:
    artifact = artifact_of(catalog, name)
    version = file_to_load(catalog, artifact) if artifact and artifact.versioned else None
    config = catalog.config_resolver.resolve_pattern(name)
    return sources.of(name, dataset_of(catalog, name), config, version)


def _record(catalog: CatalogProtocol, name: str):
    artifact = artifact_of(catalog, name)
    file = artifact and file_to_load(catalog, artifact)
    return record_of(file) if file else None
