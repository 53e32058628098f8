"""Nodes of the splits stage."""

import pandas as pd

from msf_kedro.clips.prepare import kept_clips
from msf_kedro.texts.class_texts import check_class_texts
from msf_kedro.zero_shot.splits import (
    PHASES,
    PartsConfig,
    assign_roles,
    check_texts,
    get_split,
    parse_classes,
)


def split_clips(
    clips: pd.DataFrame,
    class_texts: pd.DataFrame,
    classes: str,
    splits: dict,
    parts: PartsConfig,
    split: str,
) -> tuple[pd.DataFrame, ...]:
    """The roles of all kept clips, a table for the calibration and one for the test phase."""
    check_class_texts(class_texts)
    numbers = parse_classes(classes)
    check_texts(numbers, class_texts.class_id.tolist())
    chosen = get_split(splits, split)
    kept = kept_clips(clips)
    return tuple(assign_roles(kept, numbers, chosen, parts, phase) for phase in PHASES)
