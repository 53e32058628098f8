"""What benchmarks have left: the newest of every study, loaded when asked for."""

import logging

import pandas as pd
import pytest
from kedro.io import DatasetError
from support.made_up import save

from msf_kedro.datasets import StudiesDataset

OLD, NEW = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"


def tables(value: int) -> dict[str, pd.DataFrame]:
    return {name: pd.DataFrame({name: [value]}) for name in StudiesDataset.TABLES}


def studies(root) -> StudiesDataset:
    return StudiesDataset(str(root / "08_reporting"))


def test_every_study_gives_its_newest_tables(tmp_path):
    save(tmp_path, "b", tables(1), OLD)
    save(tmp_path, "b", tables(2), NEW)
    save(tmp_path, "a", tables(3), OLD)
    save(tmp_path, "no_benchmark", {"metrics": pd.DataFrame({"x": [1]})}, NEW)
    save(tmp_path / "08_reporting", "a/split_1", tables(9), NEW)  # not at its place
    assert studies(tmp_path).exists()
    found = studies(tmp_path).load()
    assert list(found) == ["a", "b"]
    for study, value in (("a", 3), ("b", 2)):
        assert list(found[study]) == list(StudiesDataset.TABLES)
        for name, load in found[study].items():
            pd.testing.assert_frame_equal(load(), tables(value)[name])


def test_each_table_is_of_its_own_newest_version(tmp_path):
    """Whether they fit together is seen when they are compared."""
    save(tmp_path, "a", tables(1), OLD)
    save(tmp_path, "a", {"benchmark_outcomes": tables(2)["benchmark_outcomes"]}, NEW)
    found = studies(tmp_path).load()["a"]
    assert found["benchmark_outcomes"]().iloc[0, 0] == 2
    assert found["benchmark"]().iloc[0, 0] == 1


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    save(tmp_path, "a", tables(1), OLD)
    for file in tmp_path.rglob("*.parquet"):
        if file.is_file():
            file.write_bytes(b"no parquet")
    found = studies(tmp_path).load()
    with pytest.raises(DatasetError):
        found["a"]["benchmark"]()


def test_a_benchmark_that_has_broken_off_is_left_out_with_a_warning(tmp_path, caplog):
    save(tmp_path, "a", tables(1), OLD)
    save(tmp_path, "broken", {"benchmark": tables(1)["benchmark"]}, OLD)
    (tmp_path / "08_reporting" / "empty" / "benchmark.parquet").mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        assert list(studies(tmp_path).load()) == ["a"]
    broken, empty = sorted(record.getMessage() for record in caplog.records)
    assert "broken is left out of the tables: no benchmark_outcomes in " in broken
    assert "empty is left out of the tables: no benchmark or benchmark_outcomes" in empty


def test_without_any_study_it_says_what_to_run(tmp_path):
    assert not studies(tmp_path).exists()
    with pytest.raises(DatasetError, match=r"no study has been benchmarked below .*08_reporting"):
        studies(tmp_path).load()
    with pytest.raises(DatasetError, match="kedro run --pipelines=benchmark --env=STUDY"):
        studies(tmp_path).load()


def test_it_cannot_be_saved(tmp_path):
    with pytest.raises(DatasetError, match="read only"):
        studies(tmp_path).save({})
