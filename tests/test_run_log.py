"""What a run tells."""

import logging

import pytest
from kedro.pipeline import Pipeline, node

from msf_kedro.run_log import CHATTER, COMPLETED, StepLines, spelt


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("features.test.joint.train_shift_gcn", "features · test · joint · train Shift-GCN"),
        ("evaluation.evaluate_gzssar", "evaluation · evaluate GZSSAR"),
        ("split_1.msf.MiniLM.LB+AD.fit_gates", "split_1 · msf · MiniLM · LB+AD · fit gates"),
    ],
)
def test_names_are_for_people(name, told):
    assert spelt(name) == told


def record(message: str, *values) -> logging.LogRecord:
    return logging.LogRecord("kedro.runner", logging.INFO, "", 0, message, values, None)


def test_kedros_lines_give_way_to_short_ones():
    lines = StepLines("no such run", Pipeline([node(len, "words", "length", name="count_words")]))
    done = record(COMPLETED, "count_words")
    assert lines.filter(done)
    assert done.getMessage() == "count words"
    assert lines.filter(done), "another handler sees the same record"
    assert done.getMessage() == "count words"
    for start in CHATTER:
        assert not lines.filter(record(start))
    assert lines.filter(record("something else"))
