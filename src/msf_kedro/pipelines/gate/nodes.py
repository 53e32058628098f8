"""Nodes of the gate stage."""

import numpy as np
import pandas as pd

from msf_kedro.runtime import derive_seed
from msf_kedro.zero_shot.gate import KINDS, Evidence, Gate, GateConfig, fit_gate, score
from msf_kedro.zero_shot.protocols import PROTOCOLS, best_class, class_columns
from msf_kedro.zero_shot.splits import GZSSAR_TEST, seen_classes

# Calibration clips that gates are fitted on. The Shift-GCN was trained on none of them. The paper
# protocol takes its unseen clips from test subjects, as the release does: they come back in the
# test phase as seen ones.
GATE_CLIPS = {
    "strict": {"seen": ("held_out",), "unseen": ("train", "held_out")},
    "paper": {"seen": ("held_out",), "unseen": ("test",)},
}
TEST_CLIPS = {"seen": GZSSAR_TEST, "unseen": GZSSAR_TEST}


def fit_gates(
    calibration_seen_logits: pd.DataFrame,
    calibration_unseen_probs: pd.DataFrame,
    calibration_roles: pd.DataFrame,
    test_roles: pd.DataFrame,
    cycles: pd.DataFrame,
    gate: GateConfig,
) -> pd.DataFrame:
    """Every kind of gate for every protocol and seed, fitted on the protocol's `GATE_CLIPS`."""
    width = min(
        roles.loc[roles.side == side, "action"].nunique()
        for roles in (calibration_roles, test_roles)
        for side in ("seen", "unseen")
    )
    rows = []
    for protocol, seed, probs in _chosen(calibration_unseen_probs, cycles, "calibration"):
        clips = _join(probs, calibration_seen_logits, calibration_roles, GATE_CLIPS[protocol])
        evidence = _evidence(*clips, seen_classes(calibration_roles), gate)
        for kind in KINDS:
            fitted = fit_gate(kind, evidence, gate, protocol, width, derive_seed(seed, "gate"))
            rows.append({"protocol": protocol, "seed": seed} | vars(fitted))
    return pd.DataFrame(rows)


def apply_gates(
    test_seen_logits: pd.DataFrame,
    test_unseen_probs: pd.DataFrame,
    test_roles: pd.DataFrame,
    cycles: pd.DataFrame,
    gates: pd.DataFrame,
    gate: GateConfig,
) -> pd.DataFrame:
    """What each protocol, gate and seed makes of every test clip, a row each.

    `score` is the gate's P(seen), `called_seen` its decision; `predicted` is the class of the
    classifier that the gate chose among `seen_prediction` and `unseen_prediction`.
    """
    tables, classes = [], seen_classes(test_roles)
    for protocol, seed, probs in _chosen(test_unseen_probs, cycles, "test"):
        clips, logits, unseen = _join(probs, test_seen_logits, test_roles, TEST_CLIPS)
        seen_prediction, unseen_prediction = best_class(_only(logits, classes)), best_class(unseen)
        logits = _soft_max_outputs(logits, classes, gate)
        mine = gates[(gates.protocol == protocol) & (gates.seed == seed)]
        for row in mine.drop(columns=["protocol", "seed"]).to_dict("records"):
            fitted = Gate(**row)
            scores = score(fitted, _values(logits), _values(unseen))
            called_seen = scores >= fitted.threshold
            tables.append(
                clips.assign(
                    protocol=protocol,
                    gate=fitted.kind,
                    seed=seed,
                    score=scores,
                    called_seen=called_seen,
                    seen_prediction=seen_prediction,
                    unseen_prediction=unseen_prediction,
                    predicted=np.where(called_seen, seen_prediction, unseen_prediction),
                )
            )
    return pd.concat(tables, ignore_index=True)


def _chosen(probs: pd.DataFrame, cycles: pd.DataFrame, phase: str):
    """Protocol, seed and that seed's probabilities in the cycle that the protocol chose."""
    by_run = dict(list(probs.groupby(["seed", "cycle"])))
    for protocol in PROTOCOLS:
        rows = cycles[(cycles.protocol == protocol) & (cycles.phase == phase)]
        for row in rows.itertuples():
            yield protocol, row.seed, by_run[row.seed, row.cycle]


def _join(probs, seen_logits, roles, parts):
    """Clips of some parts per side, with their seen logits and unseen probabilities."""
    chosen = [(roles.side == side) & roles.part.isin(names) for side, names in parts.items()]
    clips = roles[np.logical_or.reduce(chosen)].reset_index(drop=True)
    order = clips.name
    logits = seen_logits.set_index("name").loc[order].reset_index()
    unseen = probs.set_index("name").loc[order].reset_index()
    return clips, logits, unseen


def _evidence(
    clips: pd.DataFrame,
    logits: pd.DataFrame,
    unseen: pd.DataFrame,
    classes: list[int],
    gate: GateConfig,
) -> Evidence:
    return Evidence(
        seen_logits=_values(_soft_max_outputs(logits, classes, gate)),
        unseen_probs=_values(unseen),
        is_seen=clips.side.eq("seen").to_numpy(dtype=bool),
        seen_right=best_class(_only(logits, classes)).eq(clips.action).to_numpy(dtype=bool),
        unseen_right=best_class(unseen).eq(clips.action).to_numpy(dtype=bool),
    )


def _soft_max_outputs(logits: pd.DataFrame, classes: list[int], gate: GateConfig) -> pd.DataFrame:
    return logits if gate.outputs == "all" else _only(logits, classes)


def _only(logits: pd.DataFrame, classes: list[int]) -> pd.DataFrame:
    """The outputs of the seen classes; a released classifier has some of unseen ones too."""
    return logits[[f"class_{c}" for c in classes]]


def _values(table: pd.DataFrame) -> np.ndarray:
    return table[class_columns(table)].to_numpy(dtype=np.float64)
