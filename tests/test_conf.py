"""The studies' configuration: it loads, resolves to files that stay apart, and fits its data."""

import dataclasses
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import yaml
from click import ClickException
from kedro.framework.project import pipelines
from kedro.io import AbstractVersionedDataset, DataCatalog, MemoryDataset
from support.sessions import ENVIRONMENTS, ROOT, context, session

from msf_kedro.context import CELL, LOCATIONS
from msf_kedro.methods import METHODS, configure
from msf_kedro.pipeline_registry import register_pipelines
from msf_kedro.zero_shot.splits import get_split, parse_classes

PIPELINES = register_pipelines()
RAW = {
    "raw_clips",
    "class_texts",
    "clip_chunks",
    "missing_lists",
    "clip_table",
    "clips_to_recognise",
    "classes_to_recognise",
    "published_figures",
    "text_files",
    "released_features",
    "released_checkpoint",
}
# What the tables of all studies are made from, read only, and these tables.
COLLECTED = {"studies"}
SCRATCH = {"training_state"}  # has no place of its own
OVER_STUDIES = {"tables", "tables_markdown", "tables_html"}
# What no node reads, but the context, which makes the benchmark of it.
READ_BY_CONTEXT = {"benchmark", "method_texts", "variant"}

# The splits of SynSE and MSF: study → split → unseen and calibration classes.
PAPER_SPLITS = {
    "ntu60": {
        "55-5": ("11 12 20 27 57", "17 22 26 32 49"),
        "48-12": ("4 6 10 13 16 41 43 48 52 57 59 60", "5 9 11 14 18 23 31 34 40 47 51 55"),
    },
    "ntu120": {
        "110-10": ("5 14 38 44 50 66 89 96 100 107", "6 11 33 62 73 75 77 78 84 97"),
        "96-24": (
            "6 10 12 17 19 21 23 30 36 40 46 50 60 69 71 82 85 88 94 95 105 114 115 120",
            "2 4 5 11 18 20 28 48 49 54 59 64 67 80 84 87 90 93 98 99 101 104 106 109",
        ),
    },
}
NTU60_TRAIN = "1 2 4 5 8 9 13 14 15 16 17 18 19 25 27 28 31 34 35 38"
NTU120_TRAIN = NTU60_TRAIN + (
    " 45 46 47 49 50 52 53 54 55 56 57 58 59 70 74 78 80 81 82 83 84 85 86 89 91 92 93 94 95 97 98"
    " 100 103"
)

every_environment = pytest.mark.parametrize("env", ENVIRONMENTS)


class Study(NamedTuple):
    """What an environment's configuration comes to."""

    params: dict
    catalog: DataCatalog
    entries: dict
    pipelines: list


@cache
def study(env: str, **params) -> Study:
    """All at once: `globals` resolves to the latest context's, whichever context asks.

    The benchmark is of few cells: the names of others are made alike.
    """
    splits = list(yaml.safe_load((ROOT / "conf" / env / "globals.yml").read_text())["splits"])
    chosen = {"splits": "+".join(splits[:2]), "texts": "LB+AD+MD"}
    opened = context(env, benchmark=chosen, **params)
    entries = opened.config_loader["catalog"]
    return Study(opened.params, opened.catalog, entries, list(pipelines.values()))


@cache
def data_sets(env: str, **params) -> dict:
    """Every dataset that any pipeline reads or writes."""
    catalog = study(env, **params).catalog
    names = set().union(*(pipeline.datasets() for pipeline in study(env, **params).pipelines))
    # `made_with` reads the records of another one's file.
    return {
        name: catalog.get(name)
        for name in sorted(names)
        if not name.startswith("params:") and not name.endswith("made_with")
    }


def file_of(data_set) -> Path:
    return Path(data_set._filepath)


def single(env: str, name: str) -> str:
    """What the single jobs call a dataset of the benchmark that is of their split or cell."""
    params = study(env).params
    split, *rest = (params[field] for field in CELL)
    beside = f"{split}.{params['beside']}.{rest[1]}.{rest[2]}."
    if name.startswith(beside):
        return f"beside.{name.removeprefix(beside)}"
    for places in ([split, *rest], [split, *rest[1:]], [split]):  # a cell, its evidence, its split
        name = name.removeprefix(".".join(places) + ".")
    return name.removesuffix(f"__{rest[1]}")


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
    assert set(ENVIRONMENTS) == {"sample", "test", "utd_mhad", "ntu60", "ntu120"}


# --- catalogs ---


@every_environment
def test_nothing_between_nodes_lies_in_memory(env):
    """All that a node writes is a versioned file; raw input is there for all stages."""
    for name, data_set in data_sets(env).items():
        assert data_set is not None, f"{name} is in no catalog entry or pattern"
        assert not isinstance(data_set, MemoryDataset), name
        if name not in RAW | COLLECTED | SCRATCH:
            assert isinstance(data_set, AbstractVersionedDataset), name
            assert data_set._version is not None, f"{name} is not versioned"


@every_environment
def test_paths_are_of_the_study_and_of_one_dataset_only(env):
    own = study(env).params["study"]
    files = {name: file_of(d) for name, d in data_sets(env).items() if hasattr(d, "_filepath")}
    of_file = {}
    for name, file in files.items():
        assert of_file.setdefault(file, single(env, name)) == single(env, name)
        assert file.is_absolute(), name
        assert name in RAW | OVER_STUDIES or own in file.parts, (
            f"{name}: {file} does not name study {own}"
        )


def test_no_two_environments_are_the_same_study():
    studies = [study(env).params["study"] for env in ENVIRONMENTS]
    assert len(set(studies)) == len(studies)


@every_environment
def test_the_benchmark_shares_the_files_of_single_jobs(env):
    """The cells that are the single job's two, and its split, in the very same places."""
    files = {name: file_of(d) for name, d in data_sets(env).items() if hasattr(d, "_filepath")}
    shared = {name for name in files if single(env, name) != name and single(env, name) in files}
    for name in shared:
        assert files[name] == files[single(env, name)], name
    stages = ("splits", "semantics", "features", "alignment", "gate")
    made = set().union(*(PIPELINES[stage].all_outputs() for stage in stages))
    figures = {"zssar_results", "gzssar_results"}
    made |= figures | {f"beside.{name}" for name in figures}
    assert {single(env, name) for name in shared} == made


@every_environment
@pytest.mark.parametrize("name", CELL)
def test_paths_tell_runs_apart(env, name):
    """What depends on the split, method, encoder or text kinds lies elsewhere for others.

    Nothing else does; evidence is of no method.
    """
    others = {
        "split": list(study(env).params["splits"])[-1],
        "method": "ridge",
        "encoder": "ViT-B-16",
        "texts": "MD",
    }
    other, mine = data_sets(env, **{name: others[name]}), data_sets(env)
    moved = {
        data_set
        for data_set in PIPELINES["gzssar"].datasets() & mine.keys()
        if hasattr(mine[data_set], "_filepath")
        and file_of(other[data_set]) != file_of(mine[data_set])
    }
    assert moved == behind(f"params:{name}")
    later = PIPELINES["bundle"].all_outputs() | PIPELINES["recognition"].all_outputs()
    for data_set in mine.keys() & other.keys() - moved - later:  # the benchmark's and all others
        if hasattr(mine[data_set], "_filepath"):
            assert file_of(other[data_set]) == file_of(mine[data_set]), data_set


@every_environment
def test_data_root_moves_all_that_is_written(env, tmp_path):
    for name, data_set in data_sets(env, data_root=str(tmp_path)).items():
        if name not in RAW | COLLECTED | SCRATCH:
            assert file_of(data_set).is_relative_to(tmp_path), name
    scratch = study(env, data_root=str(tmp_path)).entries["clip_chunks"]["path"]
    own = study(env).params["study"]
    assert scratch == str(tmp_path / "02_intermediate" / own / "clip_chunks")


def test_the_tables_are_made_from_all_studies_below_the_data_root(tmp_path):
    catalogs = (context(env, data_root=str(tmp_path)).catalog for env in ENVIRONMENTS)
    folders = {catalog.get("studies")._folder for catalog in catalogs}
    assert folders == {tmp_path / "08_reporting"}


@every_environment
def test_no_catalog_entry_is_dead(env):
    """Each is of some dataset, or the context makes one of it that is."""
    catalog, names = study(env).catalog, {*data_sets(env), "runs", "made_with"}
    used = (
        names | {"runs"} | {catalog.config_resolver.match_dataset_pattern(name) for name in names}
    )
    for name in {*raw_yaml("base", "catalog"), *raw_yaml(env, "catalog")}:
        own = {e for e in used if e and (e.endswith(f"}}.{name}") or e.startswith(f"{name}__{{"))}
        assert name.startswith("_") or name in used or own, name


# --- environments ---


def test_a_bare_run_is_the_samples(monkeypatch):
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    assert context(None).params["study"] == "sample"
    monkeypatch.setenv("KEDRO_ENV", "test")
    assert context(None).params["study"] == "test"


def test_base_is_no_environment():
    with pytest.raises(ClickException, match="choose one, --env=sample"):
        context("base")


@pytest.fixture
def mine(tmp_path, monkeypatch) -> Path:
    """A user's environment `mine`, made by the documentation's recipe; Kedro finds it."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    recipe = dict(
        re.findall(
            r"^`conf/mine/(\w+)\.yml`\n\n```yaml\n(.*?)^```",
            "\n".join(page.read_text() for page in pages),
            re.MULTILINE | re.DOTALL,
        )
    )
    assert set(recipe) == {"globals", "catalog", "parameters"}
    shutil.copytree(ROOT / "conf" / "base", tmp_path / "base")
    (tmp_path / "mine").mkdir()
    for name, text in recipe.items():
        text = text.replace("class_texts/mine.csv", "class_texts/ntu_120.csv")
        (tmp_path / "mine" / f"{name}.yml").write_text(text)
    return tmp_path


def run_mine(conf: Path, *pipelines: str, **params) -> None:
    with session("mine", {"data_root": str(conf / "data")} | params, conf) as opened:
        opened.run(pipeline_names=pipelines or None)


def test_the_recipe_for_ones_own_clips_gives_a_study_with_bases_network(mine):
    params = session("mine", conf=mine).load_context().params
    assert (params["study"], params["split"]) == ("mine", "split_1")
    assert params["shift_gcn"].widths == [32, 32, 64, 64, 128, 128]
    with pytest.raises(Exception, match=r"raw clips are expected in .*/data/01_raw/mine"):
        run_mine(mine, "skeletons")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        *(("globals", name) for name in ("study", "classes", "splits", "class_texts")),
        ("parameters", "parts"),
        ("catalog", "raw_clips"),
    ],
)
def test_an_environment_that_lacks_something_is_told_in_a_sentence(file, name, mine):
    path = mine / "mine" / f"{file}.yml"
    complete = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({k: v for k, v in complete.items() if k != name}))
    message = rf"^environment 'mine' has no {name}: .* conf/mine/{file}\.yml, for example `{name}: "
    with pytest.raises(ClickException, match=message):
        run_mine(mine)
    assert not (mine / "data").exists()


def test_ones_own_environment_is_none_of_the_tests_business(tmp_path):
    for part in ("conf", "src", "tests", "pyproject.toml", "README.md"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    for folder in ("mine", "local"):
        (tmp_path / "conf" / folder).mkdir()
        (tmp_path / "conf" / folder / "parameters.yml").write_text("no_such_name: 1\n")
    command = [sys.executable, "-m", "pytest", "tests/test_conf.py", "-q", "-k", "header"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert f"{len(ENVIRONMENTS)} passed" in result.stdout


def test_only_what_a_run_reads_must_be_there(mine):
    """The parts are missing, the clips too, and preparing them asks for the clips."""
    (mine / "mine" / "parameters.yml").unlink()
    with pytest.raises(Exception, match="raw clips are expected in"):
        run_mine(mine, "skeletons")


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
    assert typed >= {f"params:{name}" for name in ("clips", "normalise", "shift_gcn", "gate")}
    untyped = {k for k, v in params.items() if isinstance(v, dict)}
    chosen_from = {"splits", "encoders", "layouts", *METHODS, "method_config", "benchmark"}
    chosen_from |= {"method_texts", "beside_config"}
    assert untyped == chosen_from, "these are chosen from, and built then"
    for method in METHODS:
        assert vars(configure(method, params[method])) == params[method]


@every_environment
def test_every_parameter_is_read(env):
    read = set().union(*(pipeline.inputs() for pipeline in study(env).pipelines))
    top_level = {name.removeprefix("params:").split(".")[0] for name in read}
    assert set(study(env).params) - READ_BY_CONTEXT <= top_level


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
    for env, splits in PAPER_SPLITS.items():
        params = study(env).params
        assert list(params["splits"]) == list(splits)
        assert params["split"] == next(iter(splits)), "the first is the default"
        for name, classes in splits.items():
            unseen, calibration = (integers(text) for text in classes)
            assert params["splits"][name] == {"unseen": unseen, "calibration_unseen": calibration}
        is_60 = env == "ntu60"
        assert params["classes"] == ("1-60" if is_60 else "1-120")
        performers = pd.DataFrame({"performer": range(1, 107), "replication": 1})
        train = performers[performers.eval(params["parts"].train, engine="python")]
        assert train.performer.tolist() == integers(NTU60_TRAIN if is_60 else NTU120_TRAIN), env


@every_environment
@pytest.mark.parametrize("variant", ["release", "paper_text"])
def test_variants_are_laid_over_the_environment_and_the_command_line_over_both(env, variant):
    plain = study(env).params
    assert plain["variant"] == ("large" if env in PAPER_SPLITS else "project")
    given = {"cycles": 7, "learning_rate": 1.0}
    params = context(env, variant=variant, msf=given).params
    assert params["method_config"] == params["msf"]
    msf = configure("msf", params["msf"])
    assert vars(msf).items() >= given.items()
    assert msf.inputs == "raw"
    assert msf.noise == ("sample" if variant == "release" else "dimension")
    assert params["normalise"].window == 300
    assert params["gate"].kind == "logistic"
    for same in ("splits", "classes", "parts", "encoder", "seeds"):
        assert params[same] == plain[same]
    is_120 = env == "ntu120"
    assert msf.latent == (200 if is_120 else 100)
    if variant == "release":
        steps = msf.steps, msf.cross_from
        assert steps == ((1900, 1501) if is_120 else (1700, 1401))


@pytest.mark.parametrize(("given", "seeds"), [("0-3", [0, 1, 2, 3]), (7, [7]), ([3, 1], [3, 1])])
def test_seeds_may_be_ranges(given, seeds):
    assert context("test", seeds=given).params["seeds"] == seeds


def test_seeds_that_are_none_are_refused():
    with pytest.raises(ClickException, match="seeds: 'many' is no number or range"):
        context("test", seeds="many")


def test_an_unknown_variant_is_refused():
    with pytest.raises(ClickException, match="variant 'mine'; known variants: project, large, rel"):
        context("test", variant="mine")


def test_a_benchmark_of_some_methods_leaves_the_others_parameters_known():
    assert context("test", benchmark={"methods": ["msf", "ridge"]}).params["benchmark"]
    names = {node.name for node in pipelines["benchmark"].nodes}
    assert any(".ridge." in name for name in names)
    assert not any(".jpose." in name for name in names)


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"learning_rate": 0.1}, "learning_rate"),
        ({"shift_gcn": {"epoch": 3}}, r"shift_gcn\.epoch"),
        ({"seed": {"x": 3}}, r"seed\.x"),
        ({"benchmark": {"method": "msf"}}, r"benchmark\.method"),
    ],
)
def test_unknown_names_are_refused_at_any_depth(params, name):
    message = rf"unknown parameters \['{name}'\] in environment 'test' or --params; .*data_root"
    with pytest.raises(ClickException, match=message):
        context("test", **params)


def test_an_environments_unknown_names_are_refused(mine):
    with (mine / "mine" / "parameters.yml").open("a") as file:
        file.write("gates: {kind: logistic}\n")
    with pytest.raises(ClickException, match=r"\['gates'\] in environment 'mine'"):
        run_mine(mine, "skeletons")


def test_the_users_own_names_are_not_unknown():
    other = {"library": "open_clip", "model": "", "weights": ""}
    given = {"encoders": {"other": other}, "benchmark": {"encoders": ["other"]}}
    given |= {"variants": {"mine": {"seed": 7}}, "variant": "mine", "text_files": "x"}
    assert context("test", **given).params["seed"] == 7
    assert any(".ridge.other." in node.name for node in pipelines["benchmark"].nodes)


@pytest.mark.parametrize("variant", [{"sed": 1}, {"gate": {"knd": "logistic"}}])
def test_a_variants_unknown_names_are_refused(variant):
    with pytest.raises(ClickException, match="variant 'mine' sets unknown parameters"):
        context("test", variants={"mine": variant}, variant="mine")


def test_the_names_of_locations_are_those_that_catalogs_ask_for():
    texts = [path.read_text() for path in (ROOT / "conf").glob("*/catalog.yml")]
    asked = set(re.findall(r"\$\{runtime_params:(\w+)", "".join(texts)))
    assert asked == LOCATIONS | {"checkpoint_stream"}


def test_an_unknown_split_is_refused_and_a_lost_underscore_explained():
    with pytest.raises(ClickException, match=r"split 'split_9'; this study has split_1, split_2$"):
        context("test", split="split_9")
    with pytest.raises(ClickException, match=r"class split 4812; .* write 48-12, not 48_12"):
        context("test", split=4812)


def test_utd_mhads_splits_are_drawn_as_its_comment_says():
    order = (np.random.default_rng(0).permutation(27) + 1).tolist()
    fives = [sorted(order[start : start + 5]) for start in range(0, 25, 5)]
    splits = study("utd_mhad").params["splits"]
    first = [splits.pop(f"split_{number}") for number in range(1, 6)]
    assert [split["unseen"] for split in first] == fives
    following = [split["calibration_unseen"] for split in first]
    assert following == fives[1:] + fives[:1]
    rng = np.random.default_rng(1)
    names = [f"{part}_{number:02}" for part in ("development", "final") for number in range(1, 11)]
    assert list(splits) == names
    for split in splits.values():
        drawn = (rng.permutation(27) + 1).tolist()
        assert split == {"unseen": sorted(drawn[:5]), "calibration_unseen": sorted(drawn[5:10])}


# --- files ---


@every_environment
def test_the_header_says_how_to_run_what_it_needs_and_what_to_expect(env):
    lines = (ROOT / "conf" / env / "parameters.yml").read_text().splitlines()
    header = "\n".join(lines[: next(i for i, line in enumerate(lines) if line[:1] != "#")])
    command = re.search(r"^#   command   kedro run .*--pipelines=\w+", header, re.MULTILINE)
    assert command
    assert f"--env={env} " in command[0]
    assert re.search(r"^#   needs     \w", header, re.MULTILINE)
    assert re.search(r"^#   figures   \w", header, re.MULTILINE)


@every_environment
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
