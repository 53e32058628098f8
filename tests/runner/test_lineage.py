"""Records of what made what: what is refused, told, listed and removed because of them."""

import json
import logging
import shutil
from pathlib import Path

import pytest
from click import ClickException
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project
from support.sessions import ROOT, Log, artifacts, context, link_copy, new_files, run

from msf_kedro.cli import msf
from msf_kedro.runner import ChangedOnlyRunner
from msf_kedro.runner.files import content_hash, write_json
from msf_kedro.runner.housekeeping import remove_version, saved_versions, superfluous
from msf_kedro.runner.lineage import tree
from msf_kedro.runner.locks import WorkLock
from msf_kedro.runner.records import ancestors, parents, record_of, record_path

CELL = "test/split_1/msf/MiniLM/LB+AD+MD"
METRICS = f"08_reporting/{CELL}/metrics.json"
GATES = f"06_models/{CELL}/gates.parquet"


@pytest.fixture
def root(finished, tmp_path) -> Path:
    return link_copy(finished[0], tmp_path / "data")


def newest(root: Path, artifact: str) -> Path:
    return artifacts(root)[artifact][-1]


def command(root: Path, *arguments: str) -> str:
    """The output of `kedro msf`."""
    metadata = bootstrap_project(ROOT)
    options = ["--env=test", f"--params=data_root={root}"]
    done = CliRunner().invoke(msf, [arguments[0], *options, *arguments[1:]], obj=metadata)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.output


# --- records ---


def test_records_name_what_was_read_and_what_it_held(finished):
    files = {file for versions in artifacts(finished[0]).values() for file in versions}
    for file in files:
        record = record_of(file)
        assert record.content == content_hash(file)
        for argument, parent in parents(file).items():
            assert parent in files, f"{file.name} read {argument}"
            assert record.recipe.inputs[argument].hash == record_of(parent).content


def test_everything_leads_back_to_clips_and_texts(finished):
    found = {path.name for path in ancestors(newest(finished[0], METRICS))}
    assert {"skeletons.pt", "text_features.parquet", "shift_gcn.pt", "gates.parquet"} <= found
    text = "\n".join(tree(newest(finished[0], METRICS)))
    for part in (
        *("raw_clips: generated", "class_texts: 1 file,", "params:gate = {'kind'"),
        *("test.joint.shift_gcn", "made by gate.apply_gates", "params:seeds = [0, 1]"),
    ):
        assert part in text
    assert text.count("made by skeletons.prepare_clips") == 2, "clips and skeletons, each told once"


def test_all_artifacts_can_be_moved_together(root, tmp_path):
    moved = tmp_path / "moved"
    root.rename(moved)
    found = ancestors(newest(moved, METRICS))
    assert len(found) > 40
    assert all(path.is_file() and path.is_relative_to(moved) for path in found)


def test_a_run_that_fails_says_so(root):
    with pytest.raises(Exception, match="learning rate"):
        run(root, "features", params={"shift_gcn_training": {"learning_rate": 1e30}})
    runs = context("test", data_root=str(root)).catalog.load("runs")
    last = runs[max(runs)]
    assert last["status"] == "failed"
    assert "learning rate" in last["error"]
    assert "not reached" in {node["outcome"] for node in last["nodes"].values()}


# --- what is refused, and what is told ---


def test_two_versions_of_one_ancestor_are_refused_and_both_named(root):
    run(root, "gzssar", node_names=["alignment.test.fit_alignment"], params={"msf": {"cycles": 3}})
    old, new = artifacts(root)[f"06_models/{CELL}/test/alignment.pt"]
    with pytest.raises(ClickException, match=r"mix two versions of alignment\.pt") as refused:
        run(root, "gzssar", node_names=["alignment.test.fit_unseen_classifier"])
    assert old.parent.name in refused.value.message
    assert new.parent.name in refused.value.message
    nodes = ["alignment.test.fit_alignment", "alignment.test.fit_unseen_classifier"]
    with pytest.raises(ClickException, match=r"as test\.alignment is of this run"):
        run(root, "gzssar", node_names=nodes, params={"msf": {"cycles": 3}})


def test_versions_of_equal_content_are_the_same(root):
    run(root, "gzssar", node_names=["alignment.test.fit_alignment"])
    before = artifacts(root)
    run(root, "gzssar", node_names=["alignment.test.fit_unseen_classifier"])
    assert len(new_files(root, before)) == 2


def test_what_is_out_of_date_is_told(root):
    run(root, "gzssar", node_names=["alignment.test.fit_alignment"], params={"msf": {"cycles": 3}})
    with Log() as log:
        run(root, "gzssar", node_names=["alignment.score_test_unseen"])
    told = log.messages(logging.WARNING)
    assert len(told) == 2, told
    assert all("was made from test.alignment of version" in text for text in told)


def test_a_changed_file_is_refused_before_anything_runs(root):
    file = newest(root, GATES)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.unlink()  # it is a hard link
    file.write_bytes(content)
    before = artifacts(root)
    with pytest.raises(ClickException, match=r"gates.parquet: its content is not what run"):
        run(root, "gzssar", node_names=["gate.apply_gates"])
    assert new_files(root, before) == {}
    assert "1 of 1 versions are damaged" in command(root, "verify", "gates")


@pytest.mark.parametrize(
    ("pipeline", "nodes", "told"),
    [
        ("bundle", None, r"candidates and 12 more have .*`kedro run --pipelines=gzssar`"),
        ("gzssar", ["gate.fit_gates"], "calibration_evidence and 5 more have not been made"),
        (
            "recognition",
            None,
            r"bundle has not been made yet \(no version in .*/bundle\): run first what makes this,"
            " for instance `kedro run --pipelines=bundle`",
        ),
    ],
)
def test_what_has_not_been_made_is_told_before_anything_runs(pipeline, nodes, told, tmp_path):
    with pytest.raises(ClickException, match=told) as error:
        run(tmp_path, pipeline, node_names=nodes)
    assert "\n" not in error.value.message
    assert set(artifacts(tmp_path)) == set()


def test_the_report_says_what_made_its_figures_whatever_it_is_run_with(root):
    run(root, "evaluation", params={"seeds": "7-9", "msf": {"cycles": 7}})
    report = json.loads(newest(root, METRICS).read_text())
    assert report["run"]["parameters"]["seeds"] == [0, 1]
    assert report["run"]["parameters"]["method_config"]["cycles"] == 2


def test_a_parameter_that_was_not_the_same_everywhere_is_told(root):
    params = {"msf": {"learning_rate": 0.001}}
    run(root, "gzssar", from_nodes=["alignment.calibration.fit_alignment"], params=params)
    several = json.loads(newest(root, METRICS).read_text())["run"]["parameters"]["several"]
    uses = {use["value"]["learning_rate"]: use["nodes"] for use in several["method_config"]}
    assert uses == {
        0.0003: ["alignment.test.fit_alignment"],
        0.001: ["alignment.calibration.fit_alignment"],
    }


# --- what killed runs leave ---


def test_the_next_run_removes_what_a_killed_one_has_left(root):
    kept = newest(root, GATES)
    folder = kept.parent.with_name("2001-01-01T00.00.00.000Z")
    folder.mkdir()
    shutil.copy(kept, folder)
    unfinished = json.loads(record_path(kept).read_text()) | {"complete": False, "recipe": None}
    write_json(record_path(folder / kept.name), unfinished)
    half = kept.parent / f".{kept.name}.1.partial"
    half.write_bytes(b"half")
    run(root, "gzssar", node_names=["gate.fit_gates"])
    assert not folder.exists()
    assert not half.exists()
    assert kept.exists()


def test_a_version_whose_file_is_gone_is_told(root):
    gone = newest(root, GATES)
    gone.unlink()
    assert "is gone" in command(root, "verify")


def test_a_version_without_a_record_was_put_there_by_hand_and_stays(root):
    kept = newest(root, GATES)
    record_path(kept).unlink()
    run(root, "gzssar", node_names=["gate.fit_gates"])
    assert kept.exists()


# --- housekeeping ---


def test_prune_keeps_the_newest_and_all_that_it_was_made_from(root):
    run(root, params={"gate": {"folds": 3}}, runner=ChangedOnlyRunner())
    run(root, params={"gate": {"folds": 4}}, runner=ChangedOnlyRunner())
    versions = saved_versions(root)
    assert superfluous(versions, keep=3) == []
    going = superfluous(versions, keep=1)
    assert {saved.artifact.name for saved in going} >= {"gates.parquet", "metrics.json"}
    assert "skeletons.pt" not in {saved.artifact.name for saved in going}
    told = command(root, "prune", "--dry-run")
    assert f"{len(going)} versions" in told
    assert len(saved_versions(root)) == len(versions)
    for saved in going:
        remove_version(saved.file)
    left = saved_versions(root)
    assert len(left) == len(versions) - len(going)
    assert all(path.is_file() for saved in left for path in ancestors(saved.file))


def test_old_versions_that_a_kept_one_was_made_from_stay(root):
    """Two newer gates: the metrics, which are of the first, keep it."""
    for folds in (3, 4):
        run(root, "gzssar", node_names=["gate.fit_gates"], params={"gate": {"folds": folds}})
    first, second, _ = artifacts(root)[GATES]
    assert [saved.file for saved in superfluous(saved_versions(root), keep=1)] == [second]
    assert first in ancestors(newest(root, METRICS))


def test_a_version_that_is_not_whole_is_not_the_newest_that_prune_keeps(root):
    (kept,) = artifacts(root)[GATES]
    for version, whole in (("2997", True), ("2998", False)):
        folder = kept.parent.with_name(f"{version}-01-01T00.00.00.000Z")
        folder.mkdir()
        record = json.loads(record_path(kept).read_text()) | {"version": folder.name}
        write_json(record_path(folder / kept.name), record | {"complete": whole})
    assert superfluous(saved_versions(root), keep=1) == []


def test_versions_say_who_needs_them(root):
    run(root, params={"gate": {"folds": 3}}, runner=ChangedOnlyRunner())
    later = newest(root, GATES).parent.name
    told = command(root, "versions", "skeletons", "gates")
    assert told.count(".parquet") == 1
    assert f"needed by {later}" in told
    assert "3 versions" in told


def test_a_lineage_is_printed_by_dataset_and_by_file(finished):
    by_name = command(finished[0], "lineage", "gates")
    assert by_name.startswith("gates  ")
    assert command(finished[0], "lineage", str(newest(finished[0], GATES))) == by_name
    assert "no dataset or file 'gate' that" in command(finished[0], "lineage", "gate")
    assert "gates has no version 1" in command(finished[0], "lineage", "gates", "--version=1")


def test_of_two_runs_that_begin_in_the_same_millisecond_one_is_refused(tmp_path, monkeypatch):
    """Versions are called by the time: they would write the same ones."""
    now = "2026-01-01T00.00.00.000Z"
    monkeypatch.setattr("kedro.framework.session.session.generate_timestamp", lambda: now)
    lock = WorkLock(tmp_path / "08_reporting" / "runs" / f"{now}.lock", "a run")
    lock.acquire("a run")
    try:
        with pytest.raises(ClickException, match=f"the same millisecond, {now}, .*start this one"):
            run(tmp_path, "semantics")
    finally:
        lock.release()
    assert artifacts(tmp_path) == {}
    run(tmp_path, "semantics")
