"""The test study from clips to report, and every part of it again from what is on disk."""

import logging
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.framework.project import pipelines
from kedro.io import DatasetError
from kedro.runner import ParallelRunner, ThreadRunner
from support.sessions import (
    ROOT,
    artifacts,
    assert_equal,
    context,
    link_copy,
    new_files,
    newer,
    paths,
    read,
    run,
    shuffle_test_labels,
)

from msf_kedro.clips import chunks
from msf_kedro.clips.kinematics import width
from msf_kedro.clips.store import Skeletons
from msf_kedro.methods import METHODS, configure, load_classifier, load_fitted
from msf_kedro.runner import ChangedOnlyRunner
from msf_kedro.texts.fusion import parse_texts
from msf_kedro.zero_shot.decision import predict
from msf_kedro.zero_shot.gate import Gate
from msf_kedro.zero_shot.splits import seen_classes, unseen_classes

PROTOCOLS = ("strict", "paper")
GATES = ("threshold", "logistic", "evidence", "conformal")
SEEDS = [0, 1]
NODES = sorted(node.name for node in pipelines["gzssar"].nodes)
CELL = "test/split_1/msf/MiniLM/LB+AD+MD"
METRICS = f"08_reporting/{CELL}/metrics.json"
OUTPUT = f"07_model_output/{CELL}"
CLASSES = [1, 7, 8, 10, 23, 24, 26, 51, 80, 99]
UNSEEN = {"calibration": [8, 23], "test": [7, 80]}  # of split_1
TABLES = {
    "roles": "03_primary/test/split_1/{phase}/roles.parquet",
    "features": "04_feature/test/split_1/{phase}/features.parquet",
    "logits": "04_feature/test/split_1/{phase}/seen_logits.parquet",
    "stream": "04_feature/test/split_1/{phase}/joint/features.parquet",
    "probs": f"{OUTPUT}/{{phase}}/unseen_probs.parquet",
    "skeletons": "02_intermediate/test/skeletons.pt",
}
BEHIND_FEATURES = [
    n.name for s in ("alignment", "gate", "evaluation", "report") for n in pipelines[s].nodes
]
TIMED = ("history.parquet", "histories.parquet")
OF_THE_TEST_PHASE = (
    "alignment.test.",
    "beside.alignment.test.",
    "gate.gather_test_",
    "report.draw_test_",
)


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


# --- the whole run ---


def test_everything_is_written_once_and_nothing_else(finished):
    found = artifacts(finished[0])
    assert set(found) == paths(*NODES)
    versions = {file.parent.name for files in found.values() for file in files}
    assert len(versions) == 1, "one version for the whole session"
    for name, files in found.items():
        assert [file.name for file in files] == [Path(name).name]
        assert files[0].suffix in {".parquet", ".pt", ".json", ".svg", ".html"}


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


def test_the_report_has_the_second_methods_figures_too(finished, metrics):
    second = metrics["beside"]
    parameters = second["run"]["parameters"]
    assert second["run"] == metrics["run"] | {"method": "msf_plus", "parameters": parameters}
    assert parameters["method_config"] == context("test").params["msf_plus"]
    assert parameters.keys() == metrics["run"]["parameters"].keys()
    zssar = only(finished[0], f"08_reporting/{cell('msf_plus')}/zssar_results.parquet")
    for protocol in PROTOCOLS:
        own = zssar[zssar.protocol == protocol].accuracy.tolist()
        assert second[protocol]["zssar"]["accuracy"]["values"] == own
        assert second[protocol].keys() == metrics[protocol].keys()


def test_the_report_says_of_which_run(metrics):
    expected = {"study": "test", "split": "split_1", "texts": "LB+AD+MD", "method": "msf"}
    expected |= {"encoder": "MiniLM", "gate": "threshold"}
    assert expected.items() <= metrics["run"].items()
    parameters = metrics["run"]["parameters"]
    assert parameters["method_config"] == context("test").params["msf"]
    assert parameters["seeds"] == SEEDS
    assert parameters["shift_gcn_training"]["epochs"] == 2
    assert "several" not in parameters


def test_figures_follow_from_the_persisted_probabilities(finished, metrics):
    """ZSSAR and GZSSAR accuracies again, from other artifacts, clip by clip."""
    root = finished[0]
    probs = only(root, f"{OUTPUT}/test/unseen_probs.parquet")
    candidates = only(root, f"{OUTPUT}/candidates.parquet")
    roles = only(root, "03_primary/test/split_1/test/roles.parquet").set_index("name")
    predictions = only(root, f"{OUTPUT}/predictions.parquet")
    assert probs.columns.tolist() == UNSEEN["test"]
    for choice in candidates[candidates.phase == "test"].itertuples():
        right = [
            roles.class_id[name] == max(UNSEEN["test"], key=row.__getitem__)
            for (candidate, seed, name), row in probs.iterrows()
            if (seed, candidate) == (choice.seed, choice.candidate)
            and roles.loc[name, ["side", "part"]].tolist() == ["unseen", "test"]
        ]
        assert len(right) == 2 * 2 * 2  # classes, test performers, repetitions
        accuracy = metrics[choice.protocol]["zssar"]["accuracy"]["values"][choice.seed]
        assert accuracy == pytest.approx(sum(right) / len(right))
    assert sorted(predictions.name.unique()) == sorted(roles.index[roles.part == "test"])
    for (protocol, gate, seed, side), rows in predictions.groupby(
        ["protocol", "gate", "seed", "side"]
    ):
        figure = metrics[protocol]["gates"][gate][f"acc_{side}"]["values"][seed]
        right = rows.predicted.to_numpy() == rows.class_id.to_numpy()
        assert figure == pytest.approx(np.mean(right))


def test_the_run_ends_with_a_table_of_results_and_warns_of_nothing(finished):
    log = finished[1]
    (table,) = [text for text in log.messages() if "H, perfect gate" in text]
    assert "test, split split_1, msf and msf_plus, texts LB+AD+MD, 2 seeds" in table
    for word in (
        "ZSSAR",
        "chance",
        "seen classifier",
        "Acc_s",
        "Acc_u",
        "AUSUC",
        *PROTOCOLS,
        *GATES,
    ):
        assert word in table
    assert log.messages(logging.WARNING) == []
    assert [str(w.message) for w in log.warned if "kedro" in w.filename] == []


def test_no_clip_of_a_test_subject_or_unseen_class_is_trained_on(finished):
    """What the roles say, checked against clip names: performers 3 and 4 are test subjects."""
    for phase, unseen in UNSEEN.items():
        roles = only(finished[0], f"03_primary/test/split_1/{phase}/roles.parquet")
        trained = roles[(roles.side == "seen") & (roles.part == "train")]
        assert len(trained)
        assert not trained.name.str.contains("P003|P004").any()
        assert not set(trained.class_id) & {*unseen, *UNSEEN["test"]}
        assert (trained.class_id == trained.name.str[-3:].astype(int)).all()


# --- the same again, otherwise ---


def contents(root: Path) -> dict[str, object]:
    """The bytes of every artifact; of those with times of the clock, what else is in them."""
    return {
        name: read(file)
        if name.endswith(("history.parquet", "histories.parquet"))
        else file.read_bytes()
        for name, (file,) in artifacts(root).items()
    }


@pytest.mark.parametrize(("runner", "workers"), [(ParallelRunner, 1), (ThreadRunner, 2)])
def test_other_runners_and_workers_write_the_same_bytes(
    runner, workers, finished, tmp_path, monkeypatch
):
    """The whole run was sequential, and its clips were prepared in its own process."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(chunks, "CLIPS_PER_WORKER", 10)  # so that there is a process for each
    monkeypatch.setattr(chunks, "CLIPS_PER_CHUNK", 25)
    run(tmp_path, "gzssar", params={"workers": workers}, runner=runner())
    found, expected = contents(tmp_path), contents(finished[0])
    assert found.keys() == expected.keys()
    assert sum(isinstance(content, bytes) for content in expected.values()) > 40
    for name in expected:
        assert_equal(found[name], expected[name], name)


# --- parts of it again ---


@pytest.mark.parametrize("node", [name for name in NODES if not name.startswith("beside.")])
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
            {"namespaces": ["features.calibration.joint"]},
            {
                "features.calibration.joint.train_shift_gcn",
                "features.calibration.joint.extract_features",
            },
        ),
        (
            {"from_nodes": ["features.calibration.fuse_streams"]},
            {"features.calibration.fuse_streams"}
            | {name for name in BEHIND_FEATURES if not name.startswith(OF_THE_TEST_PHASE)},
        ),
        (
            {"from_nodes": ["gate.fit_gates"], "to_nodes": ["gate.apply_gates"]},
            {"gate.fit_gates", "gate.apply_gates"},
        ),
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


@pytest.mark.parametrize("stage", ["skeletons", "splits", "evaluation", "report"])
def test_stages_run_by_their_names(root, stage):
    before = artifacts(root)
    run(root, stage)
    assert set(new_files(root, before)) == paths(*(node.name for node in pipelines[stage].nodes))


def test_another_root_seed_gives_other_weights(root):
    """So that the equalities above are not those of a constant."""
    before = artifacts(root)
    run(root, "gzssar", node_names=["features.test.joint.train_shift_gcn"], params={"seed": 1})
    name = "06_models/test/split_1/test/joint/shift_gcn.pt"
    (new,) = new_files(root, before)[name]
    weights = [read(file)["state"]["classifier.weight"] for file in (new, before[name][0])]
    assert not torch.equal(*weights)


RUNAWAY = {"epochs": 1, "batch_size": 10000, "warmup_epochs": 0, "learning_rate": 1e30}


@pytest.mark.parametrize(
    ("training", "message"),
    [
        (RUNAWAY, r"Shift-GCN joint on 8 classes: what epoch 1 gives, at .* rate 1e\+30, is not f"),
        ({"learning_rate": 1e6}, r"Shift-GCN joint on 8 classes: what epoch \d gives.* is not fin"),
    ],
    ids=["one step", "wide shifts"],
)
def test_a_training_that_runs_away_ends_in_a_sentence_and_without_a_network(
    training, message, root
):
    before, params = artifacts(root), {"shift_gcn_training": training}
    with pytest.raises(FloatingPointError, match=message):
        run(root, "features", node_names=["features.test.joint.train_shift_gcn"], params=params)
    assert new_files(root, before) == {}


def test_logits_that_are_not_finite_are_not_saved(root):
    """Of a network whose weights are finite, but so large that what follows from them is not."""
    (file,) = artifacts(root)["06_models/test/split_1/test/joint/shift_gcn.pt"]
    network = read(file)
    for part in ("weight", "bias"):
        network["state"][f"classifier.{part}"].fill_(3.4e38)
    torch.save(network, newer(file))
    before = artifacts(root)
    message = r"logits\.parquet: column 1 holds \d+ of 80 values that are not finite, expected none"
    with pytest.raises(DatasetError, match=message):
        run(root, "features", node_names=["features.test.joint.extract_features"])
    assert not {name for name in new_files(root, before) if "logits" in name}


def test_another_split_and_texts_stay_apart_and_report_by_themselves(root):
    """`zssar` needs no gate; with the gate there are metrics, which are this run's."""
    params = {"split": "split_2", "texts": "MD"}
    catalog = context("test", data_root=str(root), **params).catalog
    with pytest.raises(DatasetError, match="Did not find any versions"):  # not those of split_1
        catalog.load("metrics")

    before = artifacts(root)
    run(root, "zssar", params=params)
    new = new_files(root, before)
    written = (n.name for n in pipelines["zssar"].nodes if n.outputs)
    assert set(new) == paths(*written, **params)
    shared = {name for name in new if "split_2" not in name}
    assert {Path(name).name for name in shared} == {
        "clips.parquet", "skeletons.pt", "kinematics.parquet", "text_features.parquet"
    }  # fmt: skip
    assert not set(new) & set(before) - shared
    results = read(new["08_reporting/test/split_2/msf/MiniLM/MD/zssar_results.parquet"][0])
    assert set(results.protocol) == set(PROTOCOLS)

    run(root, "gate", "evaluation", params=params)
    found = context("test", data_root=str(root), **params).catalog.load("metrics")
    assert params.items() <= found["run"].items()
    ours = context("test", data_root=str(root)).catalog.load("metrics")
    assert ours == read(before[METRICS][0])
    models = artifacts(root)["06_models/test/split_2/msf/MiniLM/MD/test/alignment.pt"]
    assert read(models[0])["about"]["widths"] == {"skeleton": 16, "MD": 384}


def test_a_stream_of_weight_0_is_left_out(root):
    """`streams.bone_motion: 0` needs no network, and the fusion is the mean of the others."""
    before = artifacts(root)
    nodes = ["train_shift_gcn", "extract_features"]
    nodes = [f"features.calibration.bone_motion.{node}" for node in nodes] + [
        "features.calibration.fuse_streams"
    ]
    run(root, "gzssar", node_names=nodes, params={"streams": {"bone_motion": 0.0}})
    new = new_files(root, before)
    folder = "04_feature/test/split_1/calibration"
    assert read(new[f"{folder}/bone_motion/features.parquet"][0]).columns.tolist() == []
    streams = {"joint": 0.6, "bone": 0.6, "joint_motion": 0.4}
    for kind, total in (("features", 1.6), ("logits", 1.0)):
        fused = read(new[f"{folder}/{'seen_' * (kind == 'logits')}{kind}.parquet"][0])
        parts = [
            only(root, f"{folder}/{stream}/{kind}.parquet") * (weight / total)
            for stream, weight in streams.items()
        ]
        mean = sum(parts)
        pd.testing.assert_frame_equal(fused[mean.columns], mean, rtol=1e-4, atol=1e-6)
        beside = fused.columns.drop(mean.columns)
        assert all(name[0] == "k" for name in beside), "kinematics stand beside the features"
        assert bool(len(beside)) == (kind == "features")


def test_labels_of_test_subjects_change_nothing_under_strict(finished, tmp_path):
    """Everything from training on again, with the test subjects' labels shuffled.

    Networks, and the strict protocol's candidates, probabilities, gates and decisions stay the same
    to the bit: nothing is trained on or chosen with a test label.
    """
    root = link_copy(finished[0], tmp_path / "data")
    shuffle_test_labels(root, "split_1")
    before = artifacts(root)
    run(root, "features", "alignment", "gate", params={"beside": "none"})
    new = {name: read(file) for name, (file,) in new_files(root, before).items()}
    old = {name: read(before[name][0]) for name in new}

    tables = {f"{OUTPUT}/candidates.parquet", f"06_models/{CELL}/gates.parquet"}
    labelled = {name for name in new if "right" in name or "unseen_probs" in name}
    for name in set(new) - tables - labelled - {f"{OUTPUT}/predictions.parquet"}:
        assert_equal(new[name], old[name], name)
    candidates = old[f"{OUTPUT}/candidates.parquet"].query("protocol == 'strict'")
    runs = set(zip(candidates.phase, candidates.candidate, candidates.seed, strict=True))
    assert len(labelled) == 4
    for name in labelled:  # the paper protocol's candidates are others now
        phase = Path(name).parts[-2]
        both = [table.drop(columns="right", errors="ignore") for table in (new[name], old[name])]
        if "probs" in name:
            models = [table.index.droplevel("name") for table in both]
            both = [
                table[[(phase, *model) in runs for model in index]]
                for table, index in zip(both, models, strict=True)
            ]
        assert len(both[0])
        assert_equal(*both, name)
    for name in tables:
        strict = [table[table.protocol == "strict"] for table in (new[name], old[name])]
        assert len(strict[0])
        assert_equal(*strict, name)
    new_calls, old_calls = (
        side[f"{OUTPUT}/predictions.parquet"].query("protocol == 'strict'") for side in (new, old)
    )
    assert (new_calls.class_id != old_calls.class_id).any(), "labels were shuffled"
    labels = ["class_id", "side"]
    assert_equal(new_calls.drop(columns=labels), old_calls.drop(columns=labels))


# --- rows are found by clip name ---


def shuffle_rows(root: Path, artifact: str) -> None:
    """A newer version of a table, or of the skeletons, whose clips stand in another order."""
    (file,) = artifacts(root)[artifact]
    found, rng = read(file), np.random.default_rng(0)
    if isinstance(found, pd.DataFrame):
        whole = pd.read_parquet(file)
        whole.sample(frac=1, random_state=rng).to_parquet(newer(file))
        return
    skeletons = Skeletons(**found)
    order = torch.from_numpy(rng.permutation(len(skeletons)))
    bodies, clip, _ = skeletons.batch(order)
    first = torch.searchsorted(clip, torch.arange(len(skeletons) + 1))
    names = [skeletons.names[place] for place in order]
    torch.save({"names": names, "bodies": bodies, "first": first}, newer(file))


def in_order(found):
    """A table whose order is that of its clips; a report without what its input was made with."""
    if isinstance(found, dict) and "run" in found:  # shuffled versions have no records
        beside = {"beside": in_order(found["beside"])} if "beside" in found else {}
        return found | {"run": found["run"] | {"parameters": None}} | beside
    if isinstance(found, pd.DataFrame) and "name" in {*found.columns, *found.index.names}:
        keys = [n for n in (*found.index.names, "protocol", "gate", "seed", "name") if n]
        keys = list(dict.fromkeys(k for k in keys if k in {*found.columns, *found.index.names}))
        found = found.sort_values(keys, ignore_index=not any(found.index.names))
    return found


@pytest.mark.parametrize(
    ("shuffled", "stages"),
    [
        (("skeletons",), ["features"]),
        (("roles",), ["features", "alignment", "gate", "evaluation"]),
        (("features", "logits"), ["alignment", "gate", "evaluation"]),
        (("probs",), ["gate", "evaluation"]),
        (("stream",), ["fuse"]),
    ],
    ids=lambda value: value[0],
)
def test_the_order_of_clips_changes_nothing(shuffled, stages, root):
    for table in shuffled:
        for artifact in {TABLES[table].format(phase=phase) for phase in UNSEEN}:
            shuffle_rows(root, artifact)
    before = artifacts(root)
    if stages == ["fuse"]:
        run(root, "features", node_names=[f"features.{phase}.fuse_streams" for phase in UNSEEN])
    else:
        run(root, *stages)
    new = new_files(root, before)
    assert len(new) >= 4
    for name, (file,) in new.items():
        assert_equal(in_order(read(file)), in_order(read(before[name][0])), name)


# --- every method by the same path ---


@pytest.fixture(scope="module")
def by_method(finished, tmp_path_factory) -> Path:
    """The whole run's data root, to which every other method has been added."""
    root = link_copy(finished[0], tmp_path_factory.mktemp("by_method") / "data")
    nodes = [name for name in BEHIND_FEATURES if not name.startswith("beside.")]
    for method in METHODS:
        if method != "msf":
            before = artifacts(root)
            params = {"method": method, "beside": "none"}
            run(root, "gzssar", params=params, runner=ChangedOnlyRunner())
            made = paths(*nodes, **params)
            assert set(artifacts(root)) == set(before) | made
            assert not set(new_files(root, before)) & set(before)
    return root


@cache
def parameters(method: str) -> dict:
    return context("test", method=method).params


def cell(method: str) -> str:
    return f"test/split_1/{method}/MiniLM/{parameters(method)['texts']}"


def reading(method: str) -> str:
    return f"test/split_1/evidence/MiniLM/{parameters(method)['texts']}"


@pytest.mark.parametrize("method", METHODS)
def test_every_method_runs_through_the_same_stages(method, by_method):
    """Its artifacts lie below split, method, encoder and texts; nothing else is made anew."""
    report = only(by_method, f"08_reporting/{cell(method)}/metrics.json")
    params = parameters(method)
    assert {"method": method, "texts": params["texts"]}.items() <= report["run"].items()
    assert report["run"]["parameters"]["method_config"] == params[method]
    assert report.keys() == {"run", *PROTOCOLS} | ({"beside"} if method == "msf" else set())
    kinds = {Path(name).name for name in artifacts(by_method) if f"/{cell(method)}/" in name}
    mine = {Path(name).name for name in artifacts(by_method) if f"/{CELL}/" in name}
    assert kinds == mine


@pytest.mark.parametrize("phase", UNSEEN)
@pytest.mark.parametrize("method", METHODS)
def test_what_is_fitted_says_what_made_it(method, phase, by_method):
    """Tensors and plain values only: `read` loads with `weights_only`."""
    folder = f"06_models/{cell(method)}/{phase}"
    alignment, latents, classifier = (
        only(by_method, f"{folder}/{name}.pt")
        for name in ("alignment", "latents", "unseen_classifier")
    )
    params = parameters(method)
    kinds = parse_texts(params["texts"])
    unseen = [*UNSEEN["calibration"], *UNSEEN["test"]] if phase == "calibration" else UNSEEN["test"]
    moved = width(25, 3) if method == "msf_plus" else 0
    about = {
        "method": method,
        "seeds": SEEDS,
        "class_ids": [c for c in CLASSES if c not in unseen],
        "kinds": kinds,
        "encoder": "MiniLM",
        "layout": "kinect_v2_25",
        "widths": {"skeleton": 16 + moved} | dict.fromkeys(kinds, 384),
        "kinematics": moved,
        "config": params[method],
    }
    for state in (alignment, classifier["fitted"]):
        candidates = state["about"]["candidates"]
        assert state["about"] == about | {"candidates": candidates}
        assert state["models"], "there is something to apply"
        for name, tensor in state["models"].items():
            assert tensor.shape[:2] == (len(candidates), len(SEEDS)), name
    right = only(by_method, f"07_model_output/{cell(method)}/{phase}/right.parquet")
    assert right.candidate_name.unique().tolist() == candidates
    assert latents["class_ids"] == classifier["class_ids"] == UNSEEN[phase]
    fitted = load_fitted(alignment)
    assert fitted.config == configure(method, params[method])


@pytest.mark.parametrize("method", METHODS)
def test_saved_models_give_the_saved_predictions(method, by_method):
    """From files alone, without any configuration: features of clips to predictions."""
    folder = cell(method)
    classifier = load_classifier(only(by_method, f"06_models/{folder}/test/unseen_classifier.pt"))
    roles = only(by_method, TABLES["roles"].format(phase="test"))
    features = only(by_method, TABLES["features"].format(phase="test"))
    logits = only(by_method, TABLES["logits"].format(phase="test"))
    candidates = only(by_method, f"07_model_output/{folder}/candidates.parquet")
    evidence = only(by_method, f"07_model_output/{reading(method)}/test/evidence.parquet")
    gates = only(by_method, f"06_models/{folder}/gates.parquet").set_index(["protocol", "seed"])
    saved = only(by_method, f"07_model_output/{folder}/predictions.parquet")
    saved = saved.set_index(["protocol", "seed", "gate"]).sort_index()
    assert classifier.class_ids == unseen_classes(roles)
    for choice in candidates[candidates.phase == "test"].itertuples():
        run_of = choice.protocol, choice.seed
        for fields in gates.loc[[run_of]].to_dict("records"):
            expected = saved.loc[(*run_of, fields["kind"])].set_index("name")
            found = predict(
                classifier.fitted.reads(features).loc[expected.index[::-1]],
                logits.loc[expected.index],
                classifier,
                choice.candidate,
                choice.seed,
                choice.temperature,
                Gate(**fields),
                seen_classes(roles),
                evidence,
            ).loc[expected.index]
            np.testing.assert_allclose(found.score, expected.score, rtol=1e-5)
            same = ["called_seen", "seen_prediction", "unseen_prediction", "predicted"]
            pd.testing.assert_frame_equal(found[same], expected[same])


def test_a_new_method_is_one_file_and_one_group(finished, tmp_path):
    """The documentation's example, in a copy of the project, as the single job's method."""
    root, project = link_copy(finished[0], tmp_path / "data"), tmp_path / "project"
    for part in ("conf", "src", "data/01_raw/class_texts"):
        shutil.copytree(ROOT / part, project / part)
    for part in ("pyproject.toml", ".telemetry", "data/01_raw/published_figures.csv"):
        shutil.copy(ROOT / part, project / part)
    page = (ROOT / "docs" / "methods.md").read_text()
    *_, code = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (project / "src/msf_kedro/methods/least_squares.py").write_text(f'"""Mine."""\n\n{code}')
    with (project / "conf/base/parameters_methods.yml").open("a") as file:
        file.write("least_squares: {temperatures: [0.1, 1.0]}\n")
    before = artifacts(root)
    params = f"data_root={root},method=least_squares,benchmark.methods=msf+least_squares"
    command = [sys.executable, "-m", "kedro", "run", "--env=test", "--pipelines=gzssar"]
    command += ["--runner=msf_kedro.runner.ChangedOnlyRunner", f"--params={params}"]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    new, mine = new_files(root, before), "test/split_1/least_squares/MiniLM/LB+AD+MD"
    others = ("beside.", "gate.gather_")  # of the second method, and of none
    own = paths(*(name for name in BEHIND_FEATURES if not name.startswith(others)))
    assert set(new) == {name.replace(CELL, mine) for name in own}
    report = only(root, f"08_reporting/{mine}/metrics.json")
    assert report["run"]["parameters"]["method_config"] == {"temperatures": [0.1, 1.0]}
    assert report.keys() == {"run", *PROTOCOLS, "beside"}
