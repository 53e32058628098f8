"""The studies' configuration: it loads, resolves to files that stay apart, and fits its data."""

import dataclasses
import re
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.framework.project import pipelines
from kedro.io import AbstractVersionedDataset, DataCatalog, MemoryDataset
from support.sessions import ENVIRONMENTS, ROOT, context

from msf_kedro.pipeline_registry import register_pipelines
from msf_kedro.zero_shot.splits import get_split, parse_classes

PIPELINES = register_pipelines()
RAW = {
    "raw_clips",
    "class_texts",
    "published_figures",
    "clip_parts",
    "missing_lists",
    "text_files",
    "released_features",
    "released_checkpoint",
}
# What the tables of all studies are made from, read only, and these tables.
COLLECTED = {"studies"}
OVER_STUDIES = {"tables", "tables_markdown", "tables_html"}
# One report a study, whatever the split: its newest version is the newest run's.
ONE_A_STUDY = {"metrics"}

# The splits of SynSE and MSF: study → unseen and calibration classes of `split_1`.
PAPER_SPLITS = {
    "ntu60_55_5": ("11 12 20 27 57", "17 22 26 32 49"),
    "ntu60_48_12": (
        "4 6 10 13 16 41 43 48 52 57 59 60",
        "5 9 11 14 18 23 31 34 40 47 51 55",
    ),
    "ntu120_110_10": ("5 14 38 44 50 66 89 96 100 107", "6 11 33 62 73 75 77 78 84 97"),
    "ntu120_96_24": (
        "6 10 12 17 19 21 23 30 36 40 46 50 60 69 71 82 85 88 94 95 105 114 115 120",
        "2 4 5 11 18 20 28 48 49 54 59 64 67 80 84 87 90 93 98 99 101 104 106 109",
    ),
}
NTU60_TRAIN = "1 2 4 5 8 9 13 14 15 16 17 18 19 25 27 28 31 34 35 38"
NTU120_TRAIN = NTU60_TRAIN + (
    " 45 46 47 49 50 52 53 54 55 56 57 58 59 70 74 78 80 81 82 83 84 85 86 89 91 92 93 94 95 97 98"
    " 100 103"
)

every_environment = pytest.mark.parametrize("env", ENVIRONMENTS)
other_environments = pytest.mark.parametrize("env", [env for env in ENVIRONMENTS if env != "base"])


class Study(NamedTuple):
    """What an environment's configuration comes to."""

    params: dict
    catalog: DataCatalog
    entries: dict
    pipelines: list


@cache
def study(env: str, **params) -> Study:
    """All at once: `globals` resolves to the latest context's, whichever context asks."""
    opened = context(env, **params)
    entries = opened.config_loader["catalog"]
    return Study(opened.params, opened.catalog, entries, list(pipelines.values()))


@cache
def data_sets(env: str, **params) -> dict:
    """Every dataset that any pipeline reads or writes."""
    catalog = study(env, **params).catalog
    names = set().union(*(pipeline.datasets() for pipeline in study(env, **params).pipelines))
    return {n: catalog.get(n) for n in sorted(names) if not n.startswith("params:")}


def file_of(data_set) -> Path:
    return Path(data_set._filepath)


def behind(*inputs: str) -> set[str]:
    """The datasets that depend on some inputs."""
    return PIPELINES["gzssar"].from_inputs(*inputs).all_outputs()


def integers(text: str) -> list[int]:
    return [int(word) for word in text.split()]


def raw_yaml(env: str, kind: str) -> dict:
    """A configuration file as it is written, without Kedro."""
    return yaml.safe_load((ROOT / "conf" / env / f"{kind}.yml").read_text()) or {}


def leaves(tree, *path) -> dict[tuple, object]:
    if not isinstance(tree, dict):
        return {path: tree}
    return {k: v for key, sub in tree.items() for k, v in leaves(sub, *path, key).items()}


def test_there_are_the_issues_studies():
    assert {"base", "test", "utd_mhad", "ntu60_55_5"} <= set(ENVIRONMENTS)


# --- catalogs ---


@every_environment
def test_nothing_between_nodes_lies_in_memory(env):
    """All that a node writes is a versioned file; raw input is there for all stages."""
    for name, data_set in data_sets(env).items():
        assert data_set is not None, f"{name} is in no catalog entry or pattern"
        assert not isinstance(data_set, MemoryDataset), name
        if name not in RAW | COLLECTED:
            assert isinstance(data_set, AbstractVersionedDataset), name
            assert data_set._version is not None, f"{name} is not versioned"


@every_environment
def test_paths_are_of_the_study_and_of_one_dataset_only(env):
    own = study(env).params["study"]
    files = {name: file_of(d) for name, d in data_sets(env).items() if hasattr(d, "_filepath")}
    of_file = {}
    for name, file in files.items():  # the benchmark shares each split's roles and features
        shared = name.removeprefix("split_1.")
        assert of_file.setdefault(file, shared) == shared
        assert file.is_absolute(), name
        assert name in RAW | OVER_STUDIES or own in file.parts, (
            f"{name}: {file} does not name study {own}"
        )


def test_no_two_environments_are_the_same_study():
    studies = [study(env).params["study"] for env in ENVIRONMENTS]
    assert len(set(studies)) == len(studies)


@every_environment
@pytest.mark.parametrize(("name", "other"), [("split", "split_9"), ("texts", "MD")])
def test_paths_tell_runs_apart(env, name, other):
    """What depends on the split or the text kinds lies elsewhere for others.

    Nothing else does, but that fused texts, which splits share, lie below the split.
    """
    moved = {
        data_set
        for data_set, chosen in data_sets(env, **{name: other}).items()
        if hasattr(chosen, "_filepath") and file_of(chosen) != file_of(data_sets(env)[data_set])
    }
    assert moved | {"fused_texts"} == (behind(f"params:{name}") | {"fused_texts"}) - ONE_A_STUDY


@every_environment
def test_data_root_moves_all_that_is_written(env, tmp_path):
    for name, data_set in data_sets(env, data_root=str(tmp_path)).items():
        if name not in RAW | COLLECTED:
            assert file_of(data_set).is_relative_to(tmp_path), name
    scratch = study(env, data_root=str(tmp_path)).entries["clip_parts"]["path"]
    own = study(env).params["study"]
    assert scratch == str(tmp_path / "02_intermediate" / own / "clip_parts")


def test_the_tables_are_made_from_all_studies_below_the_data_root(tmp_path):
    folders = {data_sets(env, data_root=str(tmp_path))["studies"]._folder for env in ENVIRONMENTS}
    assert folders == {tmp_path / "08_reporting"}


@every_environment
def test_no_catalog_entry_is_dead(env):
    catalog = study(env).catalog
    names = set(data_sets(env))
    entries = {name for name in study(env).entries if not name.startswith("_")}
    patterns = {name for name in entries if "{" in name}
    assert entries - patterns <= names
    used = {catalog.config_resolver.match_dataset_pattern(name) for name in names}
    assert patterns <= used


# --- parameters ---


@every_environment
def test_parameters_become_their_dataclasses(env):
    """Also by their types: jaxtyping's import hook checks the fields in tests."""
    params, typed = study(env).params, set()
    for node in PIPELINES["gzssar"].nodes:
        hints = node.func.__annotations__
        positional = node._inputs if isinstance(node._inputs, list) else []
        for argument, given in zip(hints, positional, strict=False):
            if dataclasses.is_dataclass(hints[argument]):
                typed.add(given)
                assert isinstance(params[given.removeprefix("params:")], hints[argument]), given
    assert typed >= {f"params:{name}" for name in ("clips", "normalise", "alignment", "gate")}
    untyped = [k for k, v in params.items() if isinstance(v, dict)]
    assert untyped == ["splits"], "these are chosen from, and built then"


@every_environment
def test_every_parameter_is_read(env):
    read = set().union(*(pipeline.inputs() for pipeline in study(env).pipelines))
    top_level = {name.removeprefix("params:").split(".")[0] for name in read}
    assert set(study(env).params) <= top_level


@every_environment
def test_splits_fit_classes_and_texts(env):
    params = study(env).params
    classes = parse_classes(params["classes"])
    assert params["split"] in params["splits"]
    assert set(classes) <= set(study(env).catalog.load("class_texts").class_id)
    for name in params["splits"]:
        split = get_split(params["splits"], name)
        assert set(split.unseen) | set(split.calibration_unseen) < set(classes), name


@every_environment
def test_the_clip_names_have_the_columns_that_parts_use(env):
    params = study(env).params
    groups = re.compile(params["clips"].name_pattern).groupindex
    clip = pd.DataFrame({"name": ["x"]} | {group: [1] for group in groups})
    for expression in vars(params["parts"]).values():
        assert clip.eval(expression, engine="python").dtype == bool, expression


def test_the_splits_of_the_papers_studies_are_the_papers():
    studies = set(PAPER_SPLITS) & set(ENVIRONMENTS)
    assert studies
    for env in studies:
        params = study(env).params
        unseen, calibration = (integers(text) for text in PAPER_SPLITS[env])
        assert params["splits"]["split_1"] == {
            "unseen": unseen,
            "calibration_unseen": calibration,
        }, env
        is_60 = env.startswith("ntu60")
        assert params["classes"] == ("1-60" if is_60 else "1-120")
        performers = pd.DataFrame({"performer": range(1, 107), "replication": 1})
        train = performers[performers.eval(params["parts"].train, engine="python")]
        assert train.performer.tolist() == integers(NTU60_TRAIN if is_60 else NTU120_TRAIN), env


@every_environment
@pytest.mark.parametrize("variant", ["release", "paper_text"])
def test_variants_are_laid_over_the_environment_and_the_command_line_over_both(env, variant):
    plain = study(env).params
    assert plain["variant"] == "project"
    given = {"cycles": 7, "learning_rate": 1.0}
    params = context(env, variant=variant, alignment=given).params
    assert vars(params["alignment"]).items() >= given.items()
    assert params["alignment"].inputs == "raw"
    assert params["alignment"].noise == ("sample" if variant == "release" else "dimension")
    assert params["normalise"].window == 300
    assert params["gate"].kind == "logistic"
    for same in ("splits", "classes", "parts", "encoder", "seeds"):
        assert params[same] == plain[same]
    is_120 = env.startswith("ntu120")
    assert params["alignment"].latent == (200 if is_120 else 100)
    if variant == "release":
        steps = params["alignment"].steps, params["alignment"].cross_from
        assert steps == ((1900, 1501) if is_120 else (1700, 1401))


@pytest.mark.parametrize(("given", "seeds"), [("0-3", [0, 1, 2, 3]), (7, [7]), ([3, 1], [3, 1])])
def test_seeds_may_be_ranges(given, seeds):
    assert context("test", seeds=given).params["seeds"] == seeds


def test_seeds_that_are_none_are_refused():
    with pytest.raises(ValueError, match="seeds: 'many' is no number or range"):
        context("test", seeds="many")


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match=r"unknown variant 'mine'; known variants: project, rel"):
        context("test", variant="mine")


def test_utd_mhads_splits_are_drawn_as_its_comment_says():
    order = (np.random.default_rng(0).permutation(27) + 1).tolist()
    fives = [sorted(order[start : start + 5]) for start in range(0, 25, 5)]
    splits = study("utd_mhad").params["splits"]
    assert len(splits) >= 5
    assert [split["unseen"] for split in splits.values()] == fives
    following = [split["calibration_unseen"] for split in splits.values()]
    assert following == fives[1:] + fives[:1]


# --- files ---


@every_environment
def test_the_header_says_how_to_run_what_it_needs_and_what_to_expect(env):
    lines = (ROOT / "conf" / env / "parameters.yml").read_text().splitlines()
    header = "\n".join(lines[: next(i for i, line in enumerate(lines) if line[:1] != "#")])
    command = re.search(r"^#   command   kedro run .*--pipeline=\w+", header, re.MULTILINE)
    assert command
    assert env == "base" or f"--env={env} " in command[0]
    assert re.search(r"^#   needs     \w", header, re.MULTILINE)
    assert re.search(r"^#   figures   \w", header, re.MULTILINE)


@other_environments
@pytest.mark.parametrize("kind", ["globals", "parameters", "catalog"])
def test_an_environment_holds_only_what_differs(env, kind):
    """Parameters are merged key by key, globals and catalog entries are replaced whole."""
    files = {path.name for path in (ROOT / "conf" / env).iterdir()}
    assert files <= {"globals.yml", "parameters.yml", "catalog.yml"}
    mine, base = raw_yaml(env, kind), raw_yaml("base", kind)
    if kind == "parameters":
        mine, base = leaves(mine), leaves(base)
    assert not {key for key in mine if key in base and mine[key] == base[key]}


def test_the_lock_file_is_whole_and_names_no_host():
    lock = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?:|file:|git\+|--(extra-)?index|--find-links| @ ", lock)
    pinned = re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==[^ ]+", lock, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = chain.from_iterable(project["optional-dependencies"].values())
    wanted = [*project["dependencies"], *extras]
    named = {re.match(r"[\w.-]+", need)[0].lower().replace("_", "-") for need in wanted}
    assert len(pinned) > 100
    assert named <= {name.replace("_", "-").replace(".", "-") for name in pinned}
    lines = [line for line in lock.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(lines) == len(pinned), "every requirement is pinned"
