"""Runners that run only what has changed."""

import logging
from typing import Any

from click import ClickException
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.runner import ParallelRunner, SequentialRunner, ThreadRunner

from .cluster import DaskRunner
from .hooks import Lineage, open_runs
from .plan import KEEP, RUN, Plan, make_plan, next_wave

logger = logging.getLogger(__name__)

SHOWN = 40  # how many nodes are told one by one


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
                tell(plan)
            if not wave:
                break
            part = pipeline.filter(node_names=wave)
            run.settle_inputs(part)
            results |= super().run(part, catalog, hook_manager, run_id)
            done |= set(wave)
        logger.info("%d of %d nodes have run", len(done), len(pipeline.nodes))
        return results


class ChangedOnlyRunner(ChangedOnly, SequentialRunner):
    """One node at a time."""


class ChangedOnlyThreadRunner(ChangedOnly, ThreadRunner):
    """Nodes side by side in threads."""


class ChangedOnlyParallelRunner(ChangedOnly, ParallelRunner):
    """Nodes side by side in processes."""


class ChangedOnlyDaskRunner(ChangedOnly, DaskRunner):
    """Nodes side by side on a Dask cluster."""


def tell(plan: Plan) -> None:
    """Log what will run and why."""
    running = [name for name, decision in plan.items() if decision.what != KEEP]
    for name in running[:SHOWN]:
        word = "runs" if plan[name].what == RUN else "may run"
        logger.info("%s %s: %s", name, word, plan[name].why)
    if len(running) > SHOWN:
        logger.info("%d more nodes run or may run", len(running) - SHOWN)
    logger.info("%d of %d nodes are kept", len(plan) - len(running), len(plan))
