"""The test study from clips to report, and every part of it again from what is on disk."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.framework.project import pipelines
from support.sessions import (
    artifacts,
    assert_equal,
    context,
    link_copy,
    read,
    run,
    shuffle_test_labels,
)

PROTOCOLS = ("strict", "paper")
GATES = ("threshold", "logistic")
SEEDS = [0, 1]
NODES = sorted(node.name for node in pipelines["gzssar"].nodes)
METRICS = "08_reporting/test/split_1/LB+AD+MD/metrics.json"
OUTPUT = "07_model_output/test/split_1/LB+AD+MD"


@pytest.fixture
def root(finished, tmp_path) -> Path:
    """A data root with the artifacts of a whole run, to go on from."""
    return link_copy(finished[0], tmp_path / "data")


@pytest.fixture(scope="session")
def metrics(finished) -> dict:
    return read(artifacts(finished[0])[METRICS][-1])


def only(root: Path, artifact: str):
    """The content of an artifact that has a single version."""
    (file,) = artifacts(root)[artifact]
    return read(file)


def paths(*nodes: str, **params) -> set[str]:
    """The artifacts that some nodes write, relative to the data root."""
    catalog = context("test", data_root="/data", **params).catalog
    outputs = pipelines["gzssar"].only_nodes(*nodes).all_outputs()
    return {str(catalog.get(name)._filepath.relative_to("/data")) for name in outputs}


def new_files(root: Path, before: dict[str, list[Path]]) -> dict[str, list[Path]]:
    """The versions that were added, and none taken away."""
    after = artifacts(root)
    assert all(set(files) <= set(after[name]) for name, files in before.items())
    added = {
        name: [f for f in files if f not in before.get(name, [])] for name, files in after.items()
    }
    return {name: files for name, files in added.items() if files}


# --- the whole run ---


def test_everything_is_written_once_and_nothing_else(finished):
    found = artifacts(finished[0])
    assert set(found) == paths(*NODES)
    versions = {file.parent.name for files in found.values() for file in files}
    assert len(versions) == 1, "one version for the whole session"
    for name, files in found.items():
        assert [file.name for file in files] == [Path(name).name]
        assert files[0].suffix in {".parquet", ".pt", ".json"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_report_has_the_figures_of_the_issue(metrics, protocol):
    figures = metrics[protocol]
    named = {
        "chance": figures["chance"],
        "zssar.accuracy": figures["zssar"]["accuracy"],
        **{f"gzssar.{name}": figures["gzssar"][name] for name in figures["gzssar"]},
    }
    assert {"gzssar.acc_seen", "gzssar.acc_unseen", "gzssar.harmonic_mean"} < named.keys()
    assert named["chance"]["mean"] == 1 / 2
    for name, figure in named.items():
        assert figure.keys() == {"mean", "std", "values"}, name
        assert len(figure["values"]) == len(SEEDS), name
        assert all(0 <= value <= 1 for value in figure["values"]), f"{name} is a fraction"
        assert figure["mean"] == pytest.approx(sum(figure["values"]) / len(SEEDS)), name
        assert figure["std"] == pytest.approx(np.std(figure["values"], ddof=1)), name
    assert set(figures["gates"]) == set(GATES)
    assert figures["gzssar"] == figures["gates"][metrics["run"]["gate"]]
    for gate in figures["gates"].values():
        triples = [gate[name]["values"] for name in ("acc_seen", "acc_unseen", "harmonic_mean")]
        for seen, unseen, harmonic in zip(*triples, strict=True):
            by_hand = 2 * seen * unseen / (seen + unseen) if seen + unseen else 0
            assert harmonic == pytest.approx(by_hand)


def test_the_report_says_of_which_run(metrics):
    expected = {"study": "test", "split": "split_1", "texts": "LB+AD+MD", "seeds": SEEDS}
    assert expected.items() <= metrics["run"].items()


def test_figures_follow_from_the_persisted_probabilities(finished, metrics):
    """ZSSAR and GZSSAR accuracies again, from other artifacts, clip by clip."""
    root = finished[0]
    probs = only(root, f"{OUTPUT}/test/unseen_probs.parquet")
    cycles = only(root, f"{OUTPUT}/cycles.parquet")
    roles = only(root, "03_primary/test/split_1/test/roles.parquet").set_index("name")
    predictions = only(root, f"{OUTPUT}/predictions.parquet")
    for choice in cycles[cycles.phase == "test"].itertuples():
        right = [
            roles.action[row["name"]] == max((7, 80), key=lambda c: row[f"class_{c}"])
            for row in probs.to_dict("records")
            if (row["seed"], row["cycle"]) == (choice.seed, choice.cycle)
            and roles.loc[row["name"], ["side", "part"]].tolist() == ["unseen", "test"]
        ]
        assert len(right) == 2 * 2 * 2  # classes, test performers, repetitions
        accuracy = metrics[choice.protocol]["zssar"]["accuracy"]["values"][choice.seed]
        assert accuracy == pytest.approx(sum(right) / len(right))
    assert sorted(predictions.name.unique()) == sorted(roles.index[roles.part == "test"])
    for (protocol, gate, seed, side), rows in predictions.groupby(
        ["protocol", "gate", "seed", "side"]
    ):
        figure = metrics[protocol]["gates"][gate][f"acc_{side}"]["values"][seed]
        assert figure == pytest.approx(np.mean(rows.predicted.to_numpy() == rows.action.to_numpy()))


def test_the_run_ends_with_a_table_of_results_and_warns_of_nothing(finished):
    log = finished[1]
    (table,) = [text for text in log.messages() if "H, perfect gate" in text]
    assert "test, split split_1, texts LB+AD+MD, 2 seeds" in table
    for word in ("ZSSAR", "chance", "Acc_s", "Acc_u", "AUSUC", *PROTOCOLS, *GATES):
        assert word in table
    assert log.messages(logging.WARNING) == []
    assert [str(w.message) for w in log.warned if "kedro" in w.filename] == []


def test_no_clip_of_a_test_subject_or_unseen_class_is_trained_on(finished):
    """What the roles say, checked against clip names: performers 3 and 4 are test subjects."""
    for phase, unseen in (("calibration", {8, 23}), ("test", {7, 80})):
        roles = only(finished[0], f"03_primary/test/split_1/{phase}/roles.parquet")
        trained = roles[(roles.side == "seen") & (roles.part == "train")]
        assert len(trained)
        assert not trained.name.str.contains("P003|P004").any()
        assert not set(trained.action) & (unseen | {7, 80})
        assert (trained.action == trained.name.str[-3:].astype(int)).all()


# --- parts of it again ---


@pytest.mark.parametrize("node", NODES)
def test_every_node_runs_alone_from_disk_and_writes_the_same_again(root, node):
    """It finds all inputs on disk, writes its own outputs only, and is deterministic."""
    before = artifacts(root)
    run(root, "gzssar", node_names=[node])
    new = new_files(root, before)
    assert set(new) == paths(node)
    for name, (file,) in new.items():
        assert_equal(read(file), read(before[name][-1]), name)


@pytest.mark.parametrize(
    ("selection", "nodes"),
    [
        (
            {"namespaces": ["calibration.joint"]},
            {"calibration.joint.train_shift_gcn", "calibration.joint.extract_features"},
        ),
        (
            {"from_nodes": ["calibration.fuse_streams"]},
            {
                "calibration.fuse_streams",
                "calibration.fit_alignment",
                "calibration.generate_latents",
            }
            | {"calibration.fit_unseen_classifier", "calibration.score_cycles", "select_cycles"}
            | {"score_calibration_unseen", "score_test_unseen", "compare"}
            | {"fit_gates", "apply_gates", "evaluate_zssar", "evaluate_gzssar", "report"},
        ),
        ({"from_nodes": ["fit_gates"], "to_nodes": ["apply_gates"]}, {"fit_gates", "apply_gates"}),
    ],
    ids=["namespace", "from_nodes", "slice"],
)
def test_slices_write_their_outputs_and_equal_the_whole_run(root, selection, nodes):
    before = artifacts(root)
    run(root, "gzssar", **selection)
    new = new_files(root, before)
    assert set(new) == paths(*nodes)
    for name, (file,) in new.items():
        assert_equal(read(file), read(before[name][-1]), name)


@pytest.mark.parametrize("stage", ["skeletons", "splits", "evaluation"])
def test_stages_run_by_their_names(root, stage):
    before = artifacts(root)
    run(root, stage)
    assert set(new_files(root, before)) == paths(*(node.name for node in pipelines[stage].nodes))


def test_another_root_seed_gives_other_weights(root):
    """So that the equalities above are not those of a constant."""
    before = artifacts(root)
    run(root, "gzssar", node_names=["test.joint.train_shift_gcn"], params={"seed": 1})
    name = "06_models/test/split_1/test/joint/shift_gcn.pt"
    (new,) = new_files(root, before)[name]
    weights = [read(file)["state"]["classifier.weight"] for file in (new, before[name][0])]
    assert not torch.equal(*weights)


def test_zssar_of_another_split_needs_no_gate_and_stays_apart(root):
    before = artifacts(root)
    run(root, "zssar", params={"split": "split_2"})
    new = new_files(root, before)
    assert set(new) == paths(*(n.name for n in pipelines["zssar"].nodes), split="split_2")
    shared = {name for name in new if "split_2" not in name}
    assert {Path(name).name for name in shared} == {
        "clips.parquet", "skeletons.pt", "text_features.parquet"
    }  # fmt: skip
    results = read(new["08_reporting/test/split_2/LB+AD+MD/zssar_results.parquet"][0])
    assert set(results.protocol) == set(PROTOCOLS)


def test_other_texts_stay_apart(root):
    before = artifacts(root)
    nodes = ["fuse_texts", "calibration.fit_alignment", "calibration.generate_latents"]
    run(root, "gzssar", node_names=nodes, params={"texts": "MD"})
    new = new_files(root, before)
    assert set(new) == paths(*nodes, texts="MD")
    assert not set(new) & set(before)
    widths = [
        only(root, f"04_feature/test/split_1/{texts}/fused_texts.parquet").shape[1] - 1
        for texts in ("LB+AD+MD", "MD")
    ]
    assert widths == [3 * 384, 384]


def test_a_stream_of_weight_0_is_left_out(root):
    """`streams.bone_motion: 0` needs no network, and the fusion is the mean of the others."""
    before = artifacts(root)
    nodes = ["train_shift_gcn", "extract_features"]
    nodes = [f"calibration.bone_motion.{node}" for node in nodes] + ["calibration.fuse_streams"]
    run(root, "gzssar", node_names=nodes, params={"streams": {"bone_motion": 0.0}})
    new = new_files(root, before)
    folder = "04_feature/test/split_1/calibration"
    assert read(new[f"{folder}/bone_motion/features.parquet"][0]).columns.tolist() == ["name"]
    streams = {"joint": 0.6, "bone": 0.6, "joint_motion": 0.4}
    for kind, total in (("features", 1.6), ("logits", 1.0)):
        fused = read(new[f"{folder}/{'seen_' * (kind == 'logits')}{kind}.parquet"][0])
        parts = [
            only(root, f"{folder}/{stream}/{kind}.parquet").set_index("name") * (weight / total)
            for stream, weight in streams.items()
        ]
        pd.testing.assert_frame_equal(fused.set_index("name"), sum(parts), rtol=1e-4, atol=1e-6)


def test_labels_of_test_subjects_change_nothing_under_strict(finished, tmp_path):
    """Everything from training on again, with the test subjects' labels shuffled.

    Networks, and the strict protocol's cycles, probabilities, gates and decisions stay the same
    to the bit: nothing is trained on or chosen with a test label.
    """
    root = link_copy(finished[0], tmp_path / "data")
    shuffle_test_labels(root, "split_1")
    before = artifacts(root)
    run(root, "features", "alignment", "gate")
    new = {name: read(file) for name, (file,) in new_files(root, before).items()}
    old = {name: read(before[name][0]) for name in new}

    tables = {f"{OUTPUT}/cycles.parquet", "06_models/test/split_1/LB+AD+MD/gates.parquet"}
    labelled = {name for name in new if "right" in name or "unseen_probs" in name}
    for name in set(new) - tables - labelled - {f"{OUTPUT}/predictions.parquet"}:
        assert_equal(new[name], old[name], name)
    cycles = old[f"{OUTPUT}/cycles.parquet"].query("protocol == 'strict'")
    runs = set(zip(cycles.phase, cycles.seed, cycles.cycle, strict=True))
    assert len(labelled) == 4
    for name in labelled:  # the paper protocol's cycles are others now
        phase = Path(name).parts[-2]
        both = [table.drop(columns="right", errors="ignore") for table in (new[name], old[name])]
        if "probs" in name:
            both = [
                table[[(phase, s, c) in runs for s, c in zip(table.seed, table.cycle, strict=True)]]
                for table in both
            ]
        assert len(both[0])
        assert_equal(*(table.reset_index(drop=True) for table in both), name)
    for name in tables:
        strict = [table[table.protocol == "strict"] for table in (new[name], old[name])]
        assert len(strict[0])
        assert_equal(*strict, name)
    new_calls, old_calls = (
        side[f"{OUTPUT}/predictions.parquet"].query("protocol == 'strict'") for side in (new, old)
    )
    assert (new_calls.action != old_calls.action).any(), "labels were shuffled"
    labels = ["action", "side"]
    assert_equal(new_calls.drop(columns=labels), old_calls.drop(columns=labels))
