"""Which nodes of a pipeline have to run, and why.

A node is kept if all it makes is there whole, made by the same code with the same parameters from
the same content. Whether a node behind one that runs has to run is known only when that one has
made what it makes: until then it waits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from .artifacts import artifact_of, chosen_version
from .plain import differences
from .recipes import UNKNOWN, Makers, Recipes, recipe_hash
from .records import Input, Recipe, record_of

RUN, WAIT, KEEP = "run", "wait", "keep"


@dataclass(frozen=True)
class Decision:
    """What becomes of a node, and why, in half a line.

    Attributes:
        missing: whether what it makes or reads is not there.
    """

    what: str
    why: str
    missing: bool = False


class Plan(dict[str, Decision]):
    """Node → decision, in the pipeline's order."""

    def names(self, what: str) -> list[str]:
        return [name for name, decision in self.items() if decision.what == what]


def make_plan(
    pipeline: Pipeline, catalog: CatalogProtocol, recipes: Recipes, done: frozenset[str]
) -> Plan:
    """Decide for every node.

    Args:
        done: nodes that have run already; they are not asked again.
    """
    makers, plan = Makers(pipeline, catalog), Plan()
    for node in pipeline.nodes:
        if node.name in done:
            plan[node.name] = Decision(KEEP, "has just run")
            continue
        before = {makers.of(name) for name in node.inputs} - {None}
        open_ones = [name for name in plan if name in before and plan[name].what != KEEP]
        decision = _decide(node, catalog, recipes, bool(open_ones))
        if decision.what == WAIT:
            decision = Decision(WAIT, f"depends on what {open_ones[0]} makes")
        elif not node.outputs and before & done:
            decision = Decision(RUN, "shows what has just been made")
        plan[node.name] = decision
    return _with_memory(pipeline, recipes, plan)


def next_wave(pipeline: Pipeline, plan: Plan) -> list[str]:
    """The nodes that have to run and do not depend on one that waits."""
    unsettled, wave = set(plan.names(WAIT)), []
    above = pipeline.node_dependencies
    for node in pipeline.nodes:
        if node.name in unsettled:
            continue
        if any(maker.name in unsettled for maker in above[node]):
            if plan[node.name].what == RUN:
                unsettled.add(node.name)
            continue
        if plan[node.name].what == RUN:
            wave.append(node.name)
    return wave


def _decide(node: Node, catalog: CatalogProtocol, recipes: Recipes, inputs_open: bool) -> Decision:
    """By what is on disk; `wait` if only the content of open inputs can tell."""
    outputs = [artifact for name in node.outputs if (artifact := artifact_of(catalog, name))]
    records = []
    for artifact in outputs:
        chosen = chosen_version(catalog, artifact.name)
        file = artifact.file(chosen) if chosen else artifact.newest()
        if file is None or not file.exists():
            return Decision(RUN, f"{artifact.name} is not there", missing=True)
        record = record_of(file)
        if record is None or record.recipe is None:
            return Decision(RUN, f"{artifact.name} has no record of what made it")
        records.append(record)
    if not records:
        return Decision(WAIT if inputs_open else KEEP, "makes no file")
    if len({record.run for record in records}) > 1:
        return Decision(RUN, "what it makes is of different runs")
    known, old = recipes.known[node.name], records[0].recipe
    raw = {argument: old.inputs[argument] for argument in known.raw if argument in old.inputs}
    changed = (
        _changed_code(old.code, known.code)
        or _changed_parameters(old, known.ingredients)
        or _changed_inputs(raw, known.raw)
    )
    if changed:
        return Decision(RUN, changed)
    if inputs_open:
        return Decision(WAIT, "")
    try:
        new = recipes.recipe(node.name, catalog)
    except LookupError as missing:
        return Decision(RUN, f"{missing.args[0]} is not there", missing=True)
    if unknown := [read.name for read in new.inputs.values() if read.hash == UNKNOWN]:
        return Decision(RUN, f"{unknown[0]} is only in memory")
    if any(recipe_hash(record.recipe) != recipe_hash(new) for record in records):
        return Decision(RUN, _changed_inputs(old.inputs, new.inputs))
    return Decision(KEEP, "nothing has changed")


def _with_memory(pipeline: Pipeline, recipes: Recipes, plan: Plan) -> Plan:
    """What is only in memory has to be made again for whoever reads it."""
    for node in reversed(pipeline.nodes):
        if plan[node.name].what == RUN:
            for name in node.inputs:
                maker = recipes.memory.get(name)
                if maker and plan[maker].what != RUN:
                    plan[maker] = Decision(RUN, f"{node.name} needs {name}, which is not kept")
    return plan


def _changed_code(old: dict[str, str], new: dict[str, str]) -> str:
    modules = [module for module in sorted({*old, *new}) if old.get(module) != new.get(module)]
    return f"the code has changed in {_some(modules)}" if modules else ""


def _changed_parameters(old: Recipe, new) -> str:
    told = []
    for argument in sorted({*old.parameters, *new.parameters}):
        was, now = (side.parameters.get(argument, {}) for side in (old, new))
        name = (now.get("name") or was.get("name") or argument).removeprefix("params:")
        told += differences(was.get("value"), now.get("value"), name)
    return _some(told)


def _changed_inputs(old: dict[str, Input], new: dict[str, Input]) -> str:
    told = []
    for argument in sorted({*old, *new}):
        was, now = old.get(argument), new.get(argument)
        if was is None or now is None or was.hash != now.hash:
            told.append(f"{(now or was).name} has changed{_counts(was, now)}")
    return _some(told)


def _counts(was: Input | None, now: Input | None) -> str:
    if was and now and was.files and now.files and was.files != now.files:
        return f" ({now.files} files, {was.files} before)"
    return ""


def _some(told: list[str]) -> str:
    """At most two, so that it fits half a line."""
    more = f" and {len(told) - 2} more" if len(told) > 2 else ""
    return ", ".join(islice(told, 2)) + more


def describe(plan: Plan) -> Iterator[str]:
    """A line per node."""
    width = max(map(len, plan), default=0)
    for name, decision in plan.items():
        yield f"{decision.what:<5} {name:<{width}}  {decision.why}"
