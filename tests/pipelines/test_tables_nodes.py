"""`kedro run --pipelines=tables` on made-up benchmarks, from files to files."""

import pandas as pd
import pytest
from kedro.io import DatasetError
from support.made_up import benchmark, better_with_more_texts, outcomes, save
from support.sessions import Log, artifacts, run

from msf_kedro.reports.figures import LONG

OLD, NEW = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"
FOLDER = "08_reporting/tables"
NAMES = {f"{FOLDER}/tables.{kind}" for kind in ("parquet", "md", "html")}
TABLES = [f"Table {number}: " for number in range(2, 8)]
QUICK = {"tables": {"resamples": 50}}


def study(root: int = 0, **sizes) -> dict[str, pd.DataFrame]:
    table = outcomes(better_with_more_texts, root=root, **sizes)
    return {"benchmark": benchmark(table), "benchmark_outcomes": table}


def written(root) -> dict:
    """The newest tables: kind → content."""
    files = {
        name.rsplit(".")[-1]: found[-1] for name, found in artifacts(root).items() if name in NAMES
    }
    texts = {kind: file.read_text() for kind, file in files.items() if kind != "parquet"}
    return texts | {"parquet": pd.read_parquet(files["parquet"])}


def test_all_studies_come_into_one_set_of_tables(tmp_path):
    save(tmp_path, "utd_mhad", study(1, splits=2), OLD)
    ntu = study(2, splits=["55-5", "48-12"], encoders=["ViT-B-32"])
    save(tmp_path, "ntu60", ntu, OLD)
    save(tmp_path, "sample", study(3), OLD)
    save(tmp_path, "sample", study(4), NEW)
    before = set(artifacts(tmp_path))
    with Log() as log:
        run(tmp_path, "tables", params=QUICK)
    assert set(artifacts(tmp_path)) - before == NAMES
    found = written(tmp_path)
    assert found["parquet"].columns.tolist() == LONG
    splits = found["parquet"].groupby("study").split.unique().map(sorted).to_dict()
    assert splits == {"utd_mhad": [""], "ntu60": ["48-12", "55-5"], "sample": [""]}
    for text in (found["md"], found["html"]):
        for word in (*TABLES, "80.01", "utd_mhad", "no evidence"):
            assert word in text
    newest = study(4)["benchmark"]
    mine = newest[(newest.method == "msf") & (newest.texts == "LB") & (newest.gate == "threshold")]
    mine = 100 * mine[mine.protocol == "strict"].zssar_accuracy.mean()
    rows = found["parquet"].query(
        "study == 'sample' and table == 'results' and protocol == 'strict' and gate == 'threshold'"
    )
    rows = rows[(rows.method == "msf") & (rows.texts == "LB") & (rows.figure == "zssar_accuracy")]
    assert rows["mean"].item() == pytest.approx(mine)
    logged = "\n".join(log.messages())
    assert "### Results, utd_mhad, protocol strict, gate threshold" in logged
    assert "### Results, sample, protocol strict, gate logistic" in logged
    assert "protocol paper (selected" not in logged
    assert [str(w.message) for w in log.warned if "msf_kedro" in w.filename] == []


def test_the_papers_tables_are_written_without_any_ntu_study(tmp_path):
    save(tmp_path, "mine", study(1), OLD)
    run(tmp_path, "tables", params=QUICK)
    for text in (written(tmp_path)["md"], written(tmp_path)["html"]):
        for word in (*TABLES, "NTU-120 96/24", "71.20"):
            assert word in text


def test_the_same_benchmarks_give_the_same_tables(tmp_path):
    """Whatever other studies there are; another seed gives other intervals."""
    save(tmp_path, "mine", study(1), OLD)
    run(tmp_path, "tables", params=QUICK)
    first = written(tmp_path)
    run(tmp_path, "tables", params=QUICK)
    again = written(tmp_path)
    pd.testing.assert_frame_equal(again["parquet"], first["parquet"])
    assert (again["md"], again["html"]) == (first["md"], first["html"])
    save(tmp_path, "another", study(2), OLD)
    run(tmp_path, "tables", params=QUICK)
    both = written(tmp_path)["parquet"].query("study == 'mine'").reset_index(drop=True)
    pd.testing.assert_frame_equal(both, first["parquet"])
    run(tmp_path, "tables", params={"tables": {"resamples": 50, "seed": 1}})
    other = written(tmp_path)["parquet"].query("study == 'mine'").reset_index(drop=True)
    assert (other.low.dropna() != both.low.dropna()).any()
    pd.testing.assert_series_equal(other["mean"], both["mean"])


def test_tables_are_written_again_from_the_long_one(tmp_path):
    save(tmp_path, "mine", study(1), OLD)
    run(tmp_path, "tables", params=QUICK)
    first = written(tmp_path)
    run(tmp_path, "tables", node_names=["tables.write_tables"])
    assert len(artifacts(tmp_path)[f"{FOLDER}/tables.md"]) == 2
    assert len(artifacts(tmp_path)[f"{FOLDER}/tables.parquet"]) == 1
    assert written(tmp_path)["html"] == first["html"]


def test_without_a_benchmark_it_says_what_to_run(tmp_path):
    with pytest.raises(DatasetError, match="kedro run --pipelines=benchmark --env=STUDY"):
        run(tmp_path, "tables")
    assert artifacts(tmp_path) == {}


def test_tables_of_two_runs_are_refused(tmp_path):
    save(tmp_path, "mine", study(1), OLD)
    save(tmp_path, "mine", {"benchmark": study(2)["benchmark"]}, NEW)
    with pytest.raises(ValueError, match=r"study mine: .* they are of different runs: run the"):
        run(tmp_path, "tables", params=QUICK)
