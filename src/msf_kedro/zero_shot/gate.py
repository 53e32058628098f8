"""Stage 4: the gate, which decides whether a clip is of a seen or of an unseen class.

Four kinds, all fitted on the calibration phase:
`logistic` is the paper's logistic regression on sorted probabilities of both classifiers;
`threshold` compares the seen classifier's largest probability with one number;
`evidence` is a logistic regression on scores that hold for other classes too (`evidence/`);
`conformal` keeps a chosen part of seen clips, by two of these scores and clips that were held out.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import Field, PositiveFloat
from scipy.special import expit, softmax

from msf_kedro.configuration import configuration
from msf_kedro.zero_shot.metrics import harmonic_mean

KINDS = ("threshold", "logistic", "evidence", "conformal")
ON_EVIDENCE = ("evidence", "conformal")
EVEN = 0.5  # where the evidence gate calls a clip seen: both sides weigh the same in its fit


@configuration
class GateConfig:
    """How gates are chosen.

    Attributes:
        kind: the gate whose figures are the study's GZSSAR figures; all are always reported.
        temperatures: soft-max temperatures that the strict protocol chooses from.
        thresholds: thresholds on the logistic gate's P(seen) that it chooses from.
        folds: cross-validation folds of that choice.
        paper_temperature: the paper protocol's temperature.
        paper_threshold: the paper protocol's threshold on the logistic gate's P(seen).
        paper_fit_part: the part of the clips, drawn at random, that the paper protocol's logistic
            gate is fitted on.
        outputs: what the seen classifier's soft-max runs over: `seen` classes, or `all` outputs,
            where it has some for classes that it was never trained on, as the release's has.
        evidence_strength: inverse of the evidence gate's regularisation. Few calibration clips,
            of few classes, must not decide alone which score counts.
        kept_seen: the part of seen clips that the conformal gate calls seen, at least.
    """

    kind: Literal["threshold", "logistic", "evidence", "conformal"]
    temperatures: Annotated[list[PositiveFloat], Field(min_length=1)]
    thresholds: Annotated[list[float], Field(min_length=1)]
    folds: Annotated[int, Field(ge=2)]
    paper_temperature: PositiveFloat
    paper_threshold: float
    paper_fit_part: Annotated[float, Field(gt=0, le=1)]
    outputs: Literal["seen", "all"]
    evidence_strength: PositiveFloat
    kept_seen: Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True)
class Evidence:
    """What both classifiers say of some clips, and where the answers are known, if they agree.

    Attributes:
        seen_logits: the seen classifier's logits, of the outputs that its soft-max runs over.
        unseen_probs: the unseen classifier's probabilities.
        is_seen: whether the clip is of a seen class.
        seen_right: whether the seen classifier's best class is the clip's.
        unseen_right: whether the unseen classifier's best class is the clip's.
        scores: what else speaks for a clip's being of a seen class; gates `ON_EVIDENCE` need it.
    """

    seen_logits: Float[np.ndarray, "n S"]
    unseen_probs: Float[np.ndarray, "n U"]
    is_seen: Bool[np.ndarray, " n"]
    seen_right: Bool[np.ndarray, " n"]
    unseen_right: Bool[np.ndarray, " n"]
    scores: Float[np.ndarray, "n F"] | None = None


@dataclass(frozen=True)
class Gate:
    """A fitted gate; a clip is called seen where its score is at least the threshold.

    Attributes:
        width: how many sorted probabilities of each classifier the logistic gate looks at.
        weights: a logistic regression's coefficients, then its intercept, those of a sum of scores
            for `conformal`; empty for `threshold`.
        outputs: which of the seen classifier's outputs its soft-max runs over, see `GateConfig`.
    """

    kind: str
    temperature: float
    threshold: float
    width: int
    weights: Float[np.ndarray, " W"]
    outputs: str


def score(
    gate: Gate,
    seen_logits: Float[np.ndarray, "n S"],
    unseen_probs: Float[np.ndarray, "n U"],
    scores: Float[np.ndarray, "n F"] | None = None,
) -> Float[np.ndarray, " n"]:
    """How sure the gate is that a clip is of a seen class, from 0 to 1.

    Args:
        scores: those that an `evidence` or `conformal` gate was fitted on; others do not look at
            them.

    Raises:
        ValueError: there are other scores than it was fitted on, or none.
    """
    if gate.kind == "threshold":
        return softmax(seen_logits / gate.temperature, axis=1).max(axis=1)
    if gate.kind in ON_EVIDENCE:
        found, expected = 0 if scores is None else scores.shape[1], len(gate.weights) - 1
        if found != expected:
            raise ValueError(
                f"the {gate.kind} gate was fitted on {expected} scores of a clip, but there are"
                f" {found}: they are of different runs; rerun the stage `gate`"
            )
        return expit(scores @ gate.weights[:-1] + gate.weights[-1])
    inputs = gate_features(seen_logits, unseen_probs, gate.temperature, gate.width)
    return expit(inputs @ gate.weights[:-1] + gate.weights[-1])


def gate_features(
    seen_logits: Float[np.ndarray, "n S"],
    unseen_probs: Float[np.ndarray, "n U"],
    temperature: float,
    width: int,
) -> Float[np.ndarray, "n F"]:
    """The `width` largest unseen and seen probabilities, each in descending order."""
    parts = (unseen_probs, softmax(seen_logits / temperature, axis=1))
    return np.concatenate([-np.sort(-part, axis=1)[:, :width] for part in parts], axis=1)


def fit_gate(
    kind: str, evidence: Evidence, config: GateConfig, protocol: str, width: int, seed: int
) -> Gate:
    """A gate fitted on calibration clips.

    The strict protocol chooses temperature and threshold for the largest harmonic mean on these
    clips: the logistic gate's by cross-validation, the threshold gate's directly. The paper
    protocol fixes both for the logistic gate.
    """
    if kind == "evidence":
        return _evidence_gate(evidence, config, width)
    if kind == "conformal":
        return _conformal_gate(evidence, config, width)
    if kind == "threshold":
        temperatures = config.temperatures if protocol == "strict" else [config.paper_temperature]
        return max(
            (_threshold_gate(evidence, t, width, config.outputs) for t in temperatures),
            key=lambda found: found[0],
        )[1]
    if protocol == "strict":
        temperature, threshold = _choose_logistic(evidence, config, width, seed)
        fitted = np.arange(len(evidence.is_seen))
    else:
        temperature, threshold = config.paper_temperature, config.paper_threshold
        fitted = _draw(evidence.is_seen, config.paper_fit_part, seed)
    inputs = gate_features(evidence.seen_logits, evidence.unseen_probs, temperature, width)
    model = _logistic().fit(inputs[fitted], evidence.is_seen[fitted])
    weights = np.append(model.coef_[0], model.intercept_[0])
    return Gate(kind, temperature, threshold, width, weights, config.outputs)


def harmonic_means(
    scores: Float[np.ndarray, " n"], thresholds: Float[np.ndarray, " t"], evidence: Evidence
) -> Float[np.ndarray, " t"]:
    """The harmonic mean of seen and unseen accuracy that each threshold gives."""
    right_seen = np.sort(scores[evidence.is_seen & evidence.seen_right])
    right_unseen = np.sort(scores[~evidence.is_seen & evidence.unseen_right])
    kept = len(right_seen) - np.searchsorted(right_seen, thresholds)  # score >= threshold
    let_go = np.searchsorted(right_unseen, thresholds)
    seen, unseen = kept / evidence.is_seen.sum(), let_go / (~evidence.is_seen).sum()
    return harmonic_mean(seen, unseen)


def _threshold_gate(
    evidence: Evidence, temperature: float, width: int, outputs: str
) -> tuple[float, Gate]:
    """The threshold half-way between two neighbouring scores with the largest harmonic mean."""
    scores = softmax(evidence.seen_logits / temperature, axis=1).max(axis=1)
    levels = np.unique(scores)
    candidates = (levels[:-1] + levels[1:]) / 2 if len(levels) > 1 else levels
    means = harmonic_means(scores, candidates, evidence)
    best = _middle_of_best(means)
    gate = Gate("threshold", temperature, float(candidates[best]), width, np.empty(0), outputs)
    return float(means[best]), gate


def _evidence_gate(evidence: Evidence, config: GateConfig, width: int) -> Gate:
    """A logistic regression on standardised scores in which both sides weigh the same.

    Its weights are for the scores as they are. The same under both protocols: it chooses nothing.
    """
    from sklearn.linear_model import LogisticRegression

    mean, spread = evidence.scores.mean(axis=0), evidence.scores.std(axis=0)
    scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 0)
    model = LogisticRegression(C=config.evidence_strength, class_weight="balanced", max_iter=1000)
    model.fit((evidence.scores - mean) * scale, evidence.is_seen)
    weights = model.coef_[0] * scale
    weights = np.append(weights, model.intercept_[0] - weights @ mean)
    return Gate("evidence", 1.0, EVEN, width, weights, config.outputs)


def _conformal_gate(evidence: Evidence, config: GateConfig, width: int) -> Gate:
    """A gate that calls at least the part `kept_seen` of seen clips seen (split conformal).

    That holds on average over clips that are distributed as the seen ones here (Vovk et al., 2005):
    another one is as likely to have any rank among them, so it is below the k-th of n with a
    probability of at most k / (n + 1). Of too few clips, everything is called seen. It looks at no
    unseen clip, and chooses nothing else.
    """
    # All scores, added up as they are: held-out clips must not have made what they are judged by.
    weights = np.append(np.ones(evidence.scores.shape[1]), 0.0)
    scores = np.sort(expit(evidence.scores[evidence.is_seen] @ weights[:-1]))
    place = int((1 - config.kept_seen) * (len(scores) + 1) + 1e-9)
    threshold = float(scores[place - 1]) if place else 0.0
    return Gate("conformal", 1.0, threshold, width, weights, config.outputs)


def _choose_logistic(
    evidence: Evidence, config: GateConfig, width: int, seed: int
) -> tuple[float, float]:
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    check_folds(config.folds, int(evidence.is_seen.sum()), int((~evidence.is_seen).sum()))
    folds = StratifiedKFold(config.folds, shuffle=True, random_state=seed % 2**32)
    thresholds = np.array(config.thresholds)
    found = []
    for temperature in config.temperatures:
        inputs = gate_features(evidence.seen_logits, evidence.unseen_probs, temperature, width)
        scores = cross_val_predict(
            _logistic(), inputs, evidence.is_seen, cv=folds, method="predict_proba"
        )[:, 1]
        means = harmonic_means(scores, thresholds, evidence)
        best = _middle_of_best(means)
        found.append((means[best], temperature, float(thresholds[best])))
    _, temperature, threshold = max(found, key=lambda row: row[0])
    return temperature, threshold


def _draw(is_seen: Bool[np.ndarray, " n"], part: float, seed: int) -> Int[np.ndarray, " f"]:
    """A part of the seen and the same part of the unseen clips, at random; what is left over of
    each is rounded down, as in the release."""
    rng = np.random.default_rng(seed)
    drawn = []
    for side in (False, True):
        clips = rng.permutation(np.flatnonzero(is_seen == side))
        drawn.append(clips[int(len(clips) * (1 - part) + 1e-9) :])
    return np.sort(np.concatenate(drawn))


def check_folds(folds: int, seen: int, unseen: int) -> None:
    """Raise a ValueError where a gate is fitted on fewer clips than cross-validation has folds."""
    if folds > max(seen, unseen):
        raise ValueError(
            f"gate.folds is {folds}, but the gate is fitted on {seen} seen and {unseen} unseen"
            " clips only; choose fewer folds, or more clips by parts.calibration_held_out"
        )


def _middle_of_best(values: Float[np.ndarray, " t"]) -> int:
    """The middle one of all places that reach the maximum."""
    best: Int[np.ndarray, " b"] = np.flatnonzero(values == values.max())
    return int(best[len(best) // 2])


def _logistic():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, solver="lbfgs", max_iter=1000)
