"""Stage 4 of the DAG: skeletons → Shift-GCN features and seen logits, per phase and stream."""

from kedro.pipeline import Pipeline, node

from msf_kedro.clips.streams import STREAMS
from msf_kedro.pipelines.bound import Bound
from msf_kedro.pipelines.features.nodes import (
    extract_features,
    fuse_feature_streams,
    train_shift_gcn,
)
from msf_kedro.zero_shot.splits import PHASES

PARAMETERS = {
    f"params:{name}"
    for name in ("clips", "shift_gcn", "shift_gcn_training", "augment", "streams", "seed", "device")
}


def create_pipeline(**kwargs) -> Pipeline:
    """Both phases, each with its streams as namespaces inside it."""
    return sum((_phase(phase) for phase in PHASES), start=Pipeline([]))


def _phase(phase: str) -> Pipeline:
    tables = [f"{stream}_{kind}" for stream in STREAMS for kind in ("features", "logits")]
    fuse = node(
        fuse_feature_streams,
        {"streams": "params:streams"} | {table: table for table in tables},
        ["features", "seen_logits"],
        name="fuse_streams",
    )
    streams = sum((_stream(stream) for stream in STREAMS), start=Pipeline([fuse]))
    return Pipeline(
        streams,
        namespace=phase,
        inputs={"skeletons": "skeletons", "roles": f"{phase}_roles"},
        outputs={"features": f"{phase}_features", "seen_logits": f"{phase}_seen_logits"},
        parameters=PARAMETERS,
    )


def _stream(stream: str) -> Pipeline:
    template = Pipeline(
        [
            node(
                Bound(train_shift_gcn, stream=stream),
                [
                    *("skeletons", "roles", "params:clips", "params:shift_gcn"),
                    *("params:shift_gcn_training", "params:augment", "params:streams"),
                    *("params:seed", "params:device"),
                ],
                ["shift_gcn", "history"],
                name="train_shift_gcn",
                tags="gpu",
            ),
            node(
                Bound(extract_features, stream=stream),
                ["shift_gcn", "skeletons", "roles", "params:clips", "params:device"],
                ["features", "logits"],
                name="extract_features",
                tags="gpu",
            ),
        ]
    )
    return Pipeline(
        template,
        namespace=stream,
        inputs={"skeletons", "roles"},
        outputs={"features": f"{stream}_features", "logits": f"{stream}_logits"},
        parameters=PARAMETERS,
    )
