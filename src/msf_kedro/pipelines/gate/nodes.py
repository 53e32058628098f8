"""Nodes of the gate stage."""

import pandas as pd

from msf_kedro.zero_shot import decision
from msf_kedro.zero_shot.gate import GateConfig


def fit_gates(
    calibration_seen_logits: pd.DataFrame,
    calibration_unseen_probs: pd.DataFrame,
    calibration_roles: pd.DataFrame,
    test_roles: pd.DataFrame,
    candidates: pd.DataFrame,
    gate: GateConfig,
) -> pd.DataFrame:
    """Every kind of gate for every protocol and seed, fitted on the calibration phase."""
    roles = {"calibration": calibration_roles, "test": test_roles}
    logits, probs = calibration_seen_logits, calibration_unseen_probs
    return decision.fit_gates(logits, probs, roles, candidates, gate)


def apply_gates(
    gates: pd.DataFrame,
    test_seen_logits: pd.DataFrame,
    test_unseen_probs: pd.DataFrame,
    test_roles: pd.DataFrame,
    candidates: pd.DataFrame,
) -> pd.DataFrame:
    """What each protocol, gate and seed makes of every test clip, a row each."""
    return decision.apply_gates(gates, test_seen_logits, test_unseen_probs, test_roles, candidates)
