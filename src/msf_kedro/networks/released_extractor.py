"""Features and logits of clips by a released Shift-GCN, and what it expects of the clips."""

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from msf_kedro.clips.clip import ClipsConfig
from msf_kedro.clips.layouts import Layout
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.clips.store import Skeletons
from msf_kedro.clips.streams import STREAMS, to_stream
from msf_kedro.networks.padded_shift_gcn import PaddedShiftGCN
from msf_kedro.networks.shift_gcn import PERSONS

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


@torch.inference_mode()
def extract(
    network: PaddedShiftGCN,
    skeletons: Skeletons,
    stream: str,
    layout: Layout,
    batch_size: int = 64,
) -> tuple[Float[Tensor, "n K"], Float[Tensor, "n D"]]:
    """Logits and features of all clips, on the CPU."""
    device = network.network.classifier.weight.device
    outputs = []
    for chosen in tqdm(
        torch.arange(len(skeletons)).split(batch_size),
        desc=f"released Shift-GCN, {stream}",
        unit="batch",
        disable=None,
        leave=False,
    ):
        bodies, clip, person = skeletons.batch(chosen)
        padded = bodies.new_zeros(len(chosen), PERSONS, *bodies.shape[1:])
        padded[clip, person] = to_stream(bodies, stream, layout)
        outputs.append(network(padded.permute(0, 2, 4, 3, 1).to(device)))
    logits, features = (torch.cat(part).cpu() for part in zip(*outputs, strict=True))
    return logits, features
