"""Nodes that read released artifacts."""

import logging

import pandas as pd

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
