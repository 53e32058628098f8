"""Nodes of the features stage."""

import pandas as pd
import torch

from msf_kedro import runtime
from msf_kedro.clips.augment import AugmentConfig
from msf_kedro.clips.clip import ClipsConfig
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.store import Skeletons
from msf_kedro.joins import check_same_clips, rows_of
from msf_kedro.networks.extractor import (
    LabelledClips,
    ShiftGCNTraining,
    StreamsConfig,
    extract_tables,
    fuse_streams,
    train,
)
from msf_kedro.networks.shift_gcn import ShiftGCN, ShiftGCNConfig
from msf_kedro.networks.training import Checkpoint
from msf_kedro.zero_shot.splits import seen_classes


def train_shift_gcn(
    skeletons: dict,
    roles: pd.DataFrame,
    clips: ClipsConfig,
    layouts: dict,
    shift_gcn: ShiftGCNConfig,
    shift_gcn_training: ShiftGCNTraining,
    augment: AugmentConfig,
    streams: StreamsConfig,
    seed: int,
    device: str,
    training_state: Checkpoint,
    stream: str,
) -> tuple[dict, pd.DataFrame]:
    """A Shift-GCN of one stream, trained on the phase's seen classes, and its history.

    It goes on from the training state, if that holds one. A stream of weight 0 is not trained: its
    network and history are empty.
    """
    if not streams.weight(stream):
        return {}, pd.DataFrame({"epoch": pd.Series(dtype="int64")})
    layout = get_layout(clips.layout, layouts)
    classes = seen_classes(roles)
    skeletons = Skeletons(**skeletons)
    with runtime.seeded(seed, "shift_gcn", stream):
        network = ShiftGCN(shift_gcn, len(layout.joints), len(classes), layout.dimensions)
    history = train(
        f"Shift-GCN {stream} on {len(classes)} classes",
        network.to(runtime.pick_device(device)),
        skeletons,
        stream,
        layout,
        _labelled(skeletons, roles, classes, "train"),
        _labelled(skeletons, roles, classes, "held_out"),
        shift_gcn_training,
        augment,
        runtime.generator(seed, "shift_gcn_batches", stream),
        training_state,
    )
    fitted = {
        "architecture": network.architecture,
        "class_ids": classes,
        "layout": clips.layout,
        "stream": stream,
        "state": {key: value.cpu() for key, value in network.state_dict().items()},
    }
    return fitted, pd.DataFrame(history)


def join_histories(**histories: pd.DataFrame) -> pd.DataFrame:
    """The trainings of a phase's Shift-GCNs in one table, a row per stream and epoch."""
    tables = [history.assign(stream=stream) for stream, history in histories.items()]
    return pd.concat(tables, ignore_index=True)


def extract_features(
    shift_gcn: dict, skeletons: dict, roles: pd.DataFrame, layouts: dict, device: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features and seen logits of all clips by one stream; nothing for a stream that is off."""
    names = pd.Index(roles.name, name="name")
    if not shift_gcn:
        return pd.DataFrame(index=names), pd.DataFrame(index=names)
    layout = get_layout(shift_gcn["layout"], layouts)
    return extract_tables(
        shift_gcn, layout, Skeletons(**skeletons), names, runtime.pick_device(device)
    )


def fuse_feature_streams(
    streams: StreamsConfig, kinematics: pd.DataFrame, **tables: pd.DataFrame
) -> tuple:
    """Weighted mean of the streams' features, with kinematics beside it; weighted sum of logits.

    Args:
        kinematics: of the same clips, among others.
        tables: `<stream>_features` and `<stream>_logits`.
    """
    fused = []
    for kind, normalise in (("features", True), ("logits", False)):
        parts = {stream: tables[f"{stream}_{kind}"] for stream in streams.active()}
        first = next(iter(parts))
        for stream, table in parts.items():
            check_same_clips(table.index, parts[first].index, f"{stream} {kind}", f"{first} {kind}")
        fused.append(fuse_streams(parts, streams, normalise))
    features, logits = fused
    beside = rows_of(kinematics, features.index, "kinematics")
    return pd.concat([features, beside], axis=1), logits


def _labelled(
    skeletons: Skeletons, roles: pd.DataFrame, classes: list[int], part: str
) -> LabelledClips:
    # By name, so that the same clips in another order give the same batches.
    chosen = roles[(roles.side == "seen") & (roles.part == part)].sort_values("name")
    labels = torch.tensor(pd.Index(classes).get_indexer(chosen.class_id))
    return LabelledClips(skeletons.places(chosen.name), labels)
