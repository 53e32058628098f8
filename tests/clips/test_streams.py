"""The four streams against loops over single numbers."""

import pytest
import torch

from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.streams import STREAMS, to_stream

LAYOUT = get_layout("kinect_v2_25")


def slow(joints: torch.Tensor, stream: str) -> torch.Tensor:
    out = torch.zeros_like(joints)
    bodies, channels, places, frames = joints.shape
    for b in range(bodies):
        for c in range(channels):
            for v in range(places):
                for t in range(frames):

                    def value(frame, body=joints[b, c], v=v):
                        parent = body[LAYOUT.parents[v], frame] if "bone" in stream else 0
                        return body[v, frame] - parent

                    if "motion" not in stream:
                        out[b, c, v, t] = value(t)
                    elif t < frames - 1:
                        out[b, c, v, t] = value(t + 1) - value(t)
    return out


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(("frames", "channels"), [(1, 3), (4, 3), (4, 2)])
def test_a_stream_equals_a_slow_loop(stream, frames, channels):
    joints = torch.randn(2, channels, 25, frames, generator=torch.Generator().manual_seed(0))
    before = joints.clone()
    torch.testing.assert_close(to_stream(joints, stream, LAYOUT), slow(joints, stream))
    assert torch.equal(joints, before)


def test_there_are_four_streams_and_no_other():
    assert STREAMS == ("joint", "bone", "joint_motion", "bone_motion")
    with pytest.raises(ValueError, match="unknown stream 'velocity'; known streams: joint, bone"):
        to_stream(torch.zeros(1, 3, 25, 2), "velocity", LAYOUT)
