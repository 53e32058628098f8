"""The gate: its features, all kinds of it, both protocols."""

import dataclasses
import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from msf_kedro.zero_shot import gate as gates
from msf_kedro.zero_shot.gate import (
    Evidence,
    Gate,
    GateConfig,
    fit_gate,
    gate_features,
    harmonic_means,
    score,
)

CONFIG = GateConfig(
    kind="threshold",
    temperatures=[1.0, 2.0, 4.0],
    thresholds=[0.25, 0.4, 0.5, 0.6, 0.75],
    folds=3,
    paper_temperature=2.0,
    paper_threshold=0.5,
    paper_fit_part=1.0,
    outputs="seen",
    evidence_strength=0.1,
    kept_seen=0.9,
)


def make_evidence(n: int = 60, apart: float = 1.5, seed: int = 0) -> Evidence:
    """Half seen, half unseen; seen clips have one large seen logit, unseen ones one large prob."""
    rng = np.random.default_rng(seed)
    is_seen = np.arange(n) % 2 == 0
    seen_logits = rng.normal(size=(n, 6))
    seen_logits[is_seen, rng.integers(6, size=n)[is_seen]] += apart
    unseen_logits = rng.normal(size=(n, 4))
    unseen_logits[~is_seen, rng.integers(4, size=n)[~is_seen]] += apart
    return Evidence(
        seen_logits,
        softmax(unseen_logits, axis=1),
        is_seen,
        rng.random(n) < 0.8,
        rng.random(n) < 0.6,
    )


def harmonic_at(threshold: float, scores: np.ndarray, evidence: Evidence) -> float:
    """The harmonic mean at one threshold, clip by clip."""
    hits = {True: [], False: []}
    for n, seen in enumerate(evidence.is_seen):
        right = evidence.seen_right[n] if seen else evidence.unseen_right[n]
        hits[bool(seen)].append(bool(right and (scores[n] >= threshold) == seen))
    s, u = (sum(part) / len(part) for part in (hits[True], hits[False]))
    return 2 * s * u / (s + u) if s + u else 0.0


# --- features and scores ---


def test_gate_features_by_hand():
    logits = np.array([[0.0, 2.0 * math.log(3), 0.0], [0.0, 0.0, 2.0 * math.log(2)]])
    probs = np.array([[0.2, 0.7, 0.1], [0.5, 0.1, 0.4]])
    expected = [[0.7, 0.2, 0.6, 0.2], [0.5, 0.4, 0.5, 0.25]]
    np.testing.assert_allclose(gate_features(logits, probs, 2.0, width=2), expected)


def test_gate_features_are_no_wider_than_what_there_is():
    found = gate_features(np.zeros((1, 3)), np.array([[0.1, 0.9]]), 1.0, width=5)
    np.testing.assert_allclose(found, [[0.9, 0.1, 1 / 3, 1 / 3, 1 / 3]])


def test_large_logits_do_no_harm():
    logits, probs = np.array([[1000.0, 1000.0, -1000.0]]), np.array([[0.1, 0.9]])
    found = gate_features(logits, probs, 0.5, width=3)
    np.testing.assert_allclose(found, [[0.9, 0.1, 0.5, 0.5, 0]])


@given(st.integers(0, 1000), st.sampled_from([0.1, 1.0, 9.0]), st.sampled_from([1.0, 30.0]))
def test_scores_lie_between_nought_and_one(seed, temperature, scale):
    evidence = make_evidence(seed=seed)
    logits, probs = scale * evidence.seen_logits, evidence.unseen_probs
    weights = scale * np.random.default_rng(seed).normal(size=7)
    for kind in ("threshold", "logistic"):
        found = score(Gate(kind, temperature, 0.5, 3, weights, "seen"), logits, probs)
        assert found.shape == (60,)
        assert 0 <= found.min() <= found.max() <= 1


def test_scores_by_hand():
    logits, probs = np.array([[2.0, 0.0]]), np.array([[0.3, 0.7]])
    largest = 1 / (1 + math.exp(-1.0))
    threshold = Gate("threshold", 2.0, 0.5, 1, np.empty(0), "seen")
    assert score(threshold, logits, probs) == pytest.approx(largest)
    logistic = Gate("logistic", 2.0, 0.5, 1, np.array([-2.0, 3.0, 0.5]), "seen")
    expected = 1 / (1 + math.exp(-(-2 * 0.7 + 3 * largest + 0.5)))
    assert score(logistic, logits, probs) == pytest.approx(expected)


@given(st.integers(0, 1000))
def test_harmonic_means_equal_a_slow_loop(seed):
    evidence = make_evidence(20, seed=seed)
    scores = np.random.default_rng(seed).integers(0, 5, 20) / 4
    thresholds = np.array([0.0, 0.25, 0.3, 1.0, 1.1])
    expected = [harmonic_at(threshold, scores, evidence) for threshold in thresholds]
    np.testing.assert_allclose(harmonic_means(scores, thresholds, evidence), expected)


# --- fitting ---


def best_by_brute_force(evidence: Evidence, temperatures: list[float]) -> float:
    return max(
        harmonic_at(threshold, scores, evidence)
        for temperature in temperatures
        for scores in [softmax(evidence.seen_logits / temperature, axis=1).max(axis=1)]
        for threshold in [*scores, np.inf]
    )


@given(st.integers(0, 1000), st.sampled_from(["strict", "paper"]))
def test_the_threshold_gate_reaches_the_largest_harmonic_mean(seed, protocol):
    evidence = make_evidence(24, seed=seed)
    gate = fit_gate("threshold", evidence, CONFIG, protocol, width=3, seed=0)
    temperatures = CONFIG.temperatures if protocol == "strict" else [2.0]
    assert gate.temperature in temperatures
    scores = score(gate, evidence.seen_logits, evidence.unseen_probs)
    found = harmonic_at(gate.threshold, scores, evidence)
    assert found == pytest.approx(best_by_brute_force(evidence, temperatures))


def test_many_clips_take_little_memory():
    """A pair of clip and threshold each would fill a gigabyte."""
    evidence = make_evidence(30_000)
    tracemalloc.start()
    fit_gate("threshold", evidence, CONFIG, "paper", width=3, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_a_threshold_lies_between_scores_in_the_middle_of_the_best():
    """Three gaps in a row are equally good: 0.6 | 0.7 | 0.8 | 0.9 hold nothing decidable."""
    top = np.array([0.9, 0.8, 0.7, 0.6])
    logits = np.log(np.stack([top, 1 - top], axis=1))
    seen = np.array([True, True, False, False])
    right = np.array([True, False, False, True])  # so 0.8 and 0.7 do not matter
    evidence = Evidence(logits, np.full((4, 2), 0.5), seen, right, right)
    config = dataclasses.replace(CONFIG, temperatures=[1.0])
    gate = fit_gate("threshold", evidence, config, "strict", width=1, seed=0)
    assert gate.threshold == pytest.approx(0.75)


def two_sided(*top: float) -> Evidence:
    """A clip for every largest seen probability, seen and unseen in turn; all are rightly told."""
    logits = np.log(np.stack([top, 1 - np.array(top)], axis=1))
    seen, right = np.arange(len(top)) % 2 == 0, np.full(len(top), True)
    return Evidence(logits, np.full((len(top), 2), 0.5), seen, right, right)


def test_a_threshold_between_two_scores_and_of_one():
    """Half-way where there are two; the score itself where all clips have one."""
    config = dataclasses.replace(CONFIG, temperatures=[1.0])
    for top, threshold in ((0.9, 0.6), 0.75), ((0.8, 0.8), 0.8):
        gate = fit_gate("threshold", two_sided(*top), config, "strict", width=1, seed=0)
        assert gate.threshold == pytest.approx(threshold)
        assert gate.weights.size == 0


@pytest.mark.parametrize("kind", ["threshold", "logistic"])
@pytest.mark.parametrize("temperatures", [[1.0, 2.0], [2.0, 1.0]])
def test_of_temperatures_that_are_as_good_the_first_is_taken(kind, temperatures):
    evidence = two_sided(*[0.99, 0.51] * 6)
    config = dataclasses.replace(CONFIG, temperatures=temperatures)
    gate = fit_gate(kind, evidence, config, "strict", width=1, seed=0)
    scores = score(gate, evidence.seen_logits, evidence.unseen_probs)
    assert harmonic_at(gate.threshold, scores, evidence) == 1
    assert gate.temperature == temperatures[0]


@pytest.mark.parametrize("protocol", ["strict", "paper"])
def test_the_logistic_gate_tells_separable_clips_apart(protocol):
    evidence = make_evidence(80, apart=12.0)
    gate = fit_gate("logistic", evidence, CONFIG, protocol, width=3, seed=0)
    called_seen = score(gate, evidence.seen_logits, evidence.unseen_probs) >= gate.threshold
    assert (called_seen == evidence.is_seen).mean() > 0.97
    assert gate.weights.shape == (7,)
    assert gate.weights[0] < 0 < gate.weights[3]  # unseen, then seen probabilities


def test_the_logistic_gate_scores_as_scikit_learn_predicts():
    evidence = make_evidence()
    gate = fit_gate("logistic", evidence, CONFIG, "paper", width=3, seed=0)
    inputs = gate_features(evidence.seen_logits, evidence.unseen_probs, 2.0, 3)
    expected = LogisticRegression().fit(inputs, evidence.is_seen).predict_proba(inputs)[:, 1]
    found = score(gate, evidence.seen_logits, evidence.unseen_probs)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_paper_protocol_fixes_temperature_and_threshold():
    config = dataclasses.replace(CONFIG, paper_temperature=3.0, paper_threshold=0.55)
    gate = fit_gate("logistic", make_evidence(), config, "paper", width=3, seed=0)
    assert (gate.temperature, gate.threshold, gate.width) == (3.0, 0.55, 3)


def test_the_strict_protocol_chooses_from_the_lists():
    """With unlike right answers on both sides the best threshold is not the paper's."""
    evidence = make_evidence(120, apart=1.0)
    chosen = [fit_gate("logistic", evidence, CONFIG, "strict", 3, seed) for seed in (0, 0, 1)]
    assert chosen[0].temperature in CONFIG.temperatures
    assert chosen[0].threshold in CONFIG.thresholds
    assert (chosen[0].temperature, chosen[0].threshold) == (
        chosen[1].temperature,
        chosen[1].threshold,
    )
    only = dataclasses.replace(CONFIG, temperatures=[5.0], thresholds=[0.3])
    gate = fit_gate("logistic", evidence, only, "strict", 3, 0)
    assert (gate.temperature, gate.threshold) == (5.0, 0.3)


def test_the_strict_choice_is_the_best_in_cross_validation():
    """Unseen clips that are always wrong within their classes ask for a threshold that is low."""
    evidence = make_evidence(120, apart=1.5)
    rare = dataclasses.replace(evidence, unseen_right=evidence.unseen_probs.max(axis=1) > 0.7)
    thresholds = np.linspace(0.05, 0.95, 19).tolist()
    config = dataclasses.replace(CONFIG, temperatures=[1.0], thresholds=thresholds)
    gates = [fit_gate("logistic", e, config, "strict", 3, 0) for e in (evidence, rare)]
    scores = score(gates[1], rare.seen_logits, rare.unseen_probs)
    worst = min(harmonic_at(t, scores, rare) for t in thresholds)
    best = max(harmonic_at(t, scores, rare) for t in thresholds)
    found = harmonic_at(gates[1].threshold, scores, rare)
    assert best - found < 0.1 * (best - worst)
    assert gates[1].threshold < gates[0].threshold


def test_the_strict_protocol_takes_the_temperature_that_works():
    """At a boundless temperature all clips look alike, and unseen probabilities say nothing."""
    evidence = make_evidence(120, apart=3.0)
    evidence = dataclasses.replace(evidence, unseen_probs=np.full((120, 4), 0.25))
    for temperatures in ([1.0, 1e9], [1e9, 1.0]):
        config = dataclasses.replace(CONFIG, temperatures=temperatures)
        assert fit_gate("logistic", evidence, config, "strict", 3, 0).temperature == 1.0


@pytest.fixture
def fits(monkeypatch) -> list:
    """Inputs and targets of every logistic regression."""
    fitted = []

    class Spy(LogisticRegression):
        def fit(self, inputs, target):
            fitted.append((inputs, target))
            return super().fit(inputs, target)

    monkeypatch.setattr(gates, "_logistic", Spy)
    return fitted


@pytest.mark.parametrize("seed", [0, 2**33 - 1])
def test_the_strict_choice_is_made_in_so_many_folds(seed, fits):
    """Drawn by the seed, which may be large; then all clips fit the gate."""
    evidence = make_evidence(60)
    config = dataclasses.replace(CONFIG, folds=5, temperatures=[1.0, 2.0])
    for s in (seed, seed, seed - 10):
        fit_gate("logistic", evidence, config, "strict", 3, s % 2**34)
    assert [len(target) for _, target in fits] == 3 * [*10 * [48], 60]
    assert {int(target.sum()) for _, target in fits} == {24, 30}
    same, other = (np.array_equal(fits[0][0], fits[place][0]) for place in (11, 22))
    assert (same, other) == (True, False)


def test_more_folds_than_clips_are_refused_by_name():
    config = dataclasses.replace(CONFIG, folds=31)
    message = "gate.folds is 31, but the gate is fitted on 30 seen and 30 unseen clips only"
    with pytest.raises(ValueError, match=message):
        fit_gate("logistic", make_evidence(60), config, "strict", 3, 0)


@pytest.mark.parametrize(
    ("clips", "part", "drawn"),
    [(240, 0.8, (96, 96)), (11, 0.8, (5, 4)), (240, 0.2, (24, 24)), (5, 0.5, (2, 1))],
)
def test_the_papers_gate_can_be_fitted_on_a_random_part_of_both_sides(clips, part, drawn, fits):
    """The same part of each; what is left out is rounded down, as in the release."""
    evidence = make_evidence(n=clips, apart=1.0)
    config = dataclasses.replace(CONFIG, paper_fit_part=part)
    found = [fit_gate("logistic", evidence, config, "paper", 3, seed) for seed in (1, 1, 2)]
    everything = gate_features(evidence.seen_logits, evidence.unseen_probs, 2.0, 3)
    rows = []
    for inputs, target in fits:
        places = [int((everything == row).all(axis=1).argmax()) for row in inputs]
        assert len(set(places)) == len(places)
        assert np.array_equal(everything[places], inputs)
        assert np.array_equal(evidence.is_seen[places], target)
        assert (target.sum(), (~target).sum()) == drawn
        rows.append(set(places))
    assert rows[0] == rows[1]
    assert clips < 20 or rows[0] != rows[2], "seeds draw other clips"
    assert np.array_equal(found[0].weights, found[1].weights)


def test_only_the_papers_gate_is_fitted_on_a_part():
    evidence = make_evidence(n=240, apart=1.0)
    part = dataclasses.replace(CONFIG, paper_fit_part=0.5)
    for kind, protocol in (("logistic", "strict"), ("threshold", "paper")):
        one, two = (fit_gate(kind, evidence, c, protocol, 3, 1) for c in (CONFIG, part))
        assert one.threshold == two.threshold
        assert np.array_equal(one.weights, two.weights)


# --- configs ---


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "oracle"},
        {"temperatures": []},
        {"temperatures": [1.0, 0.0]},
        {"thresholds": []},
        {"paper_temperature": 0.0},
        {"paper_fit_part": 0.0},
        {"paper_fit_part": 1.5},
        {"outputs": "both"},
        {"folds": 1},
    ],
)
def test_a_config_out_of_range_is_refused(changes):
    (field,) = changes
    with pytest.raises(ValueError, match=rf"\b{field}\b"):
        dataclasses.replace(CONFIG, **changes)


# --- the evidence gate ---


def with_scores(seed: int = 0, n: int = 60) -> Evidence:
    evidence = make_evidence(n, seed=seed)
    noise = np.random.default_rng(seed).normal(size=(n, 3))
    return replace(evidence, scores=noise + evidence.is_seen[:, None] * [2.0, 1.0, 0.0])


def evidence_gate(evidence: Evidence, **changes) -> Gate:
    return fit_gate("evidence", evidence, replace(CONFIG, **changes), "strict", 2, 0)


def test_the_evidence_gate_is_logistic_regression_on_standardised_scores():
    evidence = with_scores()
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced"))
    expected = model.fit(evidence.scores, evidence.is_seen).predict_proba(evidence.scores)[:, 1]
    gate = evidence_gate(evidence)
    found = score(gate, evidence.seen_logits, evidence.unseen_probs, evidence.scores)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert gate.threshold == 0.5
    assert ((found >= 0.5) == evidence.is_seen).mean() > 0.8


def test_scores_of_another_scale_make_the_same_decisions():
    evidence = with_scores()
    scaled = replace(evidence, scores=evidence.scores * [1000, 0.01, 1] + [5, -3, 100])
    tables = evidence.seen_logits, evidence.unseen_probs
    first = score(evidence_gate(evidence), *tables, evidence.scores)
    second = score(evidence_gate(scaled), *tables, scaled.scores)
    np.testing.assert_allclose(second, first, atol=1e-4)


def test_a_score_that_never_changes_has_no_weight():
    evidence = with_scores()
    evidence.scores[:, 2] = 7.0
    assert evidence_gate(evidence).weights[2] == 0


def test_the_less_it_may_learn_the_smaller_are_its_weights():
    evidence = with_scores(n=400)
    strong, weak = (evidence_gate(evidence, evidence_strength=c).weights for c in (100.0, 1e-3))
    assert np.abs(weak[:2]).max() < np.abs(strong[:2]).min()


@pytest.mark.parametrize("scores", [None, np.zeros((60, 2))])
def test_an_evidence_gate_without_its_scores_is_an_error(scores):
    evidence = with_scores()
    found = 0 if scores is None else 2
    with pytest.raises(ValueError, match=rf"fitted on 3 scores of a clip, but there are {found}:"):
        score(evidence_gate(evidence), evidence.seen_logits, evidence.unseen_probs, scores)


# --- conformal ---


def columns(values: np.ndarray) -> np.ndarray:
    """A score in two parts, which are added."""
    return np.stack([values / 4, 3 * values / 4], axis=1)


def conformal_gate(values: np.ndarray, kept: float = 0.9) -> Gate:
    """Of seen clips with these scores, and of unseen ones that must not matter."""
    unseen = np.linspace(-50, 50, 7)
    scores = columns(np.concatenate([values, unseen]))
    nothing, yes = np.zeros((len(scores), 2)), np.ones(len(scores), dtype=bool)
    is_seen = np.arange(len(scores)) < len(values)
    evidence = Evidence(nothing, nothing, is_seen, yes, yes, scores)
    return fit_gate("conformal", evidence, replace(CONFIG, kept_seen=kept), "strict", 2, 0)


def called_seen(gate: Gate, values: np.ndarray) -> np.ndarray:
    nothing = np.zeros((len(values), 2))
    return score(gate, nothing, nothing, columns(values)) >= gate.threshold


@pytest.mark.parametrize("kept", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("clips", [5, 19, 22, 100])
@pytest.mark.parametrize("draw", ["normal", "exponential"])
def test_the_conformal_gate_keeps_its_promise(kept, clips, draw):
    """On average over draws of held-out and new clips: never less, and hardly more than needed."""
    rng = np.random.default_rng(0)
    draws, new = 400, 200
    found = []
    for _ in range(draws):
        values = getattr(rng, draw)(size=clips + new)
        gate = conformal_gate(values[:clips], kept)
        found.append(called_seen(gate, values[clips:]).mean())
    error = 3 * np.std(found) / draws**0.5
    assert kept - error <= np.mean(found) <= kept + 1 / (clips + 1) + error


def test_ties_are_called_seen():
    gate = conformal_gate(np.ones(30))
    assert called_seen(gate, np.ones(4)).all()
    assert not called_seen(gate, np.zeros(4)).any()


def test_with_too_few_clips_held_out_everything_is_called_seen():
    values = np.arange(9.0)
    gate = conformal_gate(values[:8])
    assert called_seen(gate, np.array([-100.0, 0.0, 100.0])).all()
    gate = conformal_gate(values)  # 9 are enough for nine tenths
    assert called_seen(gate, np.array([-0.1, 0.0])).tolist() == [False, True]


def test_the_more_is_to_be_kept_the_lower_is_the_threshold():
    values = np.random.default_rng(0).normal(size=50)
    parts = (0.5, 0.7, 0.9, 0.97)
    found = [conformal_gate(values, p).threshold for p in parts]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(parts)


@pytest.mark.parametrize("kept", [0.0, 1.0, -0.1, "most"])
def test_a_part_that_cannot_be_kept_is_refused(kept):
    with pytest.raises(ValueError, match="kept_seen"):
        replace(CONFIG, kept_seen=kept)
