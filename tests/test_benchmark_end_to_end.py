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
    read,
    run,
    shuffle_test_labels,
)

from msf_kedro.reports.benchmark import METHODS, TEXT_KINDS

SPLITS, SEEDS = ["split_1", "split_2"], [0, 1]
CELLS = {(m, t) for m in ("msf", "ridge") for t in ("LB", "LB+AD+MD")} | {
    ("cada_vae", "LB"), ("revise", "LB"), ("synse", "verb+noun"), ("jpose", "verb+noun")
}  # fmt: skip
COLUMNS = [
    *("method", "texts", "encoder", "split", "seed", "protocol", "gate", "zssar_accuracy"),
    *("acc_seen", "acc_unseen", "harmonic_mean", "harmonic_mean_perfect_gate", "ausuc"),
    *("gate_accuracy", "fit_seconds"),
]
RUN = ["method", "texts", "encoder", "split", "seed", "protocol", "gate"]
CELL = "split_2.ridge.MiniLM.LB"


@pytest.fixture(scope="module")
def benchmarked(finished, tmp_path_factory):
    """What a benchmark leaves; it finds the Shift-GCNs of split_1 trained."""
    root = link_copy(finished[0], tmp_path_factory.mktemp("benchmarked") / "data")
    before = artifacts(root)
    run(root, "benchmark", only_missing_outputs=True)
    return root, before


@pytest.fixture
def root(benchmarked, tmp_path):
    """A copy to go on with."""
    return link_copy(benchmarked[0], tmp_path / "data")


def newest(root, name: str):
    return read(artifacts(root)[f"08_reporting/test/{name}.parquet"][-1])


def written(root, before: dict) -> set[str]:
    """Artifacts that have a version that they had not before."""
    return {name for name, files in artifacts(root).items() if files != before.get(name)}


def test_there_is_a_row_for_every_run(benchmarked):
    table = newest(benchmarked[0], "benchmark")
    assert set(COLUMNS) - {"fit_seconds"} <= set(table.columns)
    assert not table.duplicated(RUN).any()
    assert set(zip(table.method, table.texts, strict=True)) == CELLS
    assert set(table.method) == set(METHODS)
    assert len(table) == len(CELLS) * len(SPLITS) * len(SEEDS) * 2 * 2
    figures = table[COLUMNS[7:-1]]
    assert ((figures >= 0) & (figures <= 1)).all(axis=None)
    seen, unseen = table.acc_seen, table.acc_unseen
    expected = np.where(seen + unseen > 0, 2 * seen * unseen / (seen + unseen).replace(0, 1), 0)
    np.testing.assert_allclose(table.harmonic_mean, expected)


def test_msfs_cells_are_what_the_single_job_gives(benchmarked, finished):
    """The same seeds, features and texts: the same figures."""
    table = newest(benchmarked[0], "benchmark").query(
        "method == 'msf' and texts == 'LB+AD+MD' and split == 'split_1'"
    )
    folder = "split_1/LB+AD+MD"
    keys = ["protocol", "gate", "seed"]
    single = newest(finished[0], f"{folder}/gzssar_results").set_index(keys)
    assert_equal(table.set_index(keys)[single.columns].loc[single.index], single)
    zssar = newest(finished[0], f"{folder}/zssar_results").set_index(["protocol", "seed"])
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
            assert runs.zssar_accuracy.tolist() == [unseen[column].mean()] * 2
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
    shutil.rmtree(root / "07_model_output/test/split_2/benchmark/ridge/MiniLM/LB")
    shutil.rmtree(root / "08_reporting/test/split_2/benchmark_results.parquet")
    before = artifacts(root)
    run(root, "benchmark", only_missing_outputs=True)
    cell = {name for name in artifacts(root) if "split_2/benchmark/ridge/MiniLM/LB/" in name}
    assert len(cell) == 9
    collected = {"benchmark", "benchmark_outcomes"}
    collected |= {"split_2/benchmark_results", "split_2/benchmark_outcomes"}
    assert written(root, before) == cell | {f"08_reporting/test/{n}.parquet" for n in collected}
    assert_equal(newest(root, "benchmark"), whole)


def test_a_cell_runs_alone_and_gives_the_same_again(root):
    before = artifacts(root)
    run(root, "benchmark", namespaces=[CELL])
    new = written(root, before)
    assert len(new) == 9
    for name in new:
        assert "split_2/benchmark/ridge/MiniLM/LB/" in name
        again, once = (read(file) for file in reversed(before[name] + artifacts(root)[name][-1:]))
        assert_equal(again, once)


def test_the_dag_is_the_studys():
    splits = list(context("utd_mhad").params["splits"])
    names = {node.name for node in pipelines["benchmark"].nodes}
    for split in splits:
        assert f"{split}.calibration.joint.train_shift_gcn" in names
        assert f"{split}.synse.MiniLM.verb+noun.fit_test" in names
    assert len({name.split(".")[0] for name in names if "." in name}) == len(splits)
    context("test")
    assert not any("split_3" in node.name for node in pipelines["benchmark"].nodes)


def test_texts_are_called_alike_for_all_methods(benchmarked):
    for texts in newest(benchmarked[0], "benchmark").texts.unique():
        kinds = texts.split("+")
        assert kinds == sorted(kinds, key=TEXT_KINDS.index)


def test_strict_choices_see_no_test_clip(root):
    """With shuffled labels of test subjects, strict cycles and calls stay as they are."""
    shuffle_test_labels(root, "split_2")
    run(root, "benchmark", namespaces=["split_2.jpose.MiniLM.verb+noun"])
    folder = "07_model_output/test/split_2/benchmark/jpose/MiniLM/verb+noun"
    for name in ("cycles", "gates", "predictions"):
        versions = artifacts(root)[f"{folder}/{name}.parquet"]
        assert len(versions) == 2
        new, old = (read(file).query("protocol == 'strict'") for file in versions[::-1])
        labels = ["action", "side"] if name == "predictions" else []
        assert_equal(*(t.drop(columns=labels).reset_index(drop=True) for t in (new, old)), name)


def test_the_columns_of_a_run_are_of_plain_types(benchmarked):
    table = newest(benchmarked[0], "benchmark")
    assert pd.api.types.is_integer_dtype(table.seed)
    assert all(pd.api.types.is_float_dtype(table[column]) for column in COLUMNS[7:-1])
    (file,) = artifacts(benchmarked[0])["08_reporting/test/benchmark.parquet"]
    assert pd.read_parquet(file).fit_seconds.gt(0).all()
