"""Predictions for people and as a table."""

import pandas as pd
import pytest

from msf_kedro.recognizer import Prediction, Predictions

SEEN = Prediction("a", "seen", 0.7, 0.6, {"hop": 0.7, "clap": 0.2, "throw": 0.1}, {"kick": 1.0})
UNSEEN = Prediction("b", "unseen", 0.3, 0.6, {"hop": 0.3}, {"kick": 0.8, "squat": 0.2})
ALONE = Prediction("c", "unseen", unseen={"kick": 0.8, "squat": 0.2})
REFUSED = Prediction("d", refused="no body in any frame")
ALL = Predictions([SEEN, UNSEEN, ALONE, REFUSED])


def test_the_best_class_is_of_the_clips_side():
    assert [p.label for p in ALL] == ["hop", "kick", "kick", None]
    assert [p.probability for p in ALL] == [0.7, 0.8, 0.8, None]
    assert SEEN.top(2) == [("hop", 0.7), ("clap", 0.2)]


def test_in_a_line():
    assert [str(p) for p in ALL] == [
        "a: hop 70%, clap 20%, throw 10% (seen, gate 0.70 ≥ 0.60)",
        "b: kick 80%, squat 20% (unseen, gate 0.30 < 0.60)",
        "c: kick 80%, squat 20% (unseen)",
        "d: refused, no body in any frame",
    ]


@pytest.mark.parametrize(
    ("score", "threshold", "shown"),
    [
        (0.99981, 0.9971, "1.000 ≥ 0.997"),
        (0.99981, 0.99976, "0.99981 ≥ 0.99976"),
        (0.5, 0.5, "0.50 ≥ 0.50"),
    ],
)
def test_the_gates_numbers_are_told_apart(score, threshold, shown):
    assert Prediction("a", "seen", score, threshold, {"hop": 1.0}).gate == shown


def test_as_a_table_for_people():
    assert [line.split() for line in str(ALL).splitlines()] == [
        ["clip", "class", "side", "gate", "2.", "3."],
        ["a", "hop", "70%", "seen", "0.70", "≥", "0.60", "clap", "20%", "throw", "10%"],
        ["b", "kick", "80%", "unseen", "0.30", "<", "0.60", "squat", "20%"],
        ["c", "kick", "80%", "unseen", "squat", "20%"],
        ["d:", "refused,", "no", "body", "in", "any", "frame"],
    ]
    assert "gate" not in Predictions([ALONE]).table()
    assert str(Predictions([REFUSED])) == str(REFUSED)
    assert str(Predictions()) == ""


def test_as_a_table_of_columns_that_do_not_depend_on_the_clips():
    table = ALL.to_frame()
    assert table["clip"].tolist() == ["a", "b", "c", "d"]
    assert table.label.isna().tolist() == [False, False, False, True]
    assert table.label_3[0] == "throw"
    assert table.score.tolist()[:2] == [0.7, 0.3]
    assert table.refused.isna().tolist() == [True, True, True, False]
    for part in (ALL[:1], ALL[3:], []):
        pd.testing.assert_series_equal(Predictions(part).to_frame().dtypes, table.dtypes)
    assert list(ALL.to_frame(top=1)) == [
        *("clip", "label", "probability", "side", "score", "threshold", "refused")
    ]
