"""Nodes of the alignment stage."""

import logging

import pandas as pd
import torch

from msf_kedro import runtime
from msf_kedro.cycles import choose_cycles
from msf_kedro.methods import msf
from msf_kedro.methods.msf import AlignmentConfig, UnseenClassifierConfig
from msf_kedro.splits import PHASES, seen_classes, unseen_classes
from msf_kedro.tables import to_matrix, to_table

logger = logging.getLogger(__name__)


def fit_alignment(
    features: pd.DataFrame,
    roles: pd.DataFrame,
    fused_texts: pd.DataFrame,
    alignment: AlignmentConfig,
    seeds: list,
    device: str,
) -> tuple[dict, pd.DataFrame]:
    """The VAE pair after every cycle and for every seed, and the history."""
    chosen = ((roles.side == "seen") & (roles.part == "train")).to_numpy()
    seen = seen_classes(roles)  # texts of unseen classes do not take part
    labels = torch.searchsorted(
        torch.tensor(seen), torch.tensor(roles.action[chosen].to_numpy(dtype="int64"))
    )
    checkpoints, history = msf.fit_alignment(
        f"alignment on {len(seen)} classes, {len(seeds)} seeds",
        torch.from_numpy(to_matrix(features, ["name"])[chosen]),
        labels,
        _texts(fused_texts, seen),
        seeds,
        alignment,
        runtime.pick_device(device),
    )
    return checkpoints, pd.DataFrame(history)


def generate_latents(
    vaes: dict,
    roles: pd.DataFrame,
    fused_texts: pd.DataFrame,
    alignment: AlignmentConfig,
    unseen_classifier: UnseenClassifierConfig,
    seeds: list,
) -> dict:
    """Latents of every unseen class, as `latents` (cycle, seed, class, sample, Z)."""
    classes = unseen_classes(roles)
    latents = msf.generate_latents(
        vaes,
        _texts(fused_texts, classes),
        seeds,
        alignment,
        unseen_classifier.latents_per_class,
    )
    return {"latents": latents, "classes": classes}


def fit_unseen_classifier(
    latents: dict, unseen_classifier: UnseenClassifierConfig, seeds: list, device: str
) -> tuple[dict, pd.DataFrame]:
    """A softmax classifier for every cycle and seed, and the history."""
    state, history = msf.fit_unseen_classifier(
        f"unseen classifier on {len(latents['classes'])} classes",
        latents["latents"],
        seeds,
        unseen_classifier,
        runtime.pick_device(device),
    )
    return state, pd.DataFrame(history)


def score_unseen(
    vaes: dict,
    classifier: dict,
    features: pd.DataFrame,
    roles: pd.DataFrame,
    unseen_classifier: UnseenClassifierConfig,
    seeds: list,
) -> pd.DataFrame:
    """Probabilities over unseen classes of every clip that the alignment was not trained on.

    A row per cycle, seed and clip.
    """
    trained = (roles.side == "seen") & (roles.part == "train")
    chosen = (~trained & (roles.side != "excluded")).to_numpy()
    probs = msf.unseen_probs(
        vaes,
        classifier,
        torch.from_numpy(to_matrix(features, ["name"])[chosen]),
        unseen_classifier.relu_logits,
    )
    cycles = range(1, len(probs) + 1)
    keys = pd.MultiIndex.from_product(
        [cycles, seeds, roles.name[chosen]], names=["cycle", "seed", "name"]
    ).to_frame(index=False)
    columns = [f"class_{c}" for c in unseen_classes(roles)]
    return to_table(keys, probs.flatten(0, 2).numpy(), columns)


def select_cycles(
    calibration_unseen_probs: pd.DataFrame,
    test_unseen_probs: pd.DataFrame,
    calibration_roles: pd.DataFrame,
    test_roles: pd.DataFrame,
) -> pd.DataFrame:
    """The cycle that each protocol uses, per phase and seed."""
    tables = (calibration_unseen_probs, test_unseen_probs)
    roles = (calibration_roles, test_roles)
    cycles = choose_cycles(dict(zip(PHASES, zip(tables, roles, strict=True), strict=True)))
    if "strict" not in set(cycles.protocol):
        logger.warning(
            "there is no strict protocol: it needs clips of calibration-unseen classes by training"
            " subjects, and there are none (released features hold only test subjects' ones)"
        )
    return cycles


def _texts(fused_texts: pd.DataFrame, classes: list[int]) -> torch.Tensor:
    """The fused texts of some classes, in their order, however the table is sorted."""
    rows = fused_texts.class_id.reset_index(drop=True)
    places = pd.Series(rows.index, index=rows).loc[classes].to_numpy()
    return torch.from_numpy(to_matrix(fused_texts, ["class_id"]))[torch.tensor(places)]
