"""Released networks against a slow transcription of the method, in the release's own names."""

import math

import numpy as np
import pytest
import torch
from support.released_states import RELEASE, M, V, released_state

from msf_kedro.networks.shift_gcn import ShiftGCN

EPS = 1e-5  # of PyTorch's batch norm
# Relative to the largest number: some ten units round some ten times each, and errors of random
# sign grow as the root of their number.
ROUNDINGS = 10
NARROW = ([4, 4, 6, 6], {3, 4})  # unit 3 widens, unit 4 does not; both halve the frames


# --- section 4 of the method, slot by slot, in NumPy and float64 ---


class Slow:
    """The released network, `(N, 3, T, V, M)` to logits and features."""

    def __init__(self, state: dict[str, torch.Tensor]):
        self.at = {key: value.numpy().astype(np.float64) for key, value in state.items()}

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = self.data_bn(x)
        clips = len(x)
        x = np.stack([x[n, :, :, :, m] for n in range(clips) for m in range(M)])  # (N M) C T V
        unit = 1
        while f"l{unit}.gcn1.Linear_weight" in self.at:
            x = self.unit(f"l{unit}", x, first=unit == 1)
            unit += 1
        bodies = x.reshape(clips, M, x.shape[1], -1).mean(axis=3)
        features = (bodies[:, 0] + bodies[:, 1]) / 2
        return features @ self.at["fc.weight"].T + self.at["fc.bias"], features

    def normal(self, key: str, place: int, x: np.ndarray) -> np.ndarray:
        """Batch norm, in evaluation mode, of what belongs to one of its features."""
        weight, bias = self.at[f"{key}.weight"][place], self.at[f"{key}.bias"][place]
        mean, var = self.at[f"{key}.running_mean"][place], self.at[f"{key}.running_var"][place]
        return (x - mean) / math.sqrt(var + EPS) * weight + bias

    def data_bn(self, x: np.ndarray) -> np.ndarray:
        out = np.zeros_like(x)
        for m in range(M):
            for v in range(V):
                for c in range(3):
                    place = m * V * 3 + v * 3 + c
                    out[:, c, :, v, m] = self.normal("data_bn", place, x[:, c, :, v, m])
        return out

    def unit(self, key: str, x: np.ndarray, first: bool) -> np.ndarray:
        stride = 2 if f"{key}.residual.conv.weight" in self.at else 1
        out = self.tcn(f"{key}.tcn1", self.gcn(f"{key}.gcn1", x), stride)
        if stride == 2:
            out = out + self.bn_2d(
                f"{key}.residual.bn", self.conv(f"{key}.residual.conv", x[:, :, ::2])
            )
        elif not first:
            out = out + x
        return np.maximum(out, 0)

    def gcn(self, key: str, x: np.ndarray) -> np.ndarray:
        weight, mask = self.at[f"{key}.Linear_weight"], self.at[f"{key}.Feature_Mask"]
        C, D = weight.shape
        shifted = np.zeros_like(x)
        for v in range(V):
            for c in range(C):
                shifted[:, c, :, v] = x[:, c, :, (v + c) % V] * (math.tanh(mask[0, v, c]) + 1)
        mixed = np.einsum("nctv,cd->ndtv", shifted, weight)
        mixed += self.at[f"{key}.Linear_bias"].reshape(1, D, 1, 1)
        out = np.zeros_like(mixed)
        for v in range(V):
            for d in range(D):
                back = mixed[:, d, :, (v - d) % V]
                out[:, d, :, v] = self.normal(f"{key}.bn", v * D + d, back)
        if C != D:
            x = self.bn_2d(f"{key}.down.1", self.conv(f"{key}.down.0", x))
        return np.maximum(out + x, 0)

    def tcn(self, key: str, x: np.ndarray, stride: int) -> np.ndarray:
        x = self.shift(self.at[f"{key}.shift_in.ypos"], self.bn_2d(f"{key}.bn", x), 1)
        x = np.maximum(self.conv(f"{key}.temporal_linear", x), 0)
        x = self.shift(self.at[f"{key}.shift_out.ypos"], x, stride)
        return self.bn_2d(f"{key}.bn2", x)

    @staticmethod
    def shift(ypos: np.ndarray, x: np.ndarray, stride: int) -> np.ndarray:
        """Frame t takes position t + y, or 2t + y + 0.5, between its two neighbours."""
        frames = x.shape[2]
        out = np.zeros((*x.shape[:2], -(-frames // stride), V))
        for c, y in enumerate(ypos):
            for t in range(out.shape[2]):
                position = t + y if stride == 1 else 2 * t + y + 0.5
                before = math.floor(position)
                if 0 <= before < frames:
                    out[:, c, t] += (before + 1 - position) * x[:, c, before]
                if 0 <= before + 1 < frames:
                    out[:, c, t] += (position - before) * x[:, c, before + 1]
        return out

    def conv(self, key: str, x: np.ndarray) -> np.ndarray:
        weight, bias = self.at[f"{key}.weight"][:, :, 0, 0], self.at[f"{key}.bias"]
        return np.einsum("nctv,dc->ndtv", x, weight) + bias.reshape(1, -1, 1, 1)

    def bn_2d(self, key: str, x: np.ndarray) -> np.ndarray:
        return np.stack([self.normal(key, c, x[:, c]) for c in range(x.shape[1])], axis=1)


def clips(bodies: list[int], frames: int, seed: int = 0) -> torch.Tensor:
    """Clips `(N, 3, T, 25, 2)` with these numbers of bodies; 3 is a second body alone.

    Each has a pose and a size of its own, so that features differ from clip to clip.
    """
    rng = np.random.default_rng(seed)
    size = 1 + np.arange(len(bodies)).reshape(-1, 1, 1, 1, 1)
    pose = rng.normal(size=(len(bodies), 3, 1, V, M))
    x = torch.tensor(size * (pose + rng.normal(size=(len(bodies), 3, frames, V, M)))).float()
    for n, count in enumerate(bodies):
        x[n, ..., 1] *= count > 1
        x[n, ..., 0] *= count in (1, 2)
    return x


def assert_the_same(state: dict, x: torch.Tensor) -> None:
    """Logits and features of the transcription and of the project, float32 and float64."""
    expected = Slow(state)(x.numpy().astype(np.float64))
    network = ShiftGCN.from_released(state)
    for dtype in (torch.float32, torch.float64):
        for found, part in zip(network.to(dtype)(x.to(dtype)), expected, strict=True):
            assert found.dtype == dtype
            tolerance = ROUNDINGS * torch.finfo(dtype).eps * np.abs(part).max()
            np.testing.assert_allclose(found.numpy(), part, rtol=0, atol=tolerance)
            if x.shape[2] > 12:  # otherwise shifts may lead all frames out of the window
                assert np.ptp(part, axis=0).max() > 1000 * tolerance, "all clips are alike"


@pytest.mark.parametrize("frames", [1, 2, 7, 16, 23])
@pytest.mark.parametrize(
    ("widths", "residual"),
    [NARROW, ([5], set()), ([4, 4], {2}), ([3, 5, 5], {2}), ([3, 3], set()), ([27, 30], {2})],
)
def test_it_equals_the_transcription(widths, residual, frames):
    """One and two bodies, no body, a second alone; even and odd numbers of frames; 60 classes."""
    state = released_state(widths, residual, classes=60, seed=frames)
    assert_the_same(state, clips([1, 2, 1, 0, 3], frames))


def test_the_release_in_full_width_equals_the_transcription():
    state = released_state(*RELEASE, classes=60)
    assert sum(value.numel() for key, value in state.items() if "shift_" not in key) > 600_000
    assert_the_same(state, clips([2, 1, 1], 40))


def test_300_frames_equal_the_transcription():
    assert_the_same(released_state(*NARROW, classes=120), clips([1, 2], 300))


# --- the module ---


STATE = released_state(*NARROW, classes=60)


def logits_of(state, x: torch.Tensor | None = None) -> torch.Tensor:
    return ShiftGCN.from_released(state)(clips([1, 2], 20) if x is None else x)[0]


def test_the_project_takes_absent_bodies_for_zeros_of_their_place():
    """Second bodies have statistics of their own: an absent first body answers differently."""
    network = ShiftGCN.from_released(STATE)
    present, absent = clips([1], 20), torch.zeros(1, 3, 20, V, M)
    _, alone = network(present)
    _, nobody = network(absent)
    bodies = network.network.body_features(
        torch.cat([present[..., 0], absent[..., 0], absent[..., 1]]).transpose(2, 3),
        torch.tensor([0, 0, 1]),
    )
    assert not torch.allclose(bodies[1], bodies[2], atol=1e-3)
    torch.testing.assert_close(alone[0], (bodies[0] + bodies[2]) / 2)
    torch.testing.assert_close(nobody[0], (bodies[1] + bodies[2]) / 2)


@pytest.mark.parametrize(
    ("bodies", "computed"),
    [([1] * 7, 8), ([2] * 7, 14), ([0] * 7, 2), ([1, 2, 3] * 20, 82), ([], 0)],
)
def test_absent_bodies_of_a_batch_are_computed_once(bodies, computed, monkeypatch):
    network, asked = ShiftGCN.from_released(STATE), []
    answer = network.network.body_features

    def count(x, person):
        asked.append(len(x))
        return answer(x, person)

    monkeypatch.setattr(network.network, "body_features", count)
    x = clips(bodies, 14)
    logits, features = network(x)
    assert (logits.shape, features.shape) == ((len(x), 60), (len(x), 6))
    assert sum(asked) == computed
    assert max(asked) <= 16, "memory does not grow with the batch"
    for n in range(len(x)):
        torch.testing.assert_close(network(x[n : n + 1])[0][0], logits[n])


def test_it_answers_only_in_evaluation_mode_and_learns_nothing():
    network = ShiftGCN.from_released(STATE)
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())
    before = {key: value.clone() for key, value in network.state_dict().items()}
    logits, _ = network(clips([2], 20))
    assert not logits.requires_grad
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    with pytest.raises(ValueError, match=r"evaluation mode; call eval\(\)"):
        network.train()(clips([2], 20))


def test_autocast_around_it_changes_nothing():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = logits_of(STATE)
    assert found.dtype == torch.float32
    assert torch.equal(found, logits_of(STATE))


def test_clips_of_another_precision_are_taken():
    x = clips([1, 2], 20)
    assert torch.equal(logits_of(STATE, x.double()), logits_of(STATE, x))


def test_the_network_shares_no_memory_with_the_state_dict():
    state = {key: value.clone() for key, value in STATE.items()}
    network = ShiftGCN.from_released(state)
    for value in state.values():
        value.zero_()
    x = clips([1, 2], 20)
    assert torch.equal(network(x)[0], logits_of(STATE, x))


def test_another_layout_is_refused():
    network = ShiftGCN.from_released(STATE)
    for shape in [(1, 25, 20, 3, 2), (1, 3, 20, 25, 1), (1, 3, 20, 20, 2)]:
        with pytest.raises(ValueError, match=r"shape \(.*\), expected \('N', 3, 'T', 25, 2\)"):
            network(torch.zeros(shape))
