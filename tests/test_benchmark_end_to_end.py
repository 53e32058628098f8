"""The benchmark of the test study: every cell, one cell alone, and going on after a break."""

import shutil

import numpy as np
import pandas as pd
import pytest
from kedro.framework.project import pipelines
from support.sessions import (
    artifacts,
    assert_equal,
    context,
    link_copy,
    new_files,
    paths,
    read,
    run,
    shuffle_test_labels,
)

from msf_kedro.methods import METHODS
from msf_kedro.runner import ChangedOnlyRunner
from msf_kedro.zero_shot.gate import KINDS

SPLITS, SEEDS = ["split_1", "split_2"], [0, 1]
CELLS = {(m, t) for m in ("msf", "msf_plus", "ridge") for t in ("LB", "LB+AD+MD")} | {
    ("cada_vae", "LB"), ("revise", "LB"), ("synse", "noun+verb"), ("jpose", "verb+noun")
}  # fmt: skip
COLUMNS = [
    *("method", "texts", "encoder", "split", "seed", "protocol", "gate", "zssar_accuracy"),
    *("acc_seen", "acc_unseen", "harmonic_mean", "harmonic_mean_perfect_gate", "ausuc"),
    *("gate_accuracy", "fit_seconds"),
]
RUN = ["method", "texts", "encoder", "split", "seed", "protocol", "gate"]
CELL = "split_2.ridge.MiniLM.LB"
SINGLE = "test/split_1/msf/MiniLM/LB+AD+MD"  # what the single job left


@pytest.fixture(scope="module")
def benchmarked(finished, tmp_path_factory):
    """What a benchmark leaves; it finds the Shift-GCNs of split_1 trained."""
    root = link_copy(finished[0], tmp_path_factory.mktemp("benchmarked") / "data")
    before = artifacts(root)
    run(root, "benchmark", runner=ChangedOnlyRunner())
    return root, before


@pytest.fixture
def root(benchmarked, tmp_path):
    """A copy to go on with."""
    return link_copy(benchmarked[0], tmp_path / "data")


def newest(root, name: str):
    return read(artifacts(root)[f"08_reporting/test/{name}.parquet"][-1])


def of_cell(artifact: str, cell: str = CELL) -> bool:
    return f"/test/{cell.replace('.', '/')}/" in artifact


def paths_of(*nodes: str) -> set[str]:
    return paths(*nodes, pipeline="benchmark")


def nodes_of(cell: str) -> list[str]:
    context("test")
    return [node.name for node in pipelines["benchmark"].nodes if node.name.startswith(f"{cell}.")]


def test_there_is_a_row_for_every_run(benchmarked):
    table = newest(benchmarked[0], "benchmark")
    assert set(COLUMNS) - {"fit_seconds"} <= set(table.columns)
    assert not table.duplicated(RUN).any()
    assert set(zip(table.method, table.texts, strict=True)) == CELLS
    assert set(table.method) == set(METHODS)
    assert len(table) == len(CELLS) * len(SPLITS) * len(SEEDS) * 2 * len(KINDS)
    figures = table[COLUMNS[7:-1]]
    assert ((figures >= 0) & (figures <= 1)).all(axis=None)
    seen, unseen = table.acc_seen, table.acc_unseen
    expected = np.where(seen + unseen > 0, 2 * seen * unseen / (seen + unseen).replace(0, 1), 0)
    np.testing.assert_allclose(table.harmonic_mean, expected)


def test_what_single_jobs_have_made_is_not_made_again(benchmarked):
    """Shift-GCNs, texts, and a whole cell but for its rows of the benchmark's tables."""
    root, before = benchmarked
    new = new_files(root, before)
    single = {name for name in before if f"/{SINGLE}/" in name}
    assert len(single) > 20
    names = ("benchmark", "benchmark_outcomes")
    rows = {f"08_reporting/{SINGLE}/{name}.parquet" for name in names}
    assert {name for name in new if f"/{SINGLE}/" in name} == rows
    joined = {f"08_reporting/test/split_1/{name}.parquet" for name in names}
    others = {
        "/ridge/",
        "/msf_plus/",
        "/cada_vae/",
        "/synse/",
        "/revise/",
        "/jpose/",
        "/msf/MiniLM/LB/",
        "/evidence/MiniLM/LB/",
        "/evidence/MiniLM/verb+noun/",
        "/evidence/MiniLM/noun+verb/",
    }
    of_split = {name for name in new if "/test/split_1/" in name} - rows - joined
    assert all(any(other in name for other in others) for name in of_split)
    assert not {name for name in before if name in new}


@pytest.mark.parametrize(
    ("split", "method", "texts"),
    [
        ("split_1", "msf", "LB"),
        ("split_2", "msf", "LB+AD+MD"),
        ("split_2", "ridge", "LB"),
        ("split_2", "synse", "noun+verb"),
    ],
)
def test_a_cell_is_what_the_single_job_gives(split, method, texts, root):
    """The same files, to the bit, and the same figures."""
    before, table = artifacts(root), newest(root, "benchmark")
    params = {"split": split, "method": method, "texts": texts}
    run(root, "alignment", "gate", "evaluation", params=params | {"beside": "none"})
    again = new_files(root, before)
    shared = set(again) & set(before)
    assert set(again) - shared == {
        f"08_reporting/test/{split}/{method}/MiniLM/{texts}/{name}"
        for name in ("metrics.json", "comparison.parquet", "confusion.parquet")
    } | {
        f"08_reporting/test/{split}/{method}/MiniLM/{texts}/{name}.parquet"
        for name in ("per_class", "tradeoff_curves")
    }
    for name in shared:
        assert_equal(read(again[name][0]), read(before[name][-1]), name)
    folder = f"08_reporting/test/{split}/{method}/MiniLM/{texts}"
    table = table.query("method == @method and texts == @texts and split == @split")
    keys = ["protocol", "gate", "seed"]
    single = read(again[f"{folder}/gzssar_results.parquet"][0]).set_index(keys)
    assert_equal(table.set_index(keys)[single.columns].loc[single.index], single)
    zssar = read(again[f"{folder}/zssar_results.parquet"][0]).set_index(["protocol", "seed"])
    assert len(table)
    for row in table.itertuples():
        assert row.zssar_accuracy == zssar.accuracy[row.protocol, row.seed]


def test_outcomes_add_up_to_the_figures(benchmarked):
    table = newest(benchmarked[0], "benchmark").set_index(RUN).sort_index()
    outcomes = newest(benchmarked[0], "benchmark_outcomes")
    for cell, clips in outcomes.groupby(["method", "texts", "encoder", "split"]):
        unseen = clips[clips.side == "unseen"]
        for column in unseen.columns[unseen.columns.str.startswith("own.")]:
            _, protocol, seed = column.split(".")
            runs = table.loc[(*cell, int(seed), protocol)]
            assert runs.zssar_accuracy.tolist() == [unseen[column].mean()] * len(KINDS)
        for column in clips.columns[clips.columns.str.startswith("right.")]:
            _, protocol, gate, seed = column.split(".")
            row = table.loc[(*cell, int(seed), protocol, gate)]
            assert row.acc_unseen == unseen[column].mean()
            assert row.acc_seen == clips[clips.side == "seen"][column].mean()


def test_shared_features_are_trained_once(benchmarked):
    """Those of split_1 were there; those of split_2 come once, whatever the number of cells."""
    root, before = benchmarked
    networks = [name for name in artifacts(root) if name.endswith("shift_gcn.pt")]
    assert len(networks) == 2 * 2 * 4
    for name in networks:
        assert len(artifacts(root)[name]) == 1
        assert (name in before) == ("split_1" in name)


def test_a_broken_benchmark_goes_on_where_it_stopped(root):
    whole = newest(root, "benchmark")
    shutil.rmtree(root / "08_reporting/test/benchmark.parquet")
    shutil.rmtree(root / "08_reporting/test/split_2/benchmark.parquet")
    for layer in ("06_models", "07_model_output", "08_reporting"):
        shutil.rmtree(root / layer / "test" / CELL.replace(".", "/"))
    before = artifacts(root)
    run(root, "benchmark", runner=ChangedOnlyRunner())
    collected = paths_of("split_2.join_cells", "collect")
    assert set(new_files(root, before)) == paths_of(*nodes_of(CELL)) | collected
    assert_equal(newest(root, "benchmark"), whole)


def test_a_cell_runs_alone_and_gives_the_same_again(root):
    before = artifacts(root)
    run(root, "benchmark", namespaces=[CELL])
    new = new_files(root, before)
    assert set(new) == paths_of(*nodes_of(CELL))
    for name, (file,) in new.items():
        assert of_cell(name)
        assert_equal(read(file), read(before[name][-1]), name)


@pytest.mark.parametrize(
    ("chosen", "cells"),
    [
        ({"methods": "msf+ridge", "texts": "LB"}, {("msf", "LB"), ("ridge", "LB")}),
        (
            {"methods": "jpose+msf", "texts": "LB/LB+AD+MD"},
            {("jpose", "verb+noun"), ("msf", "LB"), ("msf", "LB+AD+MD")},
        ),
        ({"methods": ["ridge"], "texts": ["MD"]}, {("ridge", "MD")}),
    ],
)
def test_methods_texts_and_splits_can_be_chosen(chosen, cells):
    context("test", benchmark=chosen | {"splits": "split_2"})
    names = {node.name for node in pipelines["benchmark"].nodes}
    fits = {name for name in names if name.endswith(".test.fit_alignment")}
    assert fits == {
        f"split_2.{method}.MiniLM.{texts}.test.fit_alignment" for method, texts in cells
    }
    assert not any(name.startswith("split_1") for name in names)


def test_encoders_can_be_chosen():
    context("test", benchmark={"encoders": "MiniLM+ViT-B-16", "methods": "ridge", "texts": "LB"})
    names = {node.name for node in pipelines["benchmark"].nodes}
    for encoder in ("MiniLM", "ViT-B-16"):
        assert f"{encoder}.embed_texts" in names
        assert f"split_1.ridge.{encoder}.LB.test.fit_alignment" in names


def test_a_chosen_benchmark_collects_what_was_chosen(root):
    """It fits nothing anew where all is there."""
    before = artifacts(root)
    chosen = {"methods": "msf+ridge", "texts": "LB/LB+AD+MD", "splits": "split_2"}
    last = ["split_2.join_cells", "collect"]
    run(root, "benchmark", params={"benchmark": chosen}, node_names=last)
    assert set(new_files(root, before)) == paths_of(*last)
    table = newest(root, "benchmark")
    found = set(table[["split", "method", "texts"]].itertuples(index=False, name=None))
    assert found == {("split_2", m, t) for m in ("msf", "ridge") for t in ("LB", "LB+AD+MD")}
    before = artifacts(root)
    run(root, "benchmark", params={"benchmark": chosen}, runner=ChangedOnlyRunner())
    assert new_files(root, before) == {}


def test_the_dag_is_the_studys():
    splits = context("utd_mhad").params["benchmark"]["splits"]
    names = {node.name for node in pipelines["benchmark"].nodes}
    for split in splits:
        assert f"{split}.calibration.joint.train_shift_gcn" in names
        assert f"{split}.synse.MiniLM.noun+verb.test.fit_alignment" in names
    assert {name.split(".")[0] for name in names if "." in name} == {*splits, "MiniLM"}
    context("test")
    assert not any("split_3" in node.name for node in pipelines["benchmark"].nodes)


def test_strict_choices_see_no_test_clip(root):
    """With shuffled labels of test subjects, strict candidates and calls stay as they are."""
    shuffle_test_labels(root, "split_2")
    run(root, "benchmark", namespaces=["split_2.jpose.MiniLM.verb+noun"])
    folder = "test/split_2/jpose/MiniLM/verb+noun"
    layers = {"candidates": "07_model_output", "gates": "06_models"}
    for name in (*layers, "predictions"):
        layer = layers.get(name, "07_model_output")
        versions = artifacts(root)[f"{layer}/{folder}/{name}.parquet"]
        assert len(versions) == 2
        new, old = (read(file).query("protocol == 'strict'") for file in versions[::-1])
        labels = ["class_id", "side"] if name == "predictions" else []
        assert_equal(*(t.drop(columns=labels).reset_index(drop=True) for t in (new, old)), name)


def test_the_columns_of_a_run_are_of_plain_types(benchmarked):
    table = newest(benchmarked[0], "benchmark")
    assert pd.api.types.is_integer_dtype(table.seed)
    assert all(pd.api.types.is_float_dtype(table[column]) for column in COLUMNS[7:-1])
    (file,) = artifacts(benchmarked[0])["08_reporting/test/benchmark.parquet"]
    assert pd.read_parquet(file).fit_seconds.gt(0).all()
