"""A runner that hands nodes to the workers of a Dask cluster."""

import logging
import os
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import finalize

from click import ClickException
from kedro.framework import project
from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import AbstractRunner
from kedro.runner.task import Task

from .artifacts import artifact_of, is_parameter
from .records import record_of
from .runs import use_settings

logger = logging.getLogger(__name__)

TAG, RESOURCE = "gpu", "GPU"  # a node's tag, and what its worker offers


class DaskRunner(AbstractRunner):
    """Nodes side by side on the workers of a Dask cluster.

    A node runs in one worker, with the project's hooks; what it reads and makes goes through the
    catalog, on storage that all workers reach. If a worker dies, its node runs again on another.

    Args:
        address: of the scheduler, such as `tcp://host:8786`.
        scheduler_file: that `dask scheduler --scheduler-file` has written, instead of an address.
        workers: processes of a cluster that is started here, if neither is given and Dask's own
            configuration names none; one a core unless given.
        gpu: whether nodes with the tag `gpu` wait for a worker that offers the resource `GPU`; if
            not given, they do if a worker offers it as the nodes are handed out.
        is_async: whether inputs are loaded and outputs saved side by side.

    Raises:
        ClickException: on `run`, if no scheduler answers, or what a node makes has no entry in the
            catalog.
        RuntimeError: on `run`, if a node's workers keep dying.
    """

    def __init__(
        self,
        address: str | None = None,
        scheduler_file: str | None = None,
        workers: int | None = None,
        gpu: bool | None = None,
        is_async: bool = False,
    ):
        super().__init__(is_async=is_async)
        self._address, self._scheduler_file = address, scheduler_file
        self._workers, self._gpu = workers, gpu
        self._client: Any = None  # one for all waves of a run

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: Any = None,
        run_id: str | None = None,
    ) -> None:
        from distributed import KilledWorker

        for name in sorted(pipeline.all_outputs()):
            if isinstance(catalog.get(name), MemoryDataset):
                raise ClickException(
                    f"{name} would only be in the memory of one worker: give it an entry in the"
                    f" catalog, or use a runner other than {type(self).__name__}"
                )
        try:
            super()._run(pipeline, catalog, run_id=run_id)  # hooks are called by the workers
        except KilledWorker as error:
            raise RuntimeError(
                f"{error.task}: {error.allowed_failures + 1} workers died while they ran it, the"
                f" last at {error.last_worker.address} (killed, or out of memory?); what is"
                " finished is kept: see to the workers and run again"
            ) from error

    def _get_executor(self, max_workers: int) -> Executor:
        if self._client is None:
            self._client = self._connect()
        workers = self._client.scheduler_info()["workers"].values()
        offered = sum(RESOURCE in worker["resources"] for worker in workers)
        gpu = bool(offered) if self._gpu is None else self._gpu
        logger.info("%d workers, %d with the resource %s", len(workers), offered, RESOURCE)
        if not workers or (gpu and not offered):
            logger.warning("nodes wait until such workers have joined")
        return Nodes(self._client, gpu)

    def _connect(self) -> Any:
        from dask import config
        from distributed import Client

        logging.getLogger("distributed").setLevel(logging.WARNING)
        place = self._address or self._scheduler_file or config.get("scheduler-address", None)
        if not place:
            client = Client(n_workers=self._workers, threads_per_worker=1, dashboard_address=":0")
            finalize(self, client.shutdown)
            return client
        try:
            client = Client(self._address, scheduler_file=self._scheduler_file)
        except OSError as error:  # also what it raises when time is up
            raise ClickException(
                f"no Dask scheduler answers at {place}: start one with `dask scheduler`, and"
                " workers with `dask worker`"
            ) from error
        finalize(self, client.close)
        return client


class Nodes(Executor):
    """Kedro's tasks on a cluster, until they are done or one fails; then the others are dropped."""

    def __init__(self, client: Any, gpu: bool):
        self._gpu, self._pool = gpu, client.get_executor(pure=False)

    def submit(self, task: Task) -> Future[Node]:
        """Have a worker run a task's node."""
        task.parallel = True  # the worker has hooks of its own
        resources = {RESOURCE: 1} if self._gpu and TAG in task.node.tags else None
        key = f"{task.node.name}-{task.run_id}"
        given = (task, str(Path.cwd()), project.PACKAGE_NAME)
        return self._pool.submit(run_task, *given, key=key, resources=resources)

    def __exit__(self, kind: Any, *error: Any) -> None:
        self.shutdown(wait=kind is None)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the nodes that were handed out, or drop them."""
        self._pool.shutdown(wait=wait and not cancel_futures)


def run_task(task: Task, folder: str, package: str | None) -> Node:
    """In a worker: run a node, unless another worker did and died before it could say so.

    Args:
        folder: where the run was started; paths may be relative to it.
        package: the project's.
    """
    with suppress(OSError):  # a machine that has only the package
        os.chdir(folder)
    use_settings(package)
    return task.node if _made_already(task) else task.execute()


def _made_already(task: Task) -> bool:
    names = [name for name in task.node.outputs if not is_parameter(name)]
    artifacts = [artifact_of(task.catalog, name) for name in names]
    records = [record_of(artifact.file(task.run_id)) for artifact in artifacts if artifact]
    whole = [record for record in records if record and record.complete]
    return bool(names) and len(whole) == len(names) and {r.run for r in whole} == {task.run_id}
