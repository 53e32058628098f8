"""Nodes of the alignment stage; the same for every method."""

import logging

import pandas as pd
import torch

from msf_kedro import runtime
from msf_kedro.clips.clip import ClipsConfig
from msf_kedro.joins import check_same_clips, rows_of
from msf_kedro.methods import configure, get_method, load_classifier, load_fitted
from msf_kedro.methods.contract.beside_seen import beside_seen
from msf_kedro.methods.contract.fitted import Latents
from msf_kedro.networks.training import Checkpoint
from msf_kedro.pipelines.training_task import kinematics_of, training_clips, training_task
from msf_kedro.texts.fusion import Texts
from msf_kedro.zero_shot import protocols
from msf_kedro.zero_shot.inference import TRANSDUCTIVE, check_inference
from msf_kedro.zero_shot.protocols import PROTOCOLS, choose_candidates
from msf_kedro.zero_shot.splits import scored_clips, unseen_classes
from msf_kedro.zero_shot.transduction import refine

logger = logging.getLogger(__name__)


def fit_alignment(
    features: pd.DataFrame,
    roles: pd.DataFrame,
    text_features: pd.DataFrame,
    method_config: dict,
    clips: ClipsConfig,
    seeds: list,
    device: str,
    training_state: Checkpoint,
    method: str,
    texts: str,
    encoder: str,
) -> tuple[dict, pd.DataFrame]:
    """The method, fitted to training clips and texts of seen classes for every seed.

    It goes on from the training state, if that holds one.
    """
    check_same_clips(features.index, pd.Index(roles.name), "features", "roles")
    read = get_method(method).reads(features)
    task = training_task(read, roles, text_features, texts, encoder, clips)
    config = configure(method, method_config)
    name = f"{method} {texts} on {len(task.seen.class_ids)} classes, {len(seeds)} seeds"
    device = runtime.pick_device(device)
    fitted, history = get_method(method).fit(task, seeds, config, device, name, training_state)
    return fitted.state(), pd.DataFrame(history)


def generate_latents(alignment: dict, roles: pd.DataFrame, text_features: pd.DataFrame) -> dict:
    """Latents of every unseen class, from its texts."""
    fitted = load_fitted(alignment)
    kinds, encoder = fitted.about["kinds"], fitted.about["encoder"]
    texts = Texts.of_table(text_features, kinds, unseen_classes(roles), encoder)
    return fitted.latents(texts).state()


def fit_unseen_classifier(alignment: dict, latents: dict, device: str) -> tuple[dict, pd.DataFrame]:
    """A classifier of the unseen classes for every candidate and seed, and its history."""
    fitted, device = load_fitted(alignment), runtime.pick_device(device)
    name = f"{fitted.about['method']}: classifier of {len(latents['class_ids'])} unseen classes"
    classifier, history = fitted.classifier(Latents(**latents), device, name)
    return classifier.state(), pd.DataFrame(history)


def score(
    unseen_classifier: dict, features: pd.DataFrame, roles: pd.DataFrame, phase: str
) -> pd.DataFrame:
    """How many unseen clips of each part every candidate and seed classifies right."""
    classifier = load_classifier(unseen_classifier)
    return protocols.count_right(classifier, classifier.fitted.reads(features), roles, phase)


def select_candidates(calibration_right: pd.DataFrame, test_right: pd.DataFrame) -> pd.DataFrame:
    """The candidate that each protocol uses, per phase and seed."""
    candidates = choose_candidates(calibration_right, test_right)
    for protocol in sorted(set(PROTOCOLS) - set(candidates.protocol)):
        logger.warning(
            "protocol %s is left out: the calibration phase has no clip of its unseen classes by"
            " a training subject to choose the candidate and fit the gate on (released features"
            " have test subjects' only)",
            protocol,
        )
    return candidates


def score_unseen(
    unseen_classifier: dict,
    features: pd.DataFrame,
    roles: pd.DataFrame,
    candidates: pd.DataFrame,
    inference: str,
    phase: str,
) -> pd.DataFrame:
    """Probabilities over the unseen classes by the chosen models, see `protocols.unseen_probs`.

    Args:
        inference: `transductive` refines them by all clips together.
    """
    check_inference(inference)
    classifier = load_classifier(unseen_classifier)
    read = classifier.fitted.reads(features)
    probs = protocols.unseen_probs(classifier, read, roles, candidates, phase)
    if inference == TRANSDUCTIVE:
        return refine(probs, *_beside_seen(features, roles), roles)
    return probs


def _beside_seen(features: pd.DataFrame, roles: pd.DataFrame) -> tuple[pd.DataFrame, torch.Tensor]:
    """Scored clips by name, and the seen classes, in one space."""
    names = scored_clips(roles)
    others = torch.tensor(rows_of(features, names, "features").to_numpy())
    own = training_clips(features, roles)
    places, seen = beside_seen(*own, others, kinematics_of(features))
    return pd.DataFrame(places.numpy(), names), seen
