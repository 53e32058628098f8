"""Nodes of the gate stage."""

from functools import partial

import numpy as np
import pandas as pd
import torch

from msf_kedro.clips.clip import ClipsConfig
from msf_kedro.evidence import Witness
from msf_kedro.joins import check_same_clips, rows_of
from msf_kedro.methods.contract.fitted import KINEMATICS
from msf_kedro.methods.contract.task import Task
from msf_kedro.texts.fusion import Texts, parse_texts
from msf_kedro.zero_shot import decision
from msf_kedro.zero_shot.gate import GateConfig
from msf_kedro.zero_shot.splits import scored_clips, seen_classes, trained_clips, unseen_classes


def gather_evidence(
    features: pd.DataFrame,
    seen_logits: pd.DataFrame,
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
    trained, classes = roles[trained_clips(roles)].sort_values("name"), seen_classes(roles)
    of_classes = partial(Texts.of_table, text_features, parse_texts(texts), encoder=encoder)
    task = Task(
        features=torch.tensor(rows_of(features, trained.name, "features").to_numpy()),
        labels=torch.tensor(pd.Index(classes).get_indexer(trained.class_id)),
        seen=of_classes(class_ids=classes),
        layout=clips.layout,
        kinematics=int(features.columns.str.startswith(KINEMATICS).sum()),
    )
    witness = Witness.fit(task)
    names = pd.Index(roles.name[scored_clips(roles)], name="name")
    scores = witness.measure(
        torch.tensor(rows_of(features, names, "features").to_numpy()),
        rows_of(seen_logits, names, "seen logits")[classes].to_numpy(dtype=np.float64),
        of_classes(class_ids=unseen_classes(roles)),
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
