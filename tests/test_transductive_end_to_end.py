"""A finished study whose test clips are looked at together: what changes, and what says so."""

from pathlib import Path

import pandas as pd
import pytest
from support.sessions import (
    Log,
    artifacts,
    assert_equal,
    link_copy,
    new_files,
    read,
    run,
    shuffle_test_labels,
)

from msf_kedro.recognizer import Recognizer

CELL = "test/split_1/msf/MiniLM/LB+AD+MD"
PROBS = f"07_model_output/{CELL}/{{}}/unseen_probs.parquet"
PREDICTIONS = f"07_model_output/{CELL}/predictions.parquet"
METRICS = f"08_reporting/{CELL}/metrics.json"
PAGE = f"08_reporting/{CELL}/report.html"
SCORE = ["alignment.score_calibration_unseen", "alignment.score_test_unseen"]
PARAMS = {"inference": "transductive"}


@pytest.fixture(scope="module")
def transductive(finished, tmp_path_factory) -> tuple:
    """The data root, what was added to it, and the log."""
    root = link_copy(finished[0], tmp_path_factory.mktemp("transductive") / "data")
    before = artifacts(root)
    with Log() as log:
        run(root, "alignment", params=PARAMS, node_names=[*SCORE])
        run(root, "gate", "evaluation", "report", params=PARAMS)
        run(root, "zssar", params=PARAMS, node_names=["evaluation.show_zssar"])
        run(root, "bundle", params=PARAMS)
    return root, new_files(root, before), log


@pytest.mark.parametrize("phase", ["calibration", "test"])
def test_both_phases_are_refined(finished, transductive, phase):
    (before,) = artifacts(finished[0])[PROBS.format(phase)]
    (after,) = transductive[1][PROBS.format(phase)]
    before, after = read(before), read(after)
    assert after.index.equals(before.index)
    assert (after.dtypes == before.dtypes).all()
    assert not after.equals(before)
    assert after.sum(axis=1).between(0.999, 1.001).all()


def test_the_seen_side_stays_as_it_was(finished, transductive):
    tables = [read(artifacts(root)[PREDICTIONS][-1]) for root in (finished[0], transductive[0])]
    keys = ["protocol", "gate", "seed", "name"]
    before, after = (table.set_index(keys).sort_index() for table in tables)
    pd.testing.assert_series_equal(after.seen_prediction, before.seen_prediction)


def test_what_is_transductive_says_so(finished, transductive):
    root, new, log = transductive
    metrics, page = read(new[METRICS][0]), read(new[PAGE][0])
    assert metrics["run"]["inference"] == "transductive"
    assert metrics["run"]["method"] == "msf"
    assert "<h1>MSF, transductive on test, split_1</h1>" in page
    assert "<dt>inference</dt><dd>transductive: unlabelled test clips" in page
    assert any(text.startswith("ZSSAR, transductive, percent") for text in log.messages())
    (table,) = [text for text in log.messages() if "H, perfect gate" in text]
    assert "msf, transductive and msf_plus, texts" in table, "which was not made anew"
    assert "inference" not in metrics["beside"]["run"]
    (bundle,) = (root / f"06_models/{CELL}/bundle").glob("*/bundle")
    recognizer = Recognizer.load(bundle)
    assert "**These figures are transductive:" in recognizer.card
    assert recognizer.facts["inference"] == "transductive"


def test_what_is_not_does_not_speak_of_it(finished):
    files = artifacts(finished[0])
    assert "inference" not in read(files[METRICS][0])["run"]
    page = read(files[PAGE][0])
    assert "transductive" not in page
    assert "<dt>inference</dt>" not in page


def test_benchmarks_name_it(transductive, tmp_path):
    root = link_copy(transductive[0], tmp_path / "data")
    cell = "split_1.msf.MiniLM.LB+AD+MD.summarise"
    run(root, "benchmark", node_names=[cell], params=PARAMS)
    for name in ("benchmark", "benchmark_outcomes"):
        table = read(artifacts(root)[f"08_reporting/{CELL}/{name}.parquet"][-1])
        assert set(table.method) == {"msf, transductive"}


def test_labels_of_test_subjects_change_no_probability(transductive, tmp_path):
    root = link_copy(transductive[0], tmp_path / "data")
    shuffle_test_labels(root, "split_1")
    before = artifacts(root)
    run(root, "alignment", params=PARAMS, node_names=SCORE)
    new = new_files(root, before)
    for phase in ("calibration", "test"):
        name = PROBS.format(phase)
        found, expected = read(new[name][0]), read(before[name][-1])
        assert_equal(found.sort_index(), expected.sort_index())


def test_phases_of_different_inference_are_refused(finished, tmp_path: Path):
    """A gate would be fitted on other probabilities than those that it decides by."""
    root = link_copy(finished[0], tmp_path / "data")
    run(root, "alignment", params=PARAMS, node_names=SCORE[1:])
    with pytest.raises(ValueError, match="different values of inference"):
        run(root, "gate", "evaluation", params=PARAMS)
