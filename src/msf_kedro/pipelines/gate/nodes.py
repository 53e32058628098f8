"""Nodes of the gate stage."""

import pandas as pd
import torch

from msf_kedro.clips.clip import ClipsConfig
from msf_kedro.evidence import Witness
from msf_kedro.joins import check_same_clips, rows_of
from msf_kedro.pipelines.training_task import training_task
from msf_kedro.texts.fusion import Texts, parse_texts
from msf_kedro.zero_shot import decision
from msf_kedro.zero_shot.gate import GateConfig
from msf_kedro.zero_shot.splits import gated_clips, unseen_classes


def gather_evidence(
    features: pd.DataFrame,
    roles: pd.DataFrame,
    text_features: pd.DataFrame,
    clips: ClipsConfig,
    texts: str,
    encoder: str,
) -> tuple[dict, pd.DataFrame]:
    """What measures evidence of a clip's being of a seen class, and its scores of other clips.

    It is fitted to training clips of seen classes, and looks at no method.
    """
    check_same_clips(features.index, pd.Index(roles.name), "features", "roles")
    witness = Witness.fit(training_task(features, roles, text_features, texts, encoder, clips))
    names = gated_clips(roles)
    scores = witness.measure(
        torch.tensor(rows_of(features, names, "features").to_numpy()),
        Texts.of_table(text_features, parse_texts(texts), unseen_classes(roles), encoder),
    )
    return witness.state(), pd.DataFrame(scores, names, witness.scores)


def fit_gates(
    calibration_seen_logits: pd.DataFrame,
    calibration_unseen_probs: pd.DataFrame,
    calibration_roles: pd.DataFrame,
    test_roles: pd.DataFrame,
    candidates: pd.DataFrame,
    calibration_evidence: pd.DataFrame,
    gate: GateConfig,
) -> pd.DataFrame:
    """Every kind of gate for every protocol and seed, fitted on the calibration phase."""
    roles = {"calibration": calibration_roles, "test": test_roles}
    logits, probs = calibration_seen_logits, calibration_unseen_probs
    return decision.fit_gates(logits, probs, roles, candidates, gate, calibration_evidence)


def apply_gates(
    gates: pd.DataFrame,
    test_seen_logits: pd.DataFrame,
    test_unseen_probs: pd.DataFrame,
    test_roles: pd.DataFrame,
    candidates: pd.DataFrame,
    test_evidence: pd.DataFrame,
) -> pd.DataFrame:
    """What each protocol, gate and seed makes of every test clip, a row each."""
    tables = test_seen_logits, test_unseen_probs, test_roles, candidates
    return decision.apply_gates(gates, *tables, test_evidence)
