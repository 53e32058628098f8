"""Class splits and parts."""

from itertools import product

import pandas as pd
import pytest

from msf_kedro.studies.drawing import draw_splits, propose_parts
from msf_kedro.zero_shot.splits import SplitConfig, check_split


def clips(classes=range(1, 9), **columns) -> pd.DataFrame:
    """A clip for every combination."""
    rows = list(product(classes, *columns.values()))
    frame = pd.DataFrame(rows, columns=["action", *columns])
    return frame.assign(name=frame.astype(str).agg("_".join, axis=1))


@pytest.mark.parametrize("count", [6, 7, 8, 10, 27, 60])
def test_splits_are_drawn_that_are_good(count):
    classes = list(range(3, count + 3))
    splits = draw_splits(classes, seed=1)
    assert splits == draw_splits(classes, seed=1)
    assert len(splits) == 3
    drawn = [SplitConfig(**split) for split in splits.values()]
    for split in drawn:
        check_split(split, classes)
    unseen = [tuple(split.unseen) for split in drawn]
    assert len({c for group in unseen for c in group}) == sum(map(len, unseen))
    assert len(unseen[0]) == max(2, round(count / 5))


def test_another_seed_draws_others():
    assert draw_splits(range(20), seed=0) != draw_splits(range(20), seed=1)


def test_too_few_classes_are_said():
    with pytest.raises(ValueError, match="5 classes, expected six or more"):
        draw_splits(range(5), seed=0)


SPLITS = draw_splits(range(1, 9), seed=0)


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        (
            {"subject": [1, 2, 3, 4, 5, 6], "take": [1, 2]},
            ("subject in [1, 3, 5]", "subject == 5", "subject == 5 and take == 2"),
        ),
        (
            {"take": [1, 2], "performer": [1, 2, 3, 4]},
            ("performer in [1, 3]", *["performer == 3 and take == 2"] * 2),
        ),
        (
            {"subject": [1, 2], "take": [1, 2, 3]},
            ("subject == 1", *["subject == 1 and take == 3"] * 2),
        ),
        ({"take": range(1, 7)}, ("take in [1, 2, 3]", "take == 3", "take == 3")),
        ({"take": range(1, 41)}, ("1 <= take <= 20", "take == 20", "take == 20")),
        (
            {"room": ["hall", "kitchen", "yard"]},
            ("room in ['hall', 'yard']", *["room == 'yard'"] * 2),
        ),
    ],
)  # fmt: skip
def test_people_or_else_takes_train(columns, parts):
    proposed, wrong = propose_parts(clips(**columns), SPLITS, folds=2)
    assert (proposed.train, proposed.calibration_held_out, proposed.test_held_out) == parts
    assert wrong == []


def test_what_is_not_enough_is_said():
    _, wrong = propose_parts(clips(take=[1, 2]), SPLITS, folds=5)
    assert any(
        "held_out selects no training clip" in sentence or "has no train" in sentence
        for sentence in wrong
    )
    _, wrong = propose_parts(clips(subject=range(4), take=[1, 2]), SPLITS, folds=50)
    assert wrong[0].startswith("gate.folds is 50, but the gate is fitted on 4 seen and 8 unseen")
    assert propose_parts(clips(), SPLITS, folds=2) is None
