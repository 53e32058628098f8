"""The four input streams of Shift-GCN, computed from normalised joint coordinates."""

import torch
from jaxtyping import Float
from torch import Tensor

from msf_kedro.clips.layouts import Layout

STREAMS = ("joint", "bone", "joint_motion", "bone_motion")


def to_stream(
    joints: Float[Tensor, "B C V T"], stream: str, layout: Layout
) -> Float[Tensor, "B C V T"]:
    """One stream of a batch of bodies (Shift-GCN, section 4).

    `bone` is each joint minus its parent; the motion streams are the next frame minus the current
    one, zero in the last frame.

    Raises:
        ValueError: `stream` is none of `STREAMS`.
    """
    if stream not in STREAMS:
        raise ValueError(f"unknown stream {stream!r}; known streams: {', '.join(STREAMS)}")
    data = joints
    if stream.startswith("bone"):
        data = joints - joints[:, :, list(layout.parents)]
    if stream.endswith("motion"):
        motion = torch.zeros_like(data)
        motion[..., :-1] = data[..., 1:] - data[..., :-1]
        data = motion
    return data
