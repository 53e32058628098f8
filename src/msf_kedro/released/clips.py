"""How clips have to be prepared for a released Shift-GCN."""

from msf_kedro.clips.clip import ClipsConfig
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.clips.streams import STREAMS

LAYOUT = "kinect_v2_25"
WINDOW = 300  # frames of the clips that released checkpoints were trained on


def check_input(clips: ClipsConfig, normalise: NormaliseConfig, stream: str) -> None:
    """Raise a ValueError where clips are not prepared as released checkpoints expect them."""
    if stream not in STREAMS:
        raise ValueError(f"checkpoint_stream is {stream!r}, expected one of {', '.join(STREAMS)}")
    if clips.layout != LAYOUT:
        raise ValueError(
            f"clips.layout is {clips.layout!r}, but released checkpoints need {LAYOUT!r};"
            " they mean nothing for other skeletons"
        )
    if normalise.resample:
        raise ValueError(
            "normalise.resample is true, but released checkpoints were trained on repeated"
            " frames; prepare the clips in the release's way:"
            f" --params=normalise.window={WINDOW},normalise.resample=false"
        )
