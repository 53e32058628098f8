"""Random state dicts under the names of Shift-GCN's release, for tests."""

import torch

V, M = 25, 2
RELEASE = ([64] * 4 + [128] * 3 + [256] * 3, {5, 8})  # widths, units with a residual convolution


def released_state(
    widths: list[int], residual: set[int], classes: int, seed: int = 0
) -> dict[str, torch.Tensor]:
    """Every number random; `residual` names the units whose residual is a convolution.

    Scales are such that activations neither vanish nor explode over ten units. Shifts reach 12
    frames either way; whole and half frames are among them.
    """
    draw = torch.Generator().manual_seed(seed)
    state: dict[str, torch.Tensor] = {}

    def normal(key: str, *shape: int, scale: float = 1.0) -> None:
        state[key] = scale * torch.randn(*shape, generator=draw)

    def norm(key: str, size: int) -> None:
        state[f"{key}.weight"] = 0.5 + torch.rand(size, generator=draw)
        normal(f"{key}.bias", size, scale=0.3)
        normal(f"{key}.running_mean", size, scale=0.3)
        state[f"{key}.running_var"] = 0.5 + 1.5 * torch.rand(size, generator=draw)
        state[f"{key}.num_batches_tracked"] = torch.tensor(1000)

    def convolution(key: str, inputs: int, outputs: int) -> None:
        normal(f"{key}.weight", outputs, inputs, 1, 1, scale=inputs**-0.5)
        normal(f"{key}.bias", outputs, scale=0.3)

    def shift(key: str, channels: int) -> None:
        frames = 24 * torch.rand(channels, generator=draw) - 12
        frames[::5] = torch.round(2 * frames[::5]) / 2
        frames[0], frames[1] = 12.0, -12.0
        state[f"{key}.ypos"] = frames
        state[f"{key}.xpos"] = 3e-10 * torch.randn(channels, generator=draw)

    norm("data_bn", M * V * 3)
    before = 3
    for unit, width in enumerate(widths, 1):
        gcn, tcn = f"l{unit}.gcn1", f"l{unit}.tcn1"
        normal(f"{gcn}.Linear_weight", before, width, scale=before**-0.5)
        normal(f"{gcn}.Linear_bias", 1, 1, width, scale=0.3)
        normal(f"{gcn}.Feature_Mask", 1, V, before, scale=0.5)
        for name, channels, sign in (("shift_in", before, 1), ("shift_out", width, -1)):
            places = [
                ((v + sign * c) % V) * channels + c for v in range(V) for c in range(channels)
            ]
            state[f"{gcn}.{name}"] = torch.tensor(places)
        norm(f"{gcn}.bn", V * width)
        if before != width:
            convolution(f"{gcn}.down.0", before, width)
            norm(f"{gcn}.down.1", width)
        norm(f"{tcn}.bn", width)
        norm(f"{tcn}.bn2", width)
        shift(f"{tcn}.shift_in", width)
        shift(f"{tcn}.shift_out", width)
        convolution(f"{tcn}.temporal_linear", width, width)
        if unit in residual:
            convolution(f"l{unit}.residual.conv", before, width)
            norm(f"l{unit}.residual.bn", width)
        before = width
    normal("fc.weight", classes, before, scale=before**-0.5)
    normal("fc.bias", classes)
    return state
