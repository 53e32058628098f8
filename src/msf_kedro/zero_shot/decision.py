"""From what both classifiers say of clips to predictions: stage 4 as a whole.

decide(gate, seen_logits, probs, seen, scores)    # from what both classifiers say of clips
predict(features, seen_logits, classifier, candidate, seed, temperature, gate, seen)    # of any
"""

import numpy as np
import pandas as pd
import torch

from msf_kedro.joins import check_same_clips, rows_of
from msf_kedro.progress import progress
from msf_kedro.runtime import derive_seed
from msf_kedro.zero_shot.classifier import UnseenClassifier
from msf_kedro.zero_shot.gate import KINDS, ON_EVIDENCE, Evidence, Gate, GateConfig, fit_gate, score
from msf_kedro.zero_shot.protocols import GATE_CLIPS, best_class, chosen_probs
from msf_kedro.zero_shot.splits import GZSSAR_TEST, seen_classes, unseen_classes

TEST_CLIPS = {"seen": GZSSAR_TEST, "unseen": GZSSAR_TEST}
RUN = ["protocol", "seed"]


def fit_gates(
    seen_logits: pd.DataFrame,
    probs: pd.DataFrame,
    roles: dict[str, pd.DataFrame],
    candidates: pd.DataFrame,
    config: GateConfig,
    scores: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Every kind of gate for every protocol and seed, fitted on the protocol's `GATE_CLIPS`.

    Args:
        seen_logits: of the calibration phase, indexed by clip name, a column per class.
        probs: of its unseen classes, indexed by candidate, seed and clip name.
        roles: of both phases, by phase.
        scores: evidence of the calibration phase's clips, indexed by name; without it there are no
            gates that need it.

    Returns:
        `protocol`, `seed`, and the fields of `Gate`.
    """
    sides = (seen_classes, unseen_classes)
    width = min(len(classes(table)) for table in roles.values() for classes in sides)
    seen = seen_classes(roles["calibration"])
    kinds = [kind for kind in KINDS if scores is not None or kind not in ON_EVIDENCE]
    rows, chosen = [], list(chosen_probs(probs, candidates, "calibration"))
    with progress("gates", len(chosen) * len(kinds), "gate") as shown:
        for protocol, seed, mine in chosen:
            clips = _clips(roles["calibration"], GATE_CLIPS[protocol])
            evidence = _evidence(clips, seen_logits, mine, scores, seen, config.outputs)
            for kind in kinds:
                gate = fit_gate(kind, evidence, config, protocol, width, derive_seed(seed, "gate"))
                rows.append({"protocol": protocol, "seed": seed} | vars(gate))
                shown.advance()
    return pd.DataFrame(rows)


def apply_gates(
    gates: pd.DataFrame,
    seen_logits: pd.DataFrame,
    probs: pd.DataFrame,
    roles: pd.DataFrame,
    candidates: pd.DataFrame,
    scores: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What each protocol, gate and seed makes of every test clip, a row each.

    Returns:
        `name`, `class_id`, `side`, `part`, `protocol`, `gate`, `seed`, and what `decide` gives.
    """
    clips, seen = _clips(roles, TEST_CLIPS), seen_classes(roles)
    seen_logits = rows_of(seen_logits, clips.name, "seen logits")
    tables = []
    for protocol, seed, mine in chosen_probs(probs, candidates, "test"):
        fitted = gates[(gates.protocol == protocol) & (gates.seed == seed)]
        for fields in fitted.drop(columns=RUN).to_dict("records"):
            decision = decide(Gate(**fields), seen_logits, mine, seen, scores)
            run = {"protocol": protocol, "gate": fields["kind"], "seed": seed}
            tables.append(clips.assign(**run).join(decision, on="name"))
    return pd.concat(tables, ignore_index=True)


def predict(
    features: pd.DataFrame,
    seen_logits: pd.DataFrame,
    classifier: UnseenClassifier,
    candidate: int,
    seed: int,
    temperature: float,
    gate: Gate,
    seen: list[int],
    scores: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Features of any clips → predictions, by one model.

    Args:
        features: indexed by clip name.
        seen_logits: of the same clips, a column per class.
        classifier: of the unseen classes.
        candidate: the model's number among the candidates, from 1.
        seed: its root seed.
        temperature: of its soft-max.
        seen: the seen classes.
        scores: as of `decide`.

    Returns:
        See `decide`.

    Raises:
        ValueError: features and seen logits are not of the same clips, or features are not of the
            network that the method was fitted to.
    """
    check_same_clips(features.index, seen_logits.index, "features", "seen logits")
    values = classifier.probs(torch.tensor(features.to_numpy()), candidate, seed, temperature)
    probs = pd.DataFrame(values.numpy(), index=features.index, columns=classifier.class_ids)
    return decide(gate, rows_of(seen_logits, features.index, "seen logits"), probs, seen, scores)


def decide(
    gate: Gate,
    seen_logits: pd.DataFrame,
    probs: pd.DataFrame,
    seen: list[int],
    scores: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The gate's hard decision between the two classifiers (paper, section 3.4).

    Args:
        seen_logits: of the seen classifier, indexed by clip name, a column per class; those of
            other classes than the seen ones, which a released classifier has, win no clip.
        probs: over the unseen classes, indexed by clip name, of these clips among others.
        seen: the seen classes.
        scores: evidence of these clips among others, for a gate that needs it.

    Returns:
        Indexed by clip name: `score`, how sure the gate is that the clip is of a seen class,
        `called_seen`, its decision; `seen_prediction` and `unseen_prediction`, each classifier's
        best class, and `predicted`, that of the classifier which the gate chose.
    """
    probs = rows_of(probs, seen_logits.index, "unseen probabilities")
    clips = seen_logits.index
    sure = score(gate, *_outputs(seen_logits, probs, seen, gate.outputs), _scores_of(scores, clips))
    called_seen = sure >= gate.threshold
    best_seen, best_unseen = best_class(seen_logits[seen]), best_class(probs)
    return pd.DataFrame(
        {
            "score": sure,
            "called_seen": called_seen,
            "seen_prediction": best_seen,
            "unseen_prediction": best_unseen,
            "predicted": np.where(called_seen, best_seen, best_unseen),
        },
        index=seen_logits.index,
    )


def _evidence(
    clips: pd.DataFrame,
    seen_logits: pd.DataFrame,
    probs: pd.DataFrame,
    scores: pd.DataFrame | None,
    seen: list[int],
    outputs: str,
) -> Evidence:
    seen_logits = rows_of(seen_logits, clips.name, "seen logits")
    probs = rows_of(probs, clips.name, "unseen probabilities")
    logits, values = _outputs(seen_logits, probs, seen, outputs)
    target = clips.class_id.to_numpy()
    return Evidence(
        seen_logits=logits,
        unseen_probs=values,
        is_seen=clips.side.eq("seen").to_numpy(dtype=bool),
        seen_right=best_class(seen_logits[seen]) == target,
        unseen_right=best_class(probs) == target,
        scores=_scores_of(scores, pd.Index(clips.name)),
    )


def _scores_of(scores: pd.DataFrame | None, names: pd.Index) -> np.ndarray | None:
    if scores is None:
        return None
    return rows_of(scores, names, "evidence").to_numpy(dtype=np.float64)


def _outputs(
    seen_logits: pd.DataFrame, probs: pd.DataFrame, seen: list[int], outputs: str
) -> tuple[np.ndarray, np.ndarray]:
    """What the gate looks at, in double precision."""
    logits = seen_logits if outputs == "all" else seen_logits[seen]
    return logits.to_numpy(dtype=np.float64), probs.to_numpy(dtype=np.float64)


def _clips(roles: pd.DataFrame, parts: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    """Clips of some parts per side, by name: a gate's folds must not depend on their order."""
    chosen = [(roles.side == side) & roles.part.isin(names) for side, names in parts.items()]
    return roles[np.logical_or.reduce(chosen)].sort_values("name", ignore_index=True)
