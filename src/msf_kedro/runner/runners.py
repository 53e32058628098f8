"""Runners that run only what has changed."""

import logging
from collections.abc import Iterator
from typing import Any

from click import ClickException
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.runner import ParallelRunner, SequentialRunner, ThreadRunner

from .cluster import DaskRunner
from .hooks import Lineage, open_runs
from .plan import KEEP, RUN, WAIT, Plan, make_plan, next_wave

logger = logging.getLogger(__name__)

SHOWN = 20  # how many nodes are told one by one


class ChangedOnly:
    """What makes a runner run only the nodes that have to; to be named before the runner's class.

    Nodes run in waves: first those that have to run whatever the others make, then those behind
    them whose inputs have really changed.
    """

    def run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: Any = None,
        run_id: str | None = None,
        only_missing_outputs: bool = False,
    ) -> dict[str, Any]:
        run = open_runs.get(run_id)
        if run is None:
            raise ClickException(
                f"{type(self).__name__} needs the hook {Lineage.__module__}.Lineage: add it to"
                " HOOKS in settings.py"
            )
        done: set[str] = set()
        results: dict[str, Any] = {}
        run.look_at_what_is_there()
        while True:
            plan = make_plan(pipeline, catalog, run.recipes, frozenset(done))
            run.decisions |= {name: plan[name] for name in plan if name not in done}
            wave = next_wave(pipeline, plan)
            if not done:
                for line in told(plan):
                    logger.info("%s", line)
            if not wave:
                break
            part = pipeline.filter(node_names=wave)
            run.settle_inputs(part)
            results |= super().run(part, catalog, hook_manager, run_id)
            done |= set(wave)
        return results


class ChangedOnlyRunner(ChangedOnly, SequentialRunner):
    """One node at a time."""


class ChangedOnlyThreadRunner(ChangedOnly, ThreadRunner):
    """Nodes side by side in threads."""


class ChangedOnlyParallelRunner(ChangedOnly, ParallelRunner):
    """Nodes side by side in processes."""


class ChangedOnlyDaskRunner(ChangedOnly, DaskRunner):
    """Nodes side by side on a Dask cluster."""


def told(plan: Plan) -> Iterator[str]:
    """What will run and why, in lines.

    Of nodes whose artifacts are not there at all, and of those that wait for others, only how many
    there are.
    """
    new = [name for name in plan.names(RUN) if plan[name].missing]
    changed = [name for name in plan.names(RUN) if name not in new]
    for name in changed[:SHOWN]:
        yield f"{name} runs: {plan[name].why}"
    if len(changed) > SHOWN:
        yield f"{len(changed) - SHOWN} more nodes run"
    counts = {
        "run, as what they make is not there": len(new),
        "run if what they read changes": len(plan.names(WAIT)),
        "are kept": len(plan.names(KEEP)),
    }
    parts = [f"{count} {what}" for what, count in counts.items() if count]
    yield f"{len(plan)} nodes: " + "; ".join(([f"{len(changed)} run"] if changed else []) + parts)
