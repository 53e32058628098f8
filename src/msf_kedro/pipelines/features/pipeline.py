"""Stage 4 of the DAG: skeletons → Shift-GCN features and seen logits, per phase and stream."""

from kedro.pipeline import Pipeline, node

from msf_kedro.clips.streams import STREAMS
from msf_kedro.pipelines.bound import bind
from msf_kedro.pipelines.features.nodes import (
    extract_features,
    fuse_feature_streams,
    join_histories,
    train_shift_gcn,
)
from msf_kedro.zero_shot.splits import PHASES

STATE = "training_state"
TRAIN = (
    *("skeletons", "roles", "params:clips", "params:layouts", "params:shift_gcn"),
    *("params:shift_gcn_training", "params:augment", "params:streams", "params:seed"),
    *("params:device", STATE),
)
EXTRACT = ("shift_gcn", "skeletons", "roles", "params:layouts", "params:device")
PARAMETERS = {name for name in TRAIN if name.startswith("params:")}


def create_pipeline(**kwargs) -> Pipeline:
    """Both phases, each with its streams as namespaces inside it."""
    return sum((_phase(phase) for phase in PHASES), start=Pipeline([]))


def _phase(phase: str) -> Pipeline:
    tables = {
        f"{stream}_{kind}": f"{phase}.{stream}.{kind}"
        for stream in STREAMS
        for kind in ("features", "logits")
    }
    fuse = node(
        fuse_feature_streams,
        {"streams": "params:streams", "kinematics": "kinematics"} | tables,
        [f"{phase}_features", f"{phase}_seen_logits"],
        name="fuse_streams",
        namespace=phase,
    )
    join = node(
        join_histories,
        {stream: f"{phase}.{stream}.history" for stream in STREAMS},
        f"{phase}_shift_gcn_histories",
        name="join_histories",
        namespace=phase,
    )
    streams = Pipeline(
        sum((_stream(stream) for stream in STREAMS), start=Pipeline([])),
        namespace=phase,
        inputs={"roles": f"{phase}_roles"} | {name: name for name in ("skeletons", STATE)},
        parameters=PARAMETERS,
    )
    return streams + Pipeline([fuse, join])


def _stream(stream: str) -> Pipeline:
    train = bind(train_shift_gcn, *TRAIN, stream=stream)
    extract = bind(extract_features, *EXTRACT)
    template = Pipeline(
        [
            node(*train, ["shift_gcn", "history"], name="train_shift_gcn", tags="gpu"),
            node(*extract, ["features", "logits"], name="extract_features", tags="gpu"),
        ]
    )
    return Pipeline(
        template, namespace=stream, inputs={"skeletons", "roles", STATE}, parameters=PARAMETERS
    )
