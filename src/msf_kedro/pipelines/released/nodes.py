"""Nodes that read what others have released."""

import logging

import pandas as pd

from msf_kedro import runtime
from msf_kedro.clips.clip import ClipsConfig
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.clips.store import Skeletons
from msf_kedro.networks.extractor import extract_tables
from msf_kedro.released.checkpoint import convert
from msf_kedro.released.clips import LAYOUT, check_input
from msf_kedro.released.features import read_archive
from msf_kedro.zero_shot.splits import PHASES, get_split, parse_classes

logger = logging.getLogger(__name__)


def read_released_features(
    released_features: dict, classes: str, splits: dict, split: str
) -> tuple[pd.DataFrame, ...]:
    """Roles, features and seen logits, each of the calibration and of the test phase."""
    archive = read_archive(released_features, get_split(splits, split), parse_classes(classes))
    logger.info("released features\n%s", archive.found.to_string(index=False))
    for warning in archive.warnings:
        logger.warning(warning)
    tables = (archive.roles, archive.features, archive.seen_logits)
    return tuple(table[phase] for table in tables for phase in PHASES)


def import_shift_gcn(released_checkpoint: dict, checkpoint_stream: str) -> dict:
    """A released checkpoint in the project's form; its outputs are classes from 1 on."""
    architecture, classes, state = convert(released_checkpoint)
    return {
        "architecture": architecture,
        "class_ids": list(range(1, classes + 1)),
        "layout": LAYOUT,
        "stream": checkpoint_stream,
        "state": state,
    }


def extract_features(
    shift_gcn: dict,
    skeletons: dict,
    clips: ClipsConfig,
    normalise: NormaliseConfig,
    checkpoint_stream: str,
    device: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features and logits of all kept clips; a clip's is the mean over both persons.

    Raises:
        ValueError: the clips are not prepared as the release's, or not with these parameters.
    """
    check_input(clips, normalise, checkpoint_stream)
    frames = skeletons["bodies"].shape[-1]
    if frames != normalise.window:
        raise ValueError(
            f"skeletons have {frames} frames, normalise.window is {normalise.window}: they were"
            " prepared with other parameters; run the whole pipeline"
        )
    names = pd.Index(skeletons["names"], name="name")
    skeletons = Skeletons(**skeletons)
    layout = get_layout(LAYOUT)
    return extract_tables(
        shift_gcn, layout, skeletons, names, runtime.pick_device(device), padded=True
    )
