"""What has to run after a change of the test study, and that nothing else does."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kedro.framework.project import pipelines
from support.sessions import (
    ROOT,
    artifacts,
    assert_equal,
    context,
    link_copy,
    new_files,
    paths,
    read,
    run,
    session,
)

from msf_kedro.runner import ChangedOnlyParallelRunner, ChangedOnlyRunner, ChangedOnlyThreadRunner
from msf_kedro.runner.plan import KEEP, RUN, Plan, make_plan
from msf_kedro.settings import HOOKS
from msf_kedro.zero_shot.splits import PHASES

STAGES = {
    stage: {node.name for node in pipelines[stage].nodes}
    for stage in (
        "skeletons",
        "splits",
        "semantics",
        "features",
        "alignment",
        "gate",
        "evaluation",
        "report",
    )
}
BEHIND = ("alignment", "gate", "evaluation", "report")  # the features
GATHERED = {name for name in STAGES["gate"] if ".gather_" in name}  # of no method
(LINEAGE,) = (hook for hook in HOOKS if type(hook).__name__ == "Lineage")


@pytest.fixture
def root(finished, tmp_path) -> Path:
    return link_copy(finished[0], tmp_path / "data")


def plan(root: Path, pipeline: str = "gzssar", conf: Path | None = None, **params) -> Plan:
    """What would run, without running it."""
    with session("test", {"data_root": str(root)} | params, conf) as opened:
        catalog = opened.load_context().catalog
        nodes = pipelines[pipeline]
        recipes = LINEAGE.project.recipes(nodes, catalog)
        return make_plan(nodes, catalog, recipes, frozenset())


def moved(found: Plan) -> set[str]:
    return {name for name, decision in found.items() if decision.what != KEEP}


def changed_conf(tmp_path: Path, file: str, **changes) -> Path:
    """A copy of the configuration, with some top-level keys of the test study changed."""
    conf = tmp_path / "conf"
    shutil.copytree(ROOT / "conf", conf)
    place = conf / "test" / f"{file}.yml"
    place.write_text(yaml.safe_dump(yaml.safe_load(place.read_text()) | changes))
    return conf


def test_nothing_has_changed(finished):
    assert moved(plan(finished[0])) == set()


@pytest.mark.parametrize(
    ("params", "stages", "why"),
    [
        (
            {"gate": {"folds": 3}},
            ("gate", "evaluation", "report"),
            {"gate.fit_gates": "gate.folds was 2, is 3"},
        ),
        (
            {"msf": {"cycles": 3}},
            ("alignment", "gate", "evaluation", "report"),
            {"alignment.test.fit_alignment": "method_config.cycles was 2, is 3"},
        ),
        (
            {"shift_gcn_training": {"epochs": 3}},
            ("features", "alignment", "gate", "evaluation", "report"),
            {"features.test.bone.train_shift_gcn": "shift_gcn_training.epochs was 2, is 3"},
        ),
        (
            {"texts": "MD"},
            ("alignment", "gate", "evaluation", "report"),
            {"gate.fit_gates": "gates is not there"},
        ),
        ({"workers": 1}, (), {}),
    ],
    ids=["gate", "method", "network", "texts", "workers"],
)
def test_a_changed_parameter_moves_what_reads_it_and_what_is_behind(finished, params, stages, why):
    found = plan(finished[0], **params)
    assert moved(found) <= set().union(*(STAGES[stage] for stage in stages))
    assert {name: found[name].why for name in why} == why
    assert all(found[name].what == RUN for name in why)
    behind = {"evaluation.report"} if stages else set()
    assert behind <= moved(found)


def test_another_split_runs_only_what_it_lacks(finished):
    found = plan(finished[0], split="split_2")
    kept = set(found) - moved(found)
    assert kept == STAGES["skeletons"] | STAGES["semantics"]


def test_a_run_of_the_second_method_goes_on_from_what_stood_beside(finished):
    """The files are those of its own run, which lacks a report of its own."""
    found = plan(finished[0], method="msf_plus")
    assert not any(name.startswith("beside.") for name in found)
    second = {name for stage in BEHIND for name in STAGES[stage] if name.startswith("beside.")}
    own = {name.removeprefix("beside.") for name in second}
    assert not own & moved(found)
    assert "evaluation.report" in moved(found)
    assert not STAGES["features"] & moved(found)


def test_a_run_without_a_second_method(finished):
    found = plan(finished[0], beside="none")
    assert not any(name.startswith("beside.") for name in found)
    assert moved(found) == {"evaluation.report"} | (
        STAGES["report"] - {f"report.draw_{phase}_trainings" for phase in PHASES}
    )


def test_a_changed_class_text_never_trains_a_network(finished, root, tmp_path):
    """Semantics and alignment run; the splits look at the table again, and change nothing."""
    table = tmp_path / "texts.csv"
    texts = (ROOT / "data/01_raw/class_texts/ntu_120.csv").read_text()
    table.write_text(texts.replace("drink water", "drink some water"))
    conf = changed_conf(tmp_path, "globals", class_texts=str(table))
    found = plan(root, conf=conf)
    drawn = {node.name for node in pipelines["report"].nodes if "class_texts" in node.inputs}
    assert {name for name in found if found[name].what == RUN} == drawn | {
        *("semantics.embed_texts", "splits.split_clips", "evaluation.break_down")
    }
    before = artifacts(root)
    run(root, conf=conf, runner=ChangedOnlyRunner())
    new = new_files(root, before)
    networks = {name for name in new if name.endswith(("shift_gcn.pt", "skeletons.pt"))}
    assert not networks
    assert "04_feature/test/MiniLM/text_features.parquet" in new
    assert "06_models/test/split_1/msf/MiniLM/LB+AD+MD/test/alignment.pt" in new
    assert moved(plan(root, conf=conf)) == set()


def test_the_same_content_stops_the_wave(root, tmp_path):
    """One more class split changes what `split_clips` reads, but not what it makes."""
    splits = yaml.safe_load((ROOT / "conf/test/globals.yml").read_text())["splits"]
    more = splits | {"split_3": {"unseen": [1, 10], "calibration_unseen": [24, 26]}}
    conf = changed_conf(tmp_path, "globals", splits=more)
    before = artifacts(root)
    run(root, conf=conf, runner=ChangedOnlyRunner())
    assert set(new_files(root, before)) == paths("splits.split_clips")


def test_more_raw_clips_run_what_reads_clips(finished, tmp_path):
    raw = yaml.safe_load((ROOT / "conf/test/catalog.yml").read_text())["raw_clips"]
    conf = changed_conf(tmp_path, "catalog", raw_clips=raw | {"performers": 5})
    found = plan(finished[0], conf=conf)
    assert found["skeletons.prepare_clips"].why == "raw_clips has changed"
    assert moved(found) == set(found) - STAGES["semantics"]


def test_a_lost_output_is_made_again(root):
    (file,) = artifacts(root)["08_reporting/test/split_1/msf/MiniLM/LB+AD+MD/metrics.json"]
    file.unlink()
    before = artifacts(root)
    run(root, runner=ChangedOnlyRunner())
    assert set(new_files(root, before)) == paths("evaluation.report")


@pytest.mark.parametrize("runner", [ChangedOnlyThreadRunner, ChangedOnlyParallelRunner])
def test_every_runner_makes_the_same(runner, root, tmp_path):
    """Of what has changed; the files are those of the sequential runner."""
    other = link_copy(root, tmp_path / "other")
    params = {"msf": {"cycles": 3}}
    before = artifacts(root)
    run(root, params=params, runner=ChangedOnlyRunner())
    run(other, params=params, runner=runner())
    new = new_files(root, before)
    behind = set().union(*(STAGES[stage] for stage in BEHIND)) - GATHERED
    assert set(new) == paths(*(name for name in behind if not name.startswith("beside.")))
    for name, (file,) in new_files(other, {}).items() if not before else ():
        assert_equal(read(file), read(new[name][0]), name)
    theirs = artifacts(other)
    for name, (file,) in new.items():
        assert_equal(read(theirs[name][-1]), read(file), name)
    assert moved(plan(other, **params)) == set()


def test_what_a_run_did_is_written_down(root):
    params = {"gate": {"folds": 3}}
    drawn = STAGES["report"] - {f"report.draw_{phase}_trainings" for phase in PHASES}
    run(root, params=params, runner=ChangedOnlyRunner())
    runs = context("test", data_root=str(root)).catalog.load("runs")
    about = runs[max(runs)]
    assert about["status"] == "done"
    outcomes = {name: node["outcome"] for name, node in about["nodes"].items()}
    made = {name for name, outcome in outcomes.items() if outcome == "made"}
    figures = {
        "evaluation.break_down",
        "evaluation.evaluate_gzssar",
        "beside.evaluation.evaluate_gzssar",
        "evaluation.compare",
        "evaluation.report",
    }
    assert made == (STAGES["gate"] - GATHERED) | figures | drawn
    assert set(outcomes.values()) == {"made", "kept"}
    assert about["nodes"]["gate.fit_gates"]["why"] == "gate.folds was 2, is 3"
    assert about["where"]["packages"].keys() >= {"torch", "kedro", "pandas"}


@pytest.fixture(scope="module")
def copied_project(tmp_path_factory) -> Path:
    """A copy of the project, whose code may be changed."""
    project = tmp_path_factory.mktemp("project")
    for part in ("conf", "src", "data/01_raw/class_texts"):
        shutil.copytree(ROOT / part, project / part)
    for part in ("pyproject.toml", ".telemetry", "data/01_raw/published_figures.csv"):
        shutil.copy(ROOT / part, project / part)
    return project


def status(project: Path, root: Path) -> set[str]:
    """The nodes that `kedro msf status` would run."""
    command = [sys.executable, "-m", "kedro", "msf", "status", "--env=test"]
    told = subprocess.run(
        [*command, f"--params=data_root={root}"], cwd=project, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    lines = [line.split() for line in told.stdout.splitlines()]
    return {words[1] for words in lines if words and words[0] == "run"}


def test_an_edit_in_a_helper_is_noticed_and_one_in_a_comment_is_not(finished, copied_project):
    file = copied_project / "src/msf_kedro/zero_shot/metrics.py"
    before = file.read_text()
    assert "def harmonic_mean(" in before
    file.write_text(before.replace('"""', '"""Now: ', 1) + "\n# a remark\n")
    assert status(copied_project, finished[0]) == set()
    file.write_text(before.replace("def harmonic_mean(", "def harmonic_mean(*, exact=True, ", 1))
    found = status(copied_project, finished[0])
    assert "evaluation.evaluate_gzssar" in found
    assert not found & (STAGES["features"] | STAGES["alignment"] | STAGES["skeletons"])


def test_records_are_json_beside_every_version(finished):
    for name, files in artifacts(finished[0]).items():
        record = json.loads(files[0].with_name(files[0].name + ".record.json").read_text())
        assert record["complete"], name
        assert record["bytes"] == files[0].stat().st_size
