"""Nodes of the skeletons stage."""

from collections.abc import MutableMapping

import pandas as pd

from msf_kedro import runtime
from msf_kedro.clips.chunks import Chunk
from msf_kedro.clips.clip import ClipsConfig, LoadClip, Recipe, listed_clips
from msf_kedro.clips.kinematics import kinematics
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.clips.prepare import kept_clips, prepare
from msf_kedro.clips.store import Skeletons
from msf_kedro.clips.table import ClipTable
from msf_kedro.zero_shot.splits import parse_classes


def prepare_clips(
    raw_clips: dict[str, LoadClip],
    clip_chunks: MutableMapping[str, Chunk],
    missing_lists: dict[str, list[str]],
    clip_table: ClipTable | None,
    classes: str,
    clips: ClipsConfig,
    normalise: NormaliseConfig,
    layouts: dict,
    workers: int,
) -> tuple[pd.DataFrame, dict]:
    """The clip table and the kept clips' names and normalised bodies, as `Skeletons` has them.

    Prepared chunks are in `clip_chunks` from when they are finished until the skeletons are saved.
    """
    recipe = Recipe(
        parse_classes(classes),
        listed_clips(missing_lists, clips.name_pattern, clip_table),
        clips,
        get_layout(clips.layout, layouts, clips.units),
        normalise,
        clip_table,
    )
    processes = runtime.pick_workers(workers)
    with runtime.cluster() as cluster:
        table, bodies, first = prepare(raw_clips, recipe, clip_chunks, processes, cluster)
    return table, {"names": kept_clips(table).name.tolist(), "bodies": bodies, "first": first}


def measure_kinematics(skeletons: dict) -> pd.DataFrame:
    """What the joints of every kept clip reach and how fast they move, by clip name."""
    clips = Skeletons(**skeletons)
    names = pd.Index(clips.names, name="name")
    return pd.DataFrame(kinematics(clips).numpy(), names).add_prefix("k")
