"""Figures of zero-shot recognition: accuracies, harmonic mean, trade-off curve and its area."""

import numpy as np
from jaxtyping import Bool, Float, Int


def accuracy(target: Int[np.ndarray, " n"], predicted: Int[np.ndarray, " n"]) -> float:
    """The part of samples that are right; NaN if there is none."""
    return float((target == predicted).mean()) if len(target) else float("nan")


def accuracy_per_class(target: Int[np.ndarray, " n"], predicted: Int[np.ndarray, " n"]) -> float:
    """The mean over classes of the part of their samples that are right (macro accuracy)."""
    classes = np.unique(target)
    rights = [accuracy(target[target == c], predicted[target == c]) for c in classes]
    return float(np.mean(rights)) if rights else float("nan")


def harmonic_mean(seen, unseen):
    """2·s·u / (s + u), element by element; 0 where both are 0."""
    seen, unseen = np.asarray(seen, dtype=float), np.asarray(unseen, dtype=float)
    total = seen + unseen
    return 2 * seen * unseen / np.where(total > 0, total, 1)


def tradeoff_curve(
    scores: Float[np.ndarray, " n"],
    is_seen: Bool[np.ndarray, " n"],
    seen_right: Bool[np.ndarray, " n"],
    unseen_right: Bool[np.ndarray, " n"],
) -> tuple[Float[np.ndarray, " t"], Float[np.ndarray, " t"], Float[np.ndarray, " t"]]:
    """Accuracy on seen against unseen clips over all thresholds of a gate.

    Returns:
        Thresholds, descending from +inf (nothing is called seen) to the smallest score
        (everything is), and the accuracies on seen and on unseen clips at each.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(ranked[1:] != ranked[:-1], True)  # ties are decided together
    gained = np.cumsum((is_seen & seen_right)[order])[last]
    lost = np.cumsum((~is_seen & unseen_right)[order])[last]
    thresholds = np.append(np.inf, ranked[last])
    acc_seen = np.append(0, gained) / max(1, is_seen.sum())
    acc_unseen = ((~is_seen & unseen_right).sum() - np.append(0, lost)) / max(1, (~is_seen).sum())
    return thresholds, acc_seen, acc_unseen


def ausuc(acc_seen: Float[np.ndarray, " t"], acc_unseen: Float[np.ndarray, " t"]) -> float:
    """Area under the seen-unseen curve, by trapezoids over ascending accuracy on seen clips."""
    return float(np.trapezoid(acc_unseen, acc_seen))


def summarise(values: list[float]) -> dict[str, float | list[float]]:
    """Mean, sample standard deviation (0 for a single value) and the values themselves."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return {"mean": float(np.mean(values)), "std": spread, "values": [float(v) for v in values]}
