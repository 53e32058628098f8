"""Nodes of the features stage."""

import pandas as pd
import torch

from msf_kedro import runtime
from msf_kedro.clips.augment import AugmentConfig
from msf_kedro.clips.clip import ClipsConfig
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.store import Skeletons
from msf_kedro.networks.extractor import (
    LabelledClips,
    ShiftGCNTraining,
    StreamsConfig,
    extract,
    fuse_streams,
    train,
)
from msf_kedro.networks.shift_gcn import ShiftGCN, ShiftGCNConfig
from msf_kedro.tables import to_matrix, to_table
from msf_kedro.zero_shot.splits import seen_classes


def train_shift_gcn(
    skeletons: dict,
    roles: pd.DataFrame,
    clips: ClipsConfig,
    shift_gcn: ShiftGCNConfig,
    training: ShiftGCNTraining,
    augment: AugmentConfig,
    streams: StreamsConfig,
    seed: int,
    device: str,
    *,
    stream: str,
) -> tuple[dict, pd.DataFrame]:
    """A Shift-GCN of one stream, trained on the phase's seen classes, and its history.

    A stream of weight 0 is not trained: its network and history are empty.
    """
    if not streams.weight(stream):
        return {}, pd.DataFrame({"epoch": pd.Series(dtype="int64")})
    layout = get_layout(clips.layout)
    classes = seen_classes(roles)
    with runtime.seeded(seed, "shift_gcn", stream):
        network = ShiftGCN(shift_gcn, len(layout.joints), len(classes))
    history = train(
        f"Shift-GCN {stream} on {len(classes)} classes",
        network.to(runtime.pick_device(device)),
        Skeletons(**skeletons),
        stream,
        layout,
        _labelled(roles, classes, "train"),
        _labelled(roles, classes, "held_out"),
        training,
        augment,
        runtime.generator(seed, "shift_gcn_batches", stream),
    )
    state = {key: value.cpu() for key, value in network.state_dict().items()}
    architecture = {"widths": shift_gcn.widths, "strided_units": shift_gcn.strided_units}
    return {"architecture": architecture, "classes": classes, "state": state}, pd.DataFrame(history)


def extract_features(
    shift_gcn: dict,
    skeletons: dict,
    roles: pd.DataFrame,
    clips: ClipsConfig,
    device: str,
    *,
    stream: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features and seen logits of all clips by one stream; nothing for a stream that is off."""
    if not shift_gcn:
        return roles[["name"]], roles[["name"]]
    layout = get_layout(clips.layout)
    classes = shift_gcn["classes"]
    network = ShiftGCN(
        ShiftGCNConfig(**shift_gcn["architecture"]), len(layout.joints), len(classes)
    )
    network.load_state_dict(shift_gcn["state"])
    logits, features = extract(
        network.to(runtime.pick_device(device)),
        Skeletons(**skeletons),
        stream,
        layout,
        torch.arange(len(roles)),
    )
    names = [f"f{i}" for i in range(features.shape[1])]
    return (
        to_table(roles[["name"]], features.numpy(), names),
        to_table(roles[["name"]], logits.numpy(), [f"class_{c}" for c in classes]),
    )


def fuse_feature_streams(streams: StreamsConfig, **tables: pd.DataFrame) -> tuple:
    """Weighted mean of the streams' features and weighted sum of their logits."""
    fused = []
    for kind, normalise in (("features", True), ("logits", False)):
        parts = {stream: tables[f"{stream}_{kind}"] for stream in streams.active()}
        matrices = {stream: to_matrix(table, ["name"]) for stream, table in parts.items()}
        template = next(iter(parts.values()))
        fused.append(
            to_table(
                template[["name"]],
                fuse_streams(matrices, streams, normalise),
                list(template.columns[1:]),
            )
        )
    return tuple(fused)


def _labelled(roles: pd.DataFrame, classes: list[int], part: str) -> LabelledClips:
    chosen = roles[(roles.side == "seen") & (roles.part == part)]
    labels = chosen.action.map({action: place for place, action in enumerate(classes)})
    return LabelledClips(
        torch.tensor(chosen.index.to_numpy()), torch.tensor(labels.to_numpy(dtype="int64"))
    )
