"""The embedded sample study: people doing NTU actions, generated clip by clip from seeds."""

from msf_kedro.sample.actions import ACTIONS, Action
from msf_kedro.sample.skeleton_file import write_skeleton
from msf_kedro.sample.study import clip_name, clip_names, generate_clip, sample_clips

__all__ = [
    "ACTIONS",
    "Action",
    "clip_name",
    "clip_names",
    "generate_clip",
    "sample_clips",
    "write_skeleton",
]
