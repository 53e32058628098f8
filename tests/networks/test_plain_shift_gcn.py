"""The plain Shift-GCN gives the answers of the one that is trained."""

import pytest
import torch

from msf_kedro import runtime
from msf_kedro.networks.plain_shift_gcn import PlainShiftGCN
from msf_kedro.networks.shift_gcn import ShiftGCN, ShiftGCNConfig

PERSON, CLIP = torch.tensor([0, 1, 0]), torch.tensor([0, 0, 1])


def network(reach: float, channels: int = 3) -> ShiftGCN:
    """One whose norms and shifts are those of no fresh network."""
    with runtime.seeded(0, "network"):
        made = ShiftGCN(ShiftGCNConfig([4, 6, 6, 8], [3]), 5, 3, channels).eval()
    generator = torch.Generator().manual_seed(1)
    for name, tensor in made.state_dict().items():
        if "norm" in name or name.endswith(".1.running_var"):
            if tensor.is_floating_point():
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
        elif name.endswith(("shift", "mask")):
            tensor.copy_(reach * (2 * torch.rand(tensor.shape, generator=generator) - 1))
    return made


@pytest.mark.parametrize(("reach", "frames"), [(0.9, 12), (2.5, 12), (5.0, 13), (30.0, 12)])
@pytest.mark.parametrize("channels", [2, 3])
def test_it_answers_as_the_network(reach, frames, channels):
    trained = network(reach, channels)
    generator = torch.Generator().manual_seed(2)
    bodies = torch.randn(3, channels, 5, frames, generator=generator)
    plain = PlainShiftGCN(trained, frames)
    with torch.no_grad():
        logits, features = trained(bodies, CLIP, PERSON)
        of_bodies = plain(bodies, PERSON)
    found = torch.stack([of_bodies[:2].mean(0), of_bodies[2]])
    torch.testing.assert_close(found, features, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(plain.classify(found), logits, rtol=1e-4, atol=1e-5)
    if reach < frames:  # else little of the bodies is left
        assert (plain(bodies, 1 - PERSON) - of_bodies).abs().max() > 1e-3
