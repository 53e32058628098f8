"""What a run tells: a header, a short line for every step, the results as the last thing."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from msf_kedro.progress import duration, name_step
from msf_kedro.runner import artifact_of, open_run

logger = logging.getLogger(__name__)

# What Kedro says of every node and dataset, and what it says of itself.
CHATTER = (
    *("Running node: ", "Completed %d out of %d tasks", "Loading data from ", "Saving data to "),
    *("Using synchronous mode", "Asynchronous mode is", "Pipeline execution completed"),
)
COMPLETED = "Completed node: %s"
SPELT = {"shift gcn": "Shift-GCN", "gzssar": "GZSSAR", "zssar": "ZSSAR"}
CELL = ("study", "split", "method", "texts", "encoder")
FIGURES = ("zssar_results", "gzssar_results")
BESIDE = [f"beside.{name}" for name in FIGURES]  # of a second method
RESULTS = {*FIGURES, "metrics"}
# What to look at, the best first, and what to say of it.
REPORTS = {"report_page": "open in a browser", "metrics": "metrics"}
WIDEST = 54  # of a step's name, with blanks behind it, so that times stand below each other


def spelt(node: str) -> str:
    """A node's name for people: `test · joint · train Shift-GCN`."""
    *spaces, name = node.split(".")
    name = name.replace("_", " ")
    for written, meant in SPELT.items():
        name = name.replace(written, meant)
    return " · ".join([*spaces, name])


class StepLines(logging.Filter):
    """Puts a short line in place of what Kedro's runners say of a node that has run.

    A filter of the log, as runners of all kinds, in whatever process nodes run, tell there, and
    nowhere else, which nodes have run.

    Args:
        run_id: of the run.
        pipeline: its pipeline.
    """

    def __init__(self, run_id: str, pipeline: Pipeline):
        super().__init__()
        self._run_id = run_id
        self._width = min(WIDEST, max((len(spelt(n.name)) for n in pipeline.nodes), default=0))

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg == COMPLETED and record.args:
            record.msg, record.args = self._line(record.args[0]), ()
        return not str(record.msg).startswith(CHATTER)

    def _line(self, node: str) -> str:
        run = open_run(self._run_id)
        if run is None:
            return spelt(node)
        (number, count), seconds = run.finish(node), run.seconds(node)
        took = "" if seconds is None else duration(seconds)
        place = f"{number:>{len(str(count))}}/{count}"
        return f"{place}  {spelt(node):<{self._width}}  {took:>11}".rstrip()


class RunLog:
    """Says at the start what will run, then a line a step, and at the end what came of it."""

    @hook_impl(trylast=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        self._started = time.monotonic()
        self._lines = StepLines(run_params["run_id"], pipeline)
        for handler in logging.root.handlers:
            handler.addFilter(self._lines)
        for line in header(run_params, pipeline, catalog):
            logger.info("%s", line)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        name_step(spelt(node.name))

    @hook_impl
    def after_node_run(self) -> None:
        name_step("")

    @hook_impl
    def on_node_error(self) -> None:
        name_step("")

    @hook_impl
    def on_pipeline_error(self) -> None:
        self._leave()

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        self._leave()
        logger.info("done in %s", duration(time.monotonic() - self._started))
        for text in outcome(pipeline, catalog):
            logger.info("%s", text)

    def _leave(self) -> None:
        for handler in logging.root.handlers:
            handler.removeFilter(self._lines)


def header(
    run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
) -> Iterator[str]:
    """What will run, on what, and how long that took the last time."""
    names = "+".join(run_params.get("pipeline_names") or ["gzssar"])
    read = pipeline.inputs()
    known = [name for name in CELL if f"params:{name}" in read]
    yield " · ".join([names, *(f"{name} {catalog.load(f'params:{name}')}" for name in known)])
    if "ChangedOnly" in str(run_params.get("runner")):
        return  # which says itself what runs
    run, count = open_run(run_params["run_id"]), len(pipeline.nodes)
    seconds = run.seconds_before() if run else None
    before = "" if seconds is None else f"; the last time they took {duration(seconds)}"
    yield f"{count} node{'s' * (count != 1)}{before}"


def outcome(pipeline: Pipeline, catalog: CatalogProtocol) -> Iterator[str]:
    """The results of a run that makes some, and where the report of it is."""
    from msf_kedro.reports.evaluation import results_table  # imports PyTorch
    from msf_kedro.zero_shot.inference import run_in_tables

    made = pipeline.all_outputs()
    if RESULTS - made:
        return
    metrics = catalog.load("metrics")
    about, runs = metrics["run"], {}
    for run, names in ((about, FIGURES), (metrics.get("beside", {}).get("run"), BESIDE)):
        if run:
            runs[run_in_tables(run)] = tuple(map(catalog.load, names))
    (zssar, _), *_ = runs.values()
    yield (
        f"{about['study']}, split {about['split']}, {' and '.join(runs)}, texts {about['texts']},"
        f" {zssar.seed.nunique()} seeds: percent, mean ± standard deviation over seeds\n"
        f"{results_table(runs)}"
    )
    for name, said in REPORTS.items():
        artifact = artifact_of(catalog, name) if name in made else None
        if file := artifact and artifact.newest():
            yield f"{said}: {_place(file)}"
            return


def _place(file: Path) -> str:
    """As short as it can be opened from here."""
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)
