"""The embedded sample study: procedural clips of people doing NTU actions, from numbers alone."""

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
