"""Figures of whole runs by hand, on tables small enough to count."""

import numpy as np
import pandas as pd
import pytest

from msf_kedro.reports.evaluation import (
    comparison,
    confusion,
    gzssar_results,
    per_class,
    report,
    results_table,
    tradeoff_curves,
    zssar_results,
)

# One gate, one seed: side, class, P(seen), called seen, seen prediction, unseen prediction.
CLIPS = [
    ("seen", 1, 0.9, True, 1, 8),
    ("seen", 1, 0.8, True, 2, 8),
    ("seen", 1, 0.2, False, 1, 8),
    ("seen", 2, 0.7, True, 2, 9),
    ("unseen", 8, 0.6, True, 1, 8),
    ("unseen", 8, 0.3, False, 1, 8),
    ("unseen", 8, 0.1, False, 1, 9),
    ("unseen", 9, 0.1, False, 2, 9),
]
COLUMNS = ["side", "class_id", "score", "called_seen", "seen_prediction", "unseen_prediction"]
BY_HAND = {
    "acc_seen": 2 / 4,
    "acc_unseen": 2 / 4,
    "harmonic_mean": 0.5,
    "acc_seen_per_class": (1 / 3 + 1) / 2,
    "acc_unseen_per_class": (1 / 3 + 1) / 2,
    "harmonic_mean_per_class": 2 / 3,
    "gate_accuracy": (3 + 3) / 8,
    "seen_classifier_accuracy": 3 / 4,
    "harmonic_mean_perfect_gate": 0.75,
}


def predictions(clips=CLIPS, protocol="strict", gate="threshold", seed=0) -> pd.DataFrame:
    table = pd.DataFrame(clips, columns=COLUMNS)
    table["predicted"] = table.seen_prediction.where(table.called_seen, table.unseen_prediction)
    table["name"] = [f"c{n}" for n in range(len(table))]
    return table.assign(protocol=protocol, gate=gate, seed=seed)


def never_seen(protocol: str, gate: str, seed: int) -> pd.DataFrame:
    """The same clips under a gate that calls nothing seen."""
    clips = [(*clip[:3], False, *clip[4:]) for clip in CLIPS]
    return predictions(clips, protocol, gate, seed)


RUNS = [("strict", "threshold"), ("strict", "logistic"), ("paper", "threshold")]
MANY = pd.concat(
    [
        predictions(protocol=protocol, gate=gate, seed=0) if gate == "threshold"
        else never_seen(protocol, gate, 0)
        for protocol, gate in RUNS
    ]
    + [never_seen(protocol, gate, 5) for protocol, gate in RUNS],
    ignore_index=True,
)  # fmt: skip


# --- GZSSAR ---


def test_gzssar_figures_by_hand():
    (row,) = gzssar_results(predictions()).to_dict("records")
    assert (row.pop("protocol"), row.pop("gate"), row.pop("seed")) == ("strict", "threshold", 0)
    row.pop("ausuc")
    assert row == pytest.approx(BY_HAND)


def test_a_gate_that_calls_nothing_seen_has_no_harmonic_mean():
    (row,) = gzssar_results(never_seen("strict", "threshold", 0)).to_dict("records")
    assert row["acc_seen"] == row["harmonic_mean"] == row["harmonic_mean_per_class"] == 0
    assert row["acc_unseen"] == 3 / 4
    assert row["gate_accuracy"] == 1 / 2
    assert row["harmonic_mean_perfect_gate"] == 0.75, "whatever the gate says"


def test_runs_do_not_mix():
    """Each row of a table of many is the row of its run alone, in the order they come."""
    keys = ["protocol", "gate", "seed"]
    together = gzssar_results(MANY)
    alone = [gzssar_results(MANY[(MANY[keys] == list(key)).all(axis=1)]) for key in
             MANY[keys].drop_duplicates().itertuples(index=False)]  # fmt: skip
    pd.testing.assert_frame_equal(together, pd.concat(alone, ignore_index=True))
    assert together.iloc[0].harmonic_mean == 0.5
    assert together.iloc[-1].harmonic_mean == 0


def test_the_order_of_clips_does_not_matter():
    shuffled = predictions().sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(gzssar_results(shuffled), gzssar_results(predictions()))


# --- curves ---


def test_the_trade_off_curve_against_a_slow_loop():
    table = predictions()
    curve = tradeoff_curves(table)
    assert curve.threshold.iloc[0] == np.inf
    assert curve.threshold.is_monotonic_decreasing
    assert set(curve.threshold.iloc[1:]) == set(table.score)
    for row in curve.itertuples():
        called = table.score >= row.threshold
        predicted = table.seen_prediction.where(called, table.unseen_prediction)
        right = predicted == table.class_id
        assert row.acc_seen == pytest.approx(right[table.side == "seen"].mean())
        assert row.acc_unseen == pytest.approx(right[table.side == "unseen"].mean())
    area = np.trapezoid(curve.acc_unseen, curve.acc_seen)
    assert gzssar_results(table).ausuc[0] == pytest.approx(area)
    assert 0 < area < 0.75 * 0.75


def test_every_run_has_its_curve():
    curves = tradeoff_curves(MANY)
    sizes = curves.groupby(["protocol", "gate", "seed"]).size()
    assert len(sizes) == 6
    assert set(sizes) == {1 + len({clip[2] for clip in CLIPS})}


# --- confusions, classes ---


def test_confusions_are_counted_over_seeds():
    table = confusion(pd.concat([predictions(seed=0), predictions(seed=5)]))
    counted = {(row.class_id, row.predicted): row.clips for row in table.itertuples()}
    assert counted == {
        (1, 1): 2, (1, 2): 2, (1, 8): 2, (2, 2): 2, (8, 1): 2, (8, 8): 2, (8, 9): 2, (9, 9): 2
    }  # fmt: skip
    assert table.clips.sum() == 2 * len(CLIPS)


def test_figures_per_class_by_hand():
    labels = pd.Series({1: "drink", 2: "eat", 8: "sit", 9: "stand", 10: "clap"})
    table = per_class(pd.concat([predictions(seed=0), predictions(seed=5)]), labels)
    found = table.set_index("class_id")
    assert found.label.to_dict() == {1: "drink", 2: "eat", 8: "sit", 9: "stand"}
    assert found.side.to_dict() == {1: "seen", 2: "seen", 8: "unseen", 9: "unseen"}
    expected = {1: (1 / 3, 2 / 3, 2 / 3), 2: (1, 1, 1), 8: (1 / 3, 2 / 3, 2 / 3), 9: (1, 1, 1)}
    columns = ["gzssar_accuracy", "gate_accuracy", "classifier_accuracy"]
    for action, figures in expected.items():
        assert found.loc[action, columns].tolist() == pytest.approx(figures)


def test_a_class_without_a_label_is_named():
    with pytest.raises(ValueError, match=r"classes \[2, 9\] of the predictions have no label"):
        per_class(predictions(), pd.Series({1: "drink", 8: "sit", 10: "clap"}))


# --- ZSSAR ---


def zssar_tables():
    """Unseen classes 8 and 9; candidate 2 of seed 0 has all 4 test clips right, 1 has none."""
    roles = pd.DataFrame(
        [
            *((f"u{n}", class_id, "unseen", "test") for n, class_id in enumerate((8, 8, 8, 9))),
            ("trained", 8, "unseen", "train"),
            ("seen", 1, "seen", "test"),
        ],
        columns=["name", "class_id", "side", "part"],
    )
    first_is_best = {(2, 0): "tttf", (1, 0): "ffft", (1, 5): "tttt"}
    tables = {
        (candidate, seed): pd.DataFrame(
            {
                n: [0.7 if (flag == "t") == (n == 8) else 0.3 for flag in flags + "ff"]
                for n in (8, 9)
            },
            index=pd.Index(roles.name),
        )
        for (candidate, seed), flags in first_is_best.items()
    }
    probs = pd.concat(tables, names=["candidate", "seed"]).rename_axis(columns="class_id")
    candidates = pd.DataFrame(
        [
            ("strict", "test", 0, 2), ("strict", "test", 5, 1), ("paper", "test", 0, 1),
            ("strict", "calibration", 0, 1),
        ],
        columns=["protocol", "phase", "seed", "candidate"],
    )  # fmt: skip
    return probs.sample(frac=1, random_state=0), roles, candidates


def test_zssar_figures_by_hand():
    """Only unseen clips of the test part count, of the candidate that the test phase chose."""
    rows = zssar_results(*zssar_tables()).to_dict("records")
    expected = [
        ("strict", 0, 2, 4 / 4, 1.0),
        ("strict", 5, 1, 3 / 4, 0.5),
        ("paper", 0, 1, 0.0, 0.0),
    ]
    assert [tuple(row.values()) for row in rows] == [(*row, 0.5) for row in expected]
    assert list(rows[0]) == [
        "protocol", "seed", "candidate", "accuracy", "accuracy_per_class", "chance"
    ]  # fmt: skip


def test_rows_are_joined_by_the_names_of_clips():
    probs, roles, candidates = zssar_tables()
    expected = zssar_results(probs, roles, candidates)
    pd.testing.assert_frame_equal(zssar_results(probs[::-1], roles[::-1], candidates), expected)
    lacking = probs.drop(index=(1, 5, "u1"))
    with pytest.raises(
        ValueError, match=r"candidate 1, seed 5: no row for 1 of 4 clips, such as u1"
    ):
        zssar_results(lacking, roles, candidates)


# --- the report ---

ZSSAR = pd.DataFrame(
    [(p, s, 1, a, a / 2, 0.2) for p, s, a in
     (("strict", 0, 0.5), ("strict", 5, 0.7), ("paper", 0, 0.8), ("paper", 5, 0.8))],
    columns=["protocol", "seed", "candidate", "accuracy", "accuracy_per_class", "chance"],
)  # fmt: skip


def test_the_report_nests_protocol_task_figure():
    found = report({"study": "x"}, ZSSAR, gzssar_results(MANY), "threshold")
    assert list(found) == ["run", "strict", "paper"]
    assert found["run"] == {"study": "x"}
    assert found["strict"]["chance"]["mean"] == pytest.approx(0.2)
    accuracy = found["strict"]["zssar"]["accuracy"]
    assert accuracy.pop("values") == [0.5, 0.7]
    assert accuracy == pytest.approx({"mean": 0.6, "std": np.sqrt(0.02)})
    assert set(found["strict"]["zssar"]) == {"accuracy", "accuracy_per_class"}
    assert found["paper"]["zssar"]["accuracy"]["values"] == [0.8, 0.8]
    assert found["strict"]["gzssar"] is found["strict"]["gates"]["threshold"]
    assert found["strict"]["gzssar"]["harmonic_mean"]["values"] == [0.5, 0]
    assert found["strict"]["gates"]["logistic"]["harmonic_mean"]["values"] == [0, 0]
    assert set(found["strict"]["gzssar"]) == {*BY_HAND, "ausuc"}
    assert set(found["paper"]["gates"]) == {"threshold"}
    other = report({}, ZSSAR[ZSSAR.protocol == "strict"], gzssar_results(MANY), "logistic")
    assert other["strict"]["gzssar"] == found["strict"]["gates"]["logistic"]


def test_the_table_says_percent_with_spread():
    text = results_table({"msf": (ZSSAR, gzssar_results(MANY))})
    header, *rows = text.splitlines()
    assert header.split("  ")[0].strip() == "protocol"
    names = ("ZSSAR", "chance", "seen classifier", "Acc_s", "Acc_u", "H, perfect gate", "AUSUC")
    for name in (*names, "gate accuracy"):
        assert name in header
    assert len(rows) == len(RUNS)
    strict = next(row for row in rows if "strict" in row and "threshold" in row)
    for figure in ("60.0 ± 14.1", "20.0 ± 0.0", "25.0 ± 35.4", "75.0 ± 0.0"):
        assert figure in strict
    alone = results_table({"": (ZSSAR,)})
    assert "Acc_s" not in alone
    assert alone.count("±") == 2 * 2


def test_two_methods_stand_below_each_other_in_one_table():
    figures = ZSSAR, gzssar_results(MANY)
    header, *rows = results_table({"msf": figures, "msf_plus": figures}).splitlines()
    assert header.split()[0] == "method"
    assert [row.split()[0] for row in rows] == ["msf"] * len(RUNS) + ["msf_plus"] * len(RUNS)
    alone = results_table({"msf": figures}).splitlines()[1:]
    assert [row.split()[1:] for row in rows] == 2 * [row.split() for row in alone]


# --- published figures ---

CELL = {"study": "s", "split": "1-2", "method": "synse", "texts": "noun+verb", "encoder": "E"}


def published(**changes) -> pd.DataFrame:
    """One row of the paper's, all figures known."""
    row = {"data_set": "s", "split": "1-2", "table": "2", "method": "synse", "encoder": "E"}
    row |= {"texts": "verb+noun", "source": "paper"}
    row |= {"zssar": 61.0, "acc_seen": 20.0, "acc_unseen": 70.0, "h": 30.0}
    return pd.DataFrame([row | changes])


def test_figures_stand_beside_the_published_ones_of_the_same_cell():
    gzssar = gzssar_results(pd.concat([predictions(seed=0), never_seen("strict", "threshold", 5)]))
    zssar = pd.DataFrame({"protocol": "strict", "seed": [5, 0], "accuracy": [0.7, 0.5]})
    table = comparison(zssar, gzssar, published(), CELL).set_index("figure")
    assert table["mean"].tolist() == pytest.approx([60, 25, 62.5, 25])
    assert table.loc["zssar_accuracy", "std"] == pytest.approx(100 * 0.02**0.5)
    assert table["paper"].tolist() == [61, 20, 70, 30]
    assert table["minus paper"].tolist() == pytest.approx([-1, 5, -7.5, -5])
    assert table[["released log", "minus released log"]].isna().all(axis=None)
    for name in CELL:
        other = comparison(zssar, gzssar, published(), CELL | {name: "other"})
        assert other.paper.isna().all(), name
        assert other["mean"].tolist() == table["mean"].tolist()
    some = comparison(zssar, gzssar, published(acc_seen=np.nan, source="released log"), CELL)
    assert some["released log"].isna().tolist() == [False, True, False, False]
    assert some.paper.isna().all()


def test_each_protocol_and_gate_is_compared():
    keys = [("strict", 0), ("strict", 5), ("paper", 0), ("paper", 5)]
    zssar = pd.DataFrame(keys, columns=["protocol", "seed"]).assign(accuracy=[0.5, 0.5, 0.1, 0.1])
    table = comparison(zssar, gzssar_results(MANY), published()[:0], CELL)
    assert len(table) == 4 * len(RUNS)
    assert set(zip(table.protocol, table.gate, strict=True)) == set(RUNS)
    means = table[table.figure == "zssar_accuracy"].set_index("protocol")["mean"]
    assert means.groupby("protocol").first().to_dict() == pytest.approx({"strict": 50, "paper": 10})
