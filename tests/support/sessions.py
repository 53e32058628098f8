"""The project's runs for tests: as `kedro run` makes them, and what they leave on disk."""

import json
import logging
import os
import shutil
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

ROOT = Path(__file__).parents[2]
# Those that the project ships; a user's own environments are none of the tests' business.
ENVIRONMENTS = ("sample", "test", "utd_mhad", "ntu60", "ntu120")
SIDE_BY_SIDE = {"seconds", "fit_seconds"}  # columns that no two runs share

bootstrap_project(ROOT)


def session(env: str | None, params: dict | None = None, conf: Path | None = None) -> KedroSession:
    """A session of this project; `params` are what `--params` would hold."""
    return KedroSession.create(
        project_path=ROOT, env=env, runtime_params=params, conf_source=conf and str(conf)
    )


def context(env: str, **params) -> KedroContext:
    """The context of an environment, with its configuration and catalog."""
    return session(env, params).load_context()


@cache
def known(env: str) -> tuple[set[str], set[str]]:
    """Every dataset and every node of an environment's pipelines."""
    context(env)
    every = list(pipelines.values())
    data_sets = set().union(*(pipeline.datasets() for pipeline in every))
    return data_sets, {node.name for pipeline in every for node in pipeline.nodes}


def run(data_root: Path, *pipelines: str, conf: Path | None = None, params=None, **selection):
    """Run pipelines (by default all) of the test study; `selection` is what `--nodes` etc. are."""
    with session("test", {"data_root": str(data_root)} | (params or {}), conf) as opened:
        return opened.run(pipeline_names=list(pipelines) or None, **selection)


class Log(logging.Handler):
    """What is logged and warned of inside a `with`."""

    def __enter__(self) -> "Log":
        self.records: list[logging.LogRecord] = []
        self._catcher = warnings.catch_warnings(record=True)
        self.warned = self._catcher.__enter__()
        warnings.simplefilter("always")
        logging.getLogger().addHandler(self)
        self._level = logging.getLogger("msf_kedro").level
        logging.getLogger("msf_kedro").setLevel(logging.INFO)
        return self

    def __exit__(self, *error) -> None:
        logging.getLogger("msf_kedro").setLevel(self._level)
        logging.getLogger().removeHandler(self)
        self._catcher.__exit__(*error)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def messages(self, level: int = logging.INFO) -> list[str]:
        return [record.getMessage() for record in self.records if record.levelno >= level]


def artifacts(data_root: Path) -> dict[str, list[Path]]:
    """All files below a data root: artifact (`02_intermediate/test/clips.parquet`) → versions.

    The records beside them, those of runs, and states of trainings that broke off are left out.
    """
    found: dict[str, list[Path]] = {}
    for file in sorted(path for path in data_root.rglob("*") if path.is_file()):
        place = file.relative_to(data_root)
        beside = file.name.endswith(".record.json") or "training_state" in place.parts
        if place.parts[:2] != ("08_reporting", "runs") and not beside:
            found.setdefault(str(place.parent.parent), []).append(file)
    return found


def new_files(data_root: Path, before: dict[str, list[Path]]) -> dict[str, list[Path]]:
    """The versions that were added, and none taken away."""
    after = artifacts(data_root)
    assert all(set(files) <= set(after[name]) for name, files in before.items())
    added = {
        name: [f for f in files if f not in before.get(name, [])] for name, files in after.items()
    }
    return {name: files for name, files in added.items() if files}


def paths(*nodes: str, pipeline: str = "gzssar", **params) -> set[str]:
    """The artifacts that some nodes of the test study write, relative to the data root."""
    catalog = context("test", data_root="/data", **params).catalog
    outputs = pipelines[pipeline].only_nodes(*nodes).all_outputs()
    return {str(catalog.get(name)._filepath.relative_to("/data")) for name in outputs}


def newer(file: Path) -> Path:
    """Where a version goes that is newer than an artifact's; its folder is made."""
    folder = file.parent.with_name("2999-01-01T00.00.00.000Z")
    folder.mkdir()
    return folder / file.name


def link_copy(source: Path, target: Path) -> Path:
    """A copy of a folder whose files are hard links: artifacts are never changed in place."""
    return Path(shutil.copytree(source, target, copy_function=os.link))


def shuffle_test_labels(data_root: Path, split: str) -> None:
    """A newer version of a split's roles in both phases, test subjects' labels shuffled."""
    for phase in ("calibration", "test"):
        (file,) = artifacts(data_root)[f"03_primary/test/{split}/{phase}/roles.parquet"]
        roles = read(file)
        test = np.flatnonzero((roles.part == "test") & (roles.side != "excluded"))
        others = np.random.default_rng(0).permutation(test)
        columns = ["class_id", "side"]
        shuffled = roles.copy()
        shuffled.loc[test, columns] = roles.loc[others, columns].to_numpy()
        shuffled["class_id"] = shuffled.class_id.astype(roles.class_id.dtype)
        shuffled.to_parquet(newer(file), index=False)


def read(file: Path):
    """An artifact's content, without Kedro."""
    if file.suffix == ".json":
        return json.loads(file.read_text())
    if file.suffix in {".svg", ".html"}:
        return file.read_text()
    if file.suffix == ".pt":
        return torch.load(file, weights_only=True)
    return pd.read_parquet(file).drop(columns=list(SIDE_BY_SIDE), errors="ignore")


def assert_equal(found, expected, where: str = "") -> None:
    """Exactly equal: tables, tensors and plain values, nested."""
    assert type(found) is type(expected), where
    if isinstance(found, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=True, obj=where)
    elif isinstance(found, torch.Tensor):
        assert found.dtype == expected.dtype, where
        assert torch.equal(found, expected), where
    elif isinstance(found, list | tuple):
        assert len(found) == len(expected), where
        for place, parts in enumerate(zip(found, expected, strict=True)):
            assert_equal(*parts, f"{where}/{place}")
    elif isinstance(found, dict):
        assert found.keys() == expected.keys(), where
        for key in found:
            assert_equal(found[key], expected[key], f"{where}/{key}")
    else:
        assert found == expected, where
