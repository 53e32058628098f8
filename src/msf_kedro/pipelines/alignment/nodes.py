"""Nodes of the alignment stage."""

import logging

import pandas as pd
import torch

from msf_kedro import runtime
from msf_kedro.methods import msf
from msf_kedro.methods.msf import AlignmentConfig, UnseenClassifierConfig
from msf_kedro.tables import to_matrix, to_table
from msf_kedro.zero_shot.protocols import PROTOCOLS, choose_cycles, chosen_runs, count_right
from msf_kedro.zero_shot.splits import scored_clips, seen_classes, trained_clips, unseen_classes

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
    chosen = trained_clips(roles)
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


def score_cycles(
    vaes: dict,
    classifier: dict,
    features: pd.DataFrame,
    roles: pd.DataFrame,
    unseen_classifier: UnseenClassifierConfig,
    seeds: list,
) -> pd.DataFrame:
    """How many unseen clips of each part every cycle and seed classifies right."""
    chosen = (roles.side == "unseen").to_numpy()
    clips, classes = roles[chosen], unseen_classes(roles)
    matrix = torch.from_numpy(to_matrix(features, ["name"])[chosen])
    tables = []
    for cycle in range(len(classifier["weight"])):
        for replica, seed in enumerate(seeds):
            probs = msf.unseen_probs(
                vaes, classifier, matrix, unseen_classifier.relu_logits, cycle, replica
            )
            counts = count_right(probs.numpy(), classes, clips)
            tables.append(counts.assign(cycle=cycle + 1, seed=seed))
    return pd.concat(tables, ignore_index=True)


def select_cycles(calibration_right: pd.DataFrame, test_right: pd.DataFrame) -> pd.DataFrame:
    """The cycle that each protocol uses, per phase and seed."""
    cycles = choose_cycles({"calibration": calibration_right, "test": test_right})
    for protocol in sorted(set(PROTOCOLS) - set(cycles.protocol)):
        logger.warning(
            "protocol %s is left out: the calibration phase has no clip of its unseen classes by"
            " a training subject to choose the cycle and fit the gate on (released features have"
            " test subjects' only)",
            protocol,
        )
    return cycles


def score_unseen(
    vaes: dict,
    classifier: dict,
    features: pd.DataFrame,
    roles: pd.DataFrame,
    cycles: pd.DataFrame,
    unseen_classifier: UnseenClassifierConfig,
    seeds: list,
    *,
    phase: str,
) -> pd.DataFrame:
    """Probabilities over unseen classes of every clip that the alignment was not trained on.

    A row per chosen cycle, seed and clip.
    """
    chosen = scored_clips(roles)
    names = roles[["name"]][chosen]
    matrix = torch.from_numpy(to_matrix(features, ["name"])[chosen])
    columns = [f"class_{c}" for c in unseen_classes(roles)]
    tables = []
    for run in chosen_runs(cycles, phase).itertuples():
        probs = msf.unseen_probs(
            vaes,
            classifier,
            matrix,
            unseen_classifier.relu_logits,
            run.cycle - 1,
            seeds.index(run.seed),
        )
        keys = names.assign(cycle=run.cycle, seed=run.seed)[["cycle", "seed", "name"]]
        tables.append(to_table(keys, probs.numpy(), columns))
    return pd.concat(tables, ignore_index=True)


def _texts(fused_texts: pd.DataFrame, classes: list[int]) -> torch.Tensor:
    """The fused texts of some classes, in their order, however the table is sorted."""
    rows = fused_texts.class_id.reset_index(drop=True)
    places = pd.Series(rows.index, index=rows).loc[classes].to_numpy()
    return torch.from_numpy(to_matrix(fused_texts, ["class_id"]))[torch.tensor(places)]
