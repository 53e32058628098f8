"""A part of the test study whose artifacts are on object storage: made, known and kept as here."""

from support.sessions import Log, artifacts, context, run

from msf_kedro.runner import ChangedOnlyRunner
from msf_kedro.runner.artifacts import artifact_of
from msf_kedro.runner.consistency import damaged
from msf_kedro.runner.housekeeping import recorded, saved_versions
from msf_kedro.runner.lineage import tree
from msf_kedro.runner.places import place
from msf_kedro.runner.runs import runs_of

NODES = [
    *("skeletons.prepare_clips", "splits.split_clips"),
    *("features.test.joint.train_shift_gcn", "features.test.joint.extract_features"),
]


def test_a_run_on_object_storage_equals_one_on_this_machine(finished, s3):
    root = f"{s3}/data"
    params = {"data_root": root}
    run(root, params=params, node_names=NODES)
    expected = artifacts(finished[0])
    files = [file for file in recorded(place(root)) if "histor" not in file.name]
    assert len(files) == 7
    for file in files:
        (local,) = expected[str(file.relative_to(place(root)).parent.parent)]
        assert file.read_bytes() == local.read_bytes(), file
    assert not list(place(root).rglob("*.lock"))
    assert not list(place(root).glob("06_models/**/training_state/*"))

    catalog = context("test", **params).catalog
    assert len(runs_of(catalog).load()) == 1
    newest = artifact_of(catalog, "test.joint.features").newest()
    told = "\n".join(tree(newest))
    assert "skeletons" in told
    assert "raw_clips: generated" in told
    assert len(saved_versions(place(root))) == 8
    assert damaged(newest) is None

    with Log() as log:
        run(root, params=params, node_names=NODES, runner=ChangedOnlyRunner())
    assert "4 nodes: 4 are kept" in log.messages()
    assert len(recorded(place(root))) == 8
