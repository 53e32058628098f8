"""Figures of the tables: means and spreads by hand, every class, what is best."""

import numpy as np
import pandas as pd
import pytest
from support.made_up import ALL, benchmark, better_with_more_texts, outcomes

from msf_kedro.reports.comparisons import TablesConfig
from msf_kedro.reports.figures import LONG, collect

CONFIG = TablesConfig(resamples=50, level=0.95, seed=0)


def collected(change=None, by_split=False, **sizes) -> pd.DataFrame:
    """The figures of a made-up study; `change` is made to its benchmark, beyond what is checked."""
    table = outcomes(better_with_more_texts, **sizes)
    figures = benchmark(table)
    return collect("mine", change(figures) if change else figures, table, CONFIG, by_split)


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
    assert long.columns.tolist() == LONG
    cells, classes, gates = len(ALL), 10, 2
    assert long[long.protocol == "strict"].table.value_counts().to_dict() == {
        "results": cells * gates * 8,
        "intervals": cells * (1 + gates * 3),
        "tests": 18 * (1 + gates * 3),
        "over_classes": cells * gates * 4,
        "classes": cells * gates * classes * 2,
    }
    assert rows(long, protocol="").table.value_counts().to_dict() == {"time": cells}
    assert (long.study == "mine").all()
    assert (long.split == "").all()
    assert (long.splits == 2).all()
    assert (long.seeds == 3).all()
    assert (long.chance == 20).all()
    texts = ["study", "split", "protocol", "gate", "method", "against_texts", "over", "figure"]
    assert long[texts].map(type).eq(str).all(axis=None)


def test_splits_apart_have_the_rows_of_each_alone():
    """And the same draws: a split's depend on nothing else."""
    table = outcomes(better_with_more_texts, splits=["55-5", "48-12"])
    figures = benchmark(table)
    figures["chance"] = figures.split.map({"55-5": 0.2, "48-12": 1 / 12})
    long = collect("mine", figures, table, CONFIG, by_split=True)
    assert set(long.split) == {"55-5", "48-12"}
    assert set(long.over) == {"seeds", "splits"}, "intervals are over splits"
    for split, part in long.groupby("split"):
        some = [one[one.split == split] for one in (figures, table)]
        alone = collect("mine", *some, CONFIG, by_split=False)
        found = part.reset_index(drop=True)
        pd.testing.assert_frame_equal(found.drop(columns="split"), alone.drop(columns="split"))
    assert long.groupby("split").chance.first().round(1).to_dict() == {"55-5": 20, "48-12": 8.3}


def test_every_class_has_its_accuracy_with_and_without_the_gate():
    table = outcomes(better_with_more_texts, splits=2, seeds=2)
    long = collect("mine", benchmark(table), table, CONFIG, by_split=False)
    mine = table[(table.method == "synse") & (table.class_id == 7)]
    assert set(mine.side) == {"seen"}
    for figure, names in (
        ("class_alone", ["own.strict.0", "own.strict.1"]),
        ("class_with_gate", ["right.strict.logistic.0", "right.strict.logistic.1"]),
    ):
        by_split = 100 * mine.groupby("split")[names].mean().mean(axis=1)
        row = one(long, table="classes", class_id=7, gate="logistic", figure=figure, **SYNSE)
        assert (row["mean"], row["std"]) == pytest.approx((by_split.mean(), by_split.std()))
        assert (row.label, row.side, row.over, row.n) == ("act 7", "seen", "splits", 2)
    assert not rows(long, table="classes").best.any()


def test_a_class_is_seen_in_some_splits_and_unseen_in_others():
    table = outcomes(better_with_more_texts, splits=2)
    second = (table.split == "split_2").to_numpy()
    table.loc[second, "class_id"] = 11 - table.class_id[second]
    table["label"] = "act " + table.class_id.astype(str)
    long = collect("mine", benchmark(table), table, CONFIG, by_split=False)
    found = rows(long, table="classes", figure="class_alone", gate="logistic", **SYNSE)
    assert len(found) == 2 * 10
    assert set(found.n) == {1}
    for side, split in (("unseen", "split_1"), ("seen", "split_2")):
        mine = table[(table.method == "synse") & (table.split == split) & (table.class_id == 3)]
        expected = 100 * mine[[f"own.strict.{seed}" for seed in range(3)]].mean().mean()
        assert one(found, class_id=3, side=side)["mean"] == pytest.approx(expected)


def test_clips_that_take_no_part_do_not_count_in_their_class():
    """Released features may have other clips for ZSSAR than for GZSSAR."""
    table = outcomes(better_with_more_texts)
    plain = collect("mine", benchmark(table), table, CONFIG, by_split=False)
    own = [name for name in table if name.startswith("own.")]
    right = [name for name in table if name.startswith("right.")]
    more = table.astype(object).assign(name="gzssar_" + table.name)
    more[own] = None
    first = table.astype(dict.fromkeys(right, object))
    first[right] = None
    both = pd.concat([first, more], ignore_index=True)
    both = both.astype({"class_id": int})
    found = collect("mine", benchmark(table), both, CONFIG, by_split=False)
    pd.testing.assert_frame_equal(
        *(long[long.table == "classes"].drop(columns="best") for long in (found, plain))
    )


def test_with_one_split_the_spread_is_over_seeds():
    table = outcomes(better_with_more_texts, seeds=4)
    figures = benchmark(table)
    long = collect("mine", figures, table, CONFIG, by_split=False)
    mine = figures[(figures.method == "synse") & (figures.protocol == "strict")]
    zssar = 100 * mine[mine.gate == "logistic"].zssar_accuracy
    row = one(long, table="results", figure="zssar_accuracy", gate="logistic", **SYNSE)
    assert (row["mean"], row["std"]) == pytest.approx((zssar.mean(), zssar.std(ddof=1)))
    assert (row.n, row.over) == (4, "seeds")
    logistic = 100 * mine[mine.gate == "logistic"].ausuc
    row = one(long, table="results", figure="ausuc", gate="logistic", **SYNSE)
    assert (row["mean"], row["std"]) == pytest.approx((logistic.mean(), logistic.std(ddof=1)))


def test_with_several_splits_the_spread_is_over_their_means():
    table = outcomes(better_with_more_texts, splits=3)
    figures = benchmark(table)
    long = collect("mine", figures, table, CONFIG, by_split=False)
    mine = figures[(figures.method == "synse") & (figures.protocol == "strict")]
    means = 100 * mine[mine.gate == "threshold"].groupby("split").harmonic_mean.mean()
    row = one(long, table="results", figure="harmonic_mean", gate="threshold", **SYNSE)
    assert (row["mean"], row["std"]) == pytest.approx((means.mean(), means.std(ddof=1)))
    assert (row.n, row.over) == (3, "splits")
    inside = one(long, table="intervals", figure="harmonic_mean", gate="threshold", **SYNSE)
    assert inside["mean"] == pytest.approx(row["mean"])
    assert inside.low < row["mean"] < inside.high
    assert inside.n == 3


def test_one_value_has_no_deviation():
    long = collected(seeds=1)
    row = one(long, table="results", figure="zssar_accuracy", gate="logistic", **SYNSE)
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
    for table in ("results", "intervals", "over_classes"):
        for _, column in rows(long, table=table, protocol="strict").groupby(["gate", "figure"]):
            if set(column.figure) != {"gate_accuracy"}:
                assert column["mean"].max() in column["mean"][column.best].tolist()
                assert 1 <= column.best.sum() < len(column)
    same = rows(long, table="results", figure="gate_accuracy")
    assert not same.best.any(), "all are 80"


def test_splits_apart_have_a_best_row_each():
    long = collected(splits=2, by_split=True)
    column = rows(long, table="results", protocol="paper", gate="logistic", figure="acc_unseen")
    assert column.loc[column.groupby("split")["mean"].idxmax()].best.all()
    assert column.best.sum() < len(column) / 2


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({"synse": 5.04, "jpose": 4.96, "revise": 5.06}, {"synse", "jpose"}),
        ({"synse": 5.04, "jpose": float("nan"), "revise": 5.06}, {"synse"}),
    ],
)
def test_ties_are_those_that_are_printed_alike_and_nan_is_never_best(seconds, best):
    seconds = dict.fromkeys(("msf", "ridge", "cada_vae"), 9.0) | seconds
    long = collected(lambda f: f.assign(fit_seconds=f.method.map(seconds)))
    assert set(rows(long, table="time", best=True).method) == best


def test_a_row_with_fewer_runs_does_not_compete():
    table = outcomes(lambda method, *_: 0.9 if method == "synse" else 0.5, splits=2)
    table = table[(table.method != "synse") | (table.split == "split_1")]
    long = collect("mine", benchmark(table), table, CONFIG, by_split=False)
    for kind, gate in (("results", "logistic"), ("intervals", "")):
        column = rows(long, table=kind, gate=gate, protocol="strict", figure="zssar_accuracy")
        assert column.loc[column["mean"].idxmax()].method == "synse"
        assert column.best.any()
        assert not column[column.method == "synse"].best.any()
        assert set(column[column.method == "synse"].runs) == {3}
        assert set(column[column.method != "synse"].runs) == {6}


def test_differences_are_bold_where_the_interval_leaves_out_zero():
    tests = rows(collected(splits=3, clips=(100, 100)), table="tests")
    assert tests.best.any()
    assert not tests.best.all()
    assert (tests.best == ((tests.low > 0) | (tests.high < 0))).all()


def test_a_study_of_baselines_only_has_nothing_to_compare():
    long = collected(cells=[("synse", "verb+noun"), ("revise", "LB")])
    assert set(long.table) == {"results", "intervals", "over_classes", "classes", "time"}


def test_errors_name_the_study():
    with pytest.raises(ValueError, match=r"study mine: jpose, .* acc_seen is"):
        collected(lambda f: f.assign(acc_seen=f.acc_seen + (f.method == "jpose")))


def test_a_benchmark_of_an_earlier_version_is_refused():
    table = outcomes(better_with_more_texts)
    figures = benchmark(table)
    for some in (
        (figures.drop(columns="seen_classifier_accuracy"), table),
        (figures, table.rename(columns={"class_id": "action"})),
    ):
        with pytest.raises(ValueError, match=r"study mine: the benchmark has no \w+: run it again"):
            collect("mine", *some, CONFIG, by_split=False)
