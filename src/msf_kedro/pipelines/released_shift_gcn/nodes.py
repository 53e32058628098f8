"""Nodes of the released Shift-GCN."""

import pandas as pd

from msf_kedro import runtime
from msf_kedro.clips.clip import ClipsConfig
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.clips.prepare import kept_clips
from msf_kedro.clips.store import Skeletons
from msf_kedro.networks.extractor import check_released_input, extract_released
from msf_kedro.networks.shift_gcn import ShiftGCNConfig
from msf_kedro.released.shift_gcn import build, convert
from msf_kedro.tables import to_table


def import_shift_gcn(released_checkpoint: dict) -> dict:
    """A released check-point in the project's form; its outputs are classes from 1 on."""
    config, classes, state = convert(released_checkpoint)
    architecture = {"widths": config.widths, "strided_units": config.strided_units}
    return {
        "architecture": architecture,
        "classes": list(range(1, classes + 1)),
        "state": state,
    }


def extract_features(
    shift_gcn: dict,
    skeletons: dict,
    clip_table: pd.DataFrame,
    clips: ClipsConfig,
    normalise: NormaliseConfig,
    stream: str,
    device: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features and logits of all kept clips, the mean over both persons as in the release.

    Raises:
        ValueError: clips are not prepared as the release's, or were by other parameters.
    """
    check_released_input(clips, normalise, stream)
    frames = skeletons["bodies"].shape[-1]
    if frames != normalise.window:
        raise ValueError(
            f"skeletons have {frames} frames, normalise.window is {normalise.window}: they were"
            " prepared with other parameters; run the whole pipeline"
        )
    classes = shift_gcn["classes"]
    network = build(ShiftGCNConfig(**shift_gcn["architecture"]), len(classes), shift_gcn["state"])
    logits, features = extract_released(
        network.to(runtime.pick_device(device)),
        Skeletons(**skeletons),
        stream,
        get_layout(clips.layout),
    )
    names = kept_clips(clip_table)[["name"]]
    return (
        to_table(names, features.numpy(), [f"f{i}" for i in range(features.shape[1])]),
        to_table(names, logits.numpy(), [f"class_{c}" for c in classes]),
    )
