"""Figures of the tables: means and spreads by hand, what is best, what was published."""

import numpy as np
import pandas as pd
import pytest
from support.made_up import ALL, benchmark, better_with_more_texts, outcomes

from msf_kedro.reports.comparisons import TablesConfig, published_table
from msf_kedro.reports.paper_tables import LAYOUT, collect

CONFIG = TablesConfig(resamples=50, level=0.95, seed=0)
PUBLISHED = published_table(
    {
        "paper": {
            "msf": {"MiniLM": {"LB": [80.01, 69.41, 57.15, 62.69]}},
            "cada_vae": {"stsb": {"LB": [76.84]}},
        },
        "released log": {"msf": {"MiniLM": {"LB": [79.42, 70.51, 60.03, 64.85]}}},
    }
)
NONE = published_table({})


def collected(published=NONE, change=None, **sizes) -> pd.DataFrame:
    """The figures of a made-up study; `change` is made to its benchmark, beyond what is checked."""
    table = outcomes(better_with_more_texts, **sizes)
    figures = benchmark(table)
    return collect("mine", figures if change is None else change(figures), table, published, CONFIG)


def rows(long: pd.DataFrame, **values) -> pd.DataFrame:
    """The rows that have all these values."""
    return long[np.logical_and.reduce([long[name] == value for name, value in values.items()])]


def one(long: pd.DataFrame, **values) -> pd.Series:
    found = rows(long, **values)
    assert len(found) == 1, found
    return found.iloc[0]


SYNSE = {"method": "synse", "protocol": "strict"}


def test_every_table_has_its_rows_and_columns():
    long = collected(splits=2)
    assert long.columns.tolist() == LAYOUT
    cells, by_texts, gates = len(ALL), 10, 2
    assert long[long.protocol == "strict"].table.value_counts().to_dict() == {
        "zssar": cells,
        "texts": by_texts,
        "gzssar": cells * gates * 6,
        "per_class": cells * (1 + gates * 3),
        "intervals": cells * (1 + gates * 3),
        "tests": 16 * (1 + gates * 3),
    }
    assert rows(long, protocol="").table.value_counts().to_dict() == {"time": cells}
    assert (long.study == "mine").all()
    assert (long.splits == 2).all()
    assert (long.seeds == 3).all()
    assert (long.chance == 20).all()
    texts = ["study", "protocol", "gate", "method", "against_texts", "over", "figure"]
    assert long[texts].map(type).eq(str).all(axis=None)


def test_with_one_split_the_spread_is_over_seeds():
    table = outcomes(better_with_more_texts, seeds=4)
    figures = benchmark(table)
    long = collect("mine", figures, table, NONE, CONFIG)
    mine = figures[(figures.method == "synse") & (figures.protocol == "strict")]
    zssar = 100 * mine[mine.gate == "logistic"].zssar_accuracy
    row = one(long, table="zssar", **SYNSE)
    assert (row["mean"], row["std"]) == pytest.approx((zssar.mean(), zssar.std(ddof=1)))
    assert (row.n, row.over) == (4, "seeds")
    logistic = 100 * mine[mine.gate == "logistic"].ausuc
    row = one(long, table="gzssar", figure="ausuc", gate="logistic", **SYNSE)
    assert (row["mean"], row["std"]) == pytest.approx((logistic.mean(), logistic.std(ddof=1)))


def test_with_several_splits_the_spread_is_over_their_means():
    table = outcomes(better_with_more_texts, splits=3)
    figures = benchmark(table)
    long = collect("mine", figures, table, NONE, CONFIG)
    mine = figures[(figures.method == "synse") & (figures.protocol == "strict")]
    means = 100 * mine[mine.gate == "threshold"].groupby("split").harmonic_mean.mean()
    row = one(long, table="gzssar", figure="harmonic_mean", gate="threshold", **SYNSE)
    assert (row["mean"], row["std"]) == pytest.approx((means.mean(), means.std(ddof=1)))
    assert (row.n, row.over) == (3, "splits")
    inside = one(long, table="intervals", figure="harmonic_mean", gate="threshold", **SYNSE)
    assert inside["mean"] == pytest.approx(row["mean"])
    assert inside.low < row["mean"] < inside.high
    assert inside.n == 3


def test_one_value_has_no_deviation():
    long = collected(seeds=1)
    row = one(long, table="zssar", **SYNSE)
    assert np.isnan(row["std"])
    assert row.n == 1


def test_training_time_is_in_seconds_once_a_run():
    long = collected(seeds=3)
    row = one(long, table="time", method="msf", texts="LB")
    assert (row["mean"], row["std"], row.figure) == (1 + 3 + 1, 1, "fit_seconds")
    best = rows(long, table="time", best=True)
    assert set(best.method) == {"msf"}, "the shortest"


def test_the_best_of_each_column_is_marked():
    long = collected(splits=2)
    for table, figure in (("zssar", "zssar_accuracy"), ("gzssar", "ausuc"), ("per_class", None)):
        mine = rows(long, table=table, protocol="strict")
        for key, column in mine.groupby(["gate", "figure"]):
            if figure in (None, key[1]):
                assert column["mean"].max() in column["mean"][column.best].tolist()
                assert 1 <= column.best.sum() < len(column)
    perfect = rows(long, table="gzssar", protocol="strict", gate="logistic", figure="gate_accuracy")
    assert perfect.best.all(), "all are 80"


def with_time(figures: pd.DataFrame, seconds: dict[str, float]) -> pd.DataFrame:
    return figures.assign(fit_seconds=figures.method.map(seconds).fillna(999.0))


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({"synse": 5.04, "jpose": 4.96, "revise": 5.06}, {"synse", "jpose"}),
        ({"synse": 5.04, "jpose": float("nan"), "revise": 5.06}, {"synse"}),
    ],
)
def test_ties_are_those_that_are_printed_alike_and_nan_is_never_best(seconds, best):
    seconds = dict.fromkeys(("msf", "ridge", "cada_vae"), 9.0) | seconds
    long = collected(change=lambda f: f.assign(fit_seconds=f.method.map(seconds)))
    assert set(rows(long, table="time", best=True).method) == best


def test_a_row_with_fewer_runs_does_not_compete():
    table = outcomes(lambda method, *_: 0.9 if method == "synse" else 0.5, splits=2)
    table = table[(table.method != "synse") | (table.split == "split_1")]
    long = collect("mine", benchmark(table), table, NONE, CONFIG)
    for kind in ("zssar", "intervals"):
        column = rows(long, table=kind, protocol="strict", figure="zssar_accuracy")
        assert column.loc[column["mean"].idxmax()].method == "synse"
        assert column.best.any()
        assert not column[column.method == "synse"].best.any()
        assert set(column[column.method == "synse"].runs) == {3}
        assert set(column[column.method != "synse"].runs) == {6}


def test_texts_are_compared_encoder_by_encoder():
    long = collected(encoders=("ViT-B-16", "ViT-B-32"))
    column = ["protocol", "encoder"]
    assert (rows(long, table="texts").groupby(column).best.sum() >= 1).all()
    assert (rows(long, table="zssar").groupby("protocol").best.sum() >= 1).all()
    assert rows(long, table="zssar", protocol="strict").best.sum() < 3


def test_published_figures_stand_beside_and_alone():
    long = collected(PUBLISHED)
    key = {"protocol": "strict", "texts": "LB"}
    row = one(long, table="zssar", method="msf", **key)
    assert (row["paper"], row["released log"]) == (80.01, 79.42)
    assert row["mean"] > 0
    seen = one(long, table="gzssar", gate="logistic", figure="acc_seen", method="msf", **key)
    assert (seen["paper"], seen["released log"]) == (69.41, 70.51)
    alone = one(long, table="zssar", method="cada_vae", encoder="stsb", **key)
    assert alone.paper == 76.84
    assert np.isnan(alone["mean"])
    assert np.isnan(alone["released log"])
    assert not alone.best
    ours = one(long, table="zssar", method="cada_vae", encoder="MiniLM", **key)
    assert np.isnan(ours.paper)
    assert ours["mean"] > 0
    gzssar = rows(long, table="gzssar")
    assert "stsb" not in set(gzssar.encoder), "it published no such figure"
    assert gzssar[gzssar.paper.notna()].figure.nunique() == 3


def test_published_figures_change_nothing_else():
    plain = collected()
    beside = collected(PUBLISHED)
    beside = beside[beside["mean"].notna()]
    keys = LAYOUT[:9]
    figures = ["mean", "std", "n", "best", "low", "high", "p_bootstrap"]
    pd.testing.assert_frame_equal(
        *(t.sort_values(keys)[keys + figures].reset_index(drop=True) for t in (beside, plain))
    )


def test_differences_are_bold_where_the_interval_leaves_out_zero():
    tests = rows(collected(splits=3, clips=(100, 100)), table="tests")
    assert tests.best.any()
    assert not tests.best.all()
    assert (tests.best == ((tests.low > 0) | (tests.high < 0))).all()


def test_a_study_of_baselines_only_has_no_texts_to_compare():
    long = collected(cells=[("synse", "verb+noun"), ("revise", "LB")])
    assert set(long.table) == {"zssar", "gzssar", "per_class", "time", "intervals"}


def test_errors_name_the_study():
    with pytest.raises(ValueError, match=r"study mine: jpose, .* acc_seen is"):
        collected(change=lambda f: f.assign(acc_seen=f.acc_seen + (f.method == "jpose")))
