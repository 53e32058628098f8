"""Nodes of the skeletons stage."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from msf_kedro.skeleton.layouts import get_layout
from msf_kedro.skeleton.normalise import NormaliseConfig
from msf_kedro.skeleton.prepare import ClipsConfig, prepare
from msf_kedro.splits import parse_classes


def prepare_clips(
    raw_clips: dict[str, Callable[[], Any]],
    classes: str,
    clips: ClipsConfig,
    normalise: NormaliseConfig,
) -> tuple[pd.DataFrame, dict]:
    """The clip table and the normalised bodies of the kept clips."""
    layout = get_layout(clips.layout)
    table, skeletons = prepare(raw_clips, parse_classes(classes), clips, layout, normalise)
    return table, {"bodies": skeletons.bodies, "first": skeletons.first}
