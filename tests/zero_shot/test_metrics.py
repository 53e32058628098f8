"""Figures of zero-shot recognition against hand-written loops and scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from msf_kedro.zero_shot import metrics

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


@given(labels)
def test_accuracies_are_those_of_scikit_learn(pairs):
    target, predicted = np.array(pairs).T
    assert metrics.accuracy(target, predicted) == pytest.approx(accuracy_score(target, predicted))
    rights = {c: [p == c for t, p in pairs if t == c] for c, _ in pairs}
    by_hand = sum(sum(right) / len(right) for right in rights.values()) / len(rights)
    assert metrics.accuracy_per_class(target, predicted) == pytest.approx(by_hand)
    if set(predicted) <= set(target) and len(set(target)) > 1:  # scikit-learn warns of others
        expected = balanced_accuracy_score(target, predicted)
        assert by_hand == pytest.approx(expected)


def test_accuracies_of_unlike_classes_differ():
    target, predicted = np.array([1, 1, 1, 2]), np.array([1, 1, 1, 1])
    assert metrics.accuracy(target, predicted) == 0.75
    assert metrics.accuracy_per_class(target, predicted) == 0.5


def test_accuracy_of_nothing_is_not_a_number():
    nothing = np.array([], dtype=int)
    assert math.isnan(metrics.accuracy(nothing, nothing))
    assert math.isnan(metrics.accuracy_per_class(nothing, nothing))


@pytest.mark.parametrize(
    ("seen", "unseen", "expected"),
    [(0.5, 0.5, 0.5), (0.6, 0.3, 0.4), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0), (71.73, 66.15, 68.827)],
)
def test_harmonic_mean_by_hand(seen, unseen, expected):
    assert metrics.harmonic_mean(seen, unseen) == pytest.approx(expected, abs=1e-3)
    assert metrics.harmonic_mean(unseen, seen) == pytest.approx(expected, abs=1e-3)


def test_harmonic_mean_works_element_by_element():
    found = metrics.harmonic_mean(np.array([0.6, 0.0, 1.0]), np.array([0.3, 0.0, 1.0]))
    np.testing.assert_allclose(found, [0.4, 0.0, 1.0])


# --- the trade-off curve ---


@st.composite
def gated(draw):
    """Scores with many ties, and which clips are seen and rightly classified."""
    rows = st.tuples(st.integers(0, 5), st.booleans(), st.booleans(), st.booleans())
    table = draw(st.lists(rows, min_size=1, max_size=25))
    scores, *flags = np.array(table).T
    return scores / 5, *(flag.astype(bool) for flag in flags)


def rates(threshold, scores, is_seen, seen_right, unseen_right):
    """Accuracy on seen and on unseen clips at one threshold, clip by clip."""
    hits = {True: 0, False: 0}
    for n, seen in enumerate(is_seen.tolist()):
        right = seen_right[n] if seen else unseen_right[n]
        hits[seen] += right and (scores[n] >= threshold) == seen
    return hits[True] / max(1, sum(is_seen)), hits[False] / max(1, sum(~is_seen))


@given(gated())
def test_the_curve_equals_a_loop_over_thresholds(clips):
    thresholds, acc_seen, acc_unseen = metrics.tradeoff_curve(*clips)
    assert thresholds.tolist() == [np.inf, *sorted(set(clips[0]), reverse=True)]
    for place, threshold in enumerate(thresholds):
        found = (acc_seen[place], acc_unseen[place])
        assert found == pytest.approx(rates(threshold, *clips))


@given(gated())
def test_the_curve_runs_from_all_unseen_to_all_seen_without_a_turn(clips):
    _, is_seen, seen_right, unseen_right = clips
    _, acc_seen, acc_unseen = metrics.tradeoff_curve(*clips)
    unseen = unseen_right[~is_seen].mean() if (~is_seen).any() else 0
    seen = seen_right[is_seen].mean() if is_seen.any() else 0
    assert (acc_seen[0], acc_unseen[0]) == pytest.approx((0, unseen))
    assert (acc_seen[-1], acc_unseen[-1]) == pytest.approx((seen, 0))
    assert (np.diff(acc_seen) >= 0).all()
    assert (np.diff(acc_unseen) <= 0).all()


@given(gated())
def test_the_area_equals_a_brute_force_sum(clips):
    points = [rates(threshold, *clips) for threshold in [np.inf, *sorted(set(clips[0]))[::-1]]]
    area = sum(
        (points[i + 1][0] - points[i][0]) * (points[i + 1][1] + points[i][1]) / 2
        for i in range(len(points) - 1)
    )
    _, acc_seen, acc_unseen = metrics.tradeoff_curve(*clips)
    assert metrics.ausuc(acc_seen, acc_unseen) == pytest.approx(area)


def test_a_perfect_gate_has_the_whole_area():
    is_seen = np.array([True, True, False])
    right = np.array([True, True, True])
    _, *curve = metrics.tradeoff_curve(np.array([0.9, 0.8, 0.1]), is_seen, right, right)
    assert metrics.ausuc(*curve) == 1
    _, *curve = metrics.tradeoff_curve(np.array([0.1, 0.1, 0.9]), is_seen, right, right)
    assert metrics.ausuc(*curve) == 0


def test_summaries():
    found = metrics.summarise([0.1, 0.2, 0.6])
    assert found == {
        "mean": pytest.approx(0.3),
        "std": pytest.approx(math.sqrt((0.04 + 0.01 + 0.09) / 2)),
        "values": [0.1, 0.2, 0.6],
    }
    assert metrics.summarise([0.1, 0.3])["std"] == pytest.approx(0.2 / math.sqrt(2))
    assert metrics.summarise([0.5]) == {"mean": 0.5, "std": 0.0, "values": [0.5]}
