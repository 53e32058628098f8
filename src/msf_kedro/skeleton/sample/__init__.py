"""The embedded sample study: procedural clips of people doing NTU actions, from numbers alone."""

from msf_kedro.skeleton.sample.actions import ACTIONS, Action
from msf_kedro.skeleton.sample.study import clip_name, clip_names, generate_clip, sample_clips

__all__ = ["ACTIONS", "Action", "clip_name", "clip_names", "generate_clip", "sample_clips"]
