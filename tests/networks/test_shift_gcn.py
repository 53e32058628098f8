"""Shift-GCN against slow transcriptions of its published description."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from support.plain_shift_gcn import PlainShiftGCN
from torch import nn

from msf_kedro.networks.shift_gcn import ShiftGCN, ShiftGCNConfig, Unit
from msf_kedro.networks.spatial_conv import JointShift, SpatialShiftConv
from msf_kedro.networks.time_shift import BLOCK, DENSE, TimeShift

SHIFTS = torch.tensor([-12.0, -9.6, -2.5, -1.0, -0.3, 0.0, 0.4, 1.0, 3.75, 12.0])
strides = pytest.mark.parametrize("stride", [1, 2])


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def unlike_initial(module: nn.Module) -> nn.Module:
    """Every parameter and statistic random, so that no transcription is right by accident."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
    for parameter in module.parameters():
        parameter.data.normal_(std=0.7)
    return module.double().eval()


def normalised(x: torch.Tensor, norm: nn.Module) -> torch.Tensor:
    """Batch norm in evaluation mode; features along the last axis."""
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (x - norm.running_mean) * scale + norm.bias


def pointwise(x: torch.Tensor, layers: nn.Sequential) -> torch.Tensor:
    """A 1x1 convolution and its batch norm on `(..., C)`."""
    return normalised(x @ layers[0].weight[:, :, 0, 0].t() + layers[0].bias, layers[1])


# --- shifts ---


@given(st.integers(1, 7), st.integers(1, 6))
def test_joint_shifts_equal_a_slow_loop_and_one_undoes_the_other(channels, joints):
    """The first leaves joints in front, and the second starts from there."""
    there, back = (JointShift(channels, joints, direction) for direction in (1, -1))
    x, y = torch.randn(channels, joints, 3), torch.randn(joints, channels, 3)
    shifted, undone = torch.empty_like(y), torch.empty_like(x)
    for c in range(channels):
        for v in range(joints):
            shifted[v, c] = x[c, (v + c) % joints]
            undone[c, v] = y[(v - c) % joints, c]
    assert torch.equal(there(x), shifted)
    assert torch.equal(back(y), undone)
    assert torch.equal(back(there(x)), x)


def time_shift(stride: int, shifts: torch.Tensor = SHIFTS) -> TimeShift:
    module = TimeShift(len(shifts), stride).double()
    module.shift.data = shifts.double()
    return module


@strides
@pytest.mark.parametrize("learns", [True, False])
@pytest.mark.parametrize("frames", [1, 2, 5, 8, 15, DENSE, DENSE + 1, DENSE + 3 * BLOCK + 1])
def test_time_shift_equals_a_slow_loop(stride, frames, learns):
    """Linear interpolation of the two neighbouring frames, zeros outside."""
    x = torch.randn(len(SHIFTS), 3, 2, frames, dtype=torch.double)
    out = torch.zeros(len(SHIFTS), 3, 2, math.ceil(frames / stride), dtype=torch.double)
    for c, shift in enumerate(SHIFTS.double().tolist()):
        for t in range(out.shape[-1]):
            position = stride * t + shift + (0.5 if stride == 2 else 0)
            before = math.floor(position)
            for frame, weight in ((before, before + 1 - position), (before + 1, position - before)):
                if 0 <= frame < frames:
                    out[c, ..., t] += weight * x[c, ..., frame]
    module = time_shift(stride).requires_grad_(learns)
    torch.testing.assert_close(module(x), out)
    # float32 knows positions up to 16 to 1e-6, and so the weights of two frames, of at most 5
    torch.testing.assert_close(module.float()(x.float()).double(), out, atol=1e-5, rtol=0)


@strides
@pytest.mark.parametrize("learns", [True, False])
@pytest.mark.parametrize("frames", [8, 100])
@pytest.mark.parametrize("shift", [1e4, -1e7, 1e30, math.inf])
def test_a_time_shift_beyond_all_frames_gives_zeros_at_no_cost(shift, frames, stride, learns):
    """A band as wide as the shift would not fit into memory."""
    x = torch.randn(3, 4, 2, frames, dtype=torch.double)
    module = time_shift(stride, torch.tensor([0.5, shift, -frames - 0.5])).requires_grad_(learns)
    out = module(x)
    assert (out[1:] == 0).all()
    torch.testing.assert_close(out[:1], time_shift(stride, torch.tensor([0.5]))(x[:1]))
    if learns:
        out[:1].sum().backward()
        assert module.shift.grad[1].abs() == 1e-4


def test_a_time_shift_that_is_no_number_gives_none():
    for frames in (8, 100):
        out = time_shift(1, torch.tensor([0.5, math.nan]))(torch.randn(2, 2, 4, frames).double())
        assert out[1].isnan().all()


def test_a_new_time_shift_is_within_a_frame_either_way():
    shift = TimeShift(500).shift
    assert -1 <= shift.min() < -0.98
    assert 0.98 < shift.max() <= 1


@strides
@pytest.mark.parametrize("frames", [9, DENSE + 2 * BLOCK + 3])
def test_gradients_of_a_time_shift(stride, frames):
    """Through the input that of a dense matrix; the shift's own is its sign times 0.01."""
    module = time_shift(stride, SHIFTS + 0.05)
    x = torch.randn(len(SHIFTS), 3, 2, frames, dtype=torch.double, requires_grad=True)
    upstream = torch.randn(module(x).shape, dtype=torch.double)
    upstream[4] = 0
    found, shift_grad = torch.autograd.grad(module(x), (x, module.shift), upstream)

    shift = module.shift.detach().clone().requires_grad_()
    position = stride * torch.arange(upstream.shape[-1]) + (0.5 if stride == 2 else 0)
    distance = (position[None, :, None] + shift[:, None, None] - torch.arange(frames)).abs()
    dense = torch.einsum("cut,cvbt->cvbu", (1 - distance).clamp_min(0), x)
    expected, plain = torch.autograd.grad(dense, (x, shift), upstream)
    torch.testing.assert_close(found, expected)
    assert plain[4] == 0
    assert (plain[[3, 5, 6, 7]] != 0).all()
    torch.testing.assert_close(
        shift_grad, torch.where(plain == 0, torch.tensor(1e-4).double(), plain.sign() * 1e-2)
    )


# --- units ---


def slow_spatial(module: SpatialShiftConv, x: torch.Tensor) -> torch.Tensor:
    """Section 4 of the method, frame by frame and slot by slot; x is `(B, T, V, C)`."""
    bodies, frames, joints, inputs = x.shape
    outputs = module.weight.shape[1]
    shifted = torch.empty_like(x)
    for v in range(joints):
        for c in range(inputs):
            shifted[:, :, v, c] = x[:, :, (v + c) % joints, c]
    shifted = shifted * (torch.tanh(module.mask.t()) + 1)
    mixed = shifted @ module.weight + module.bias
    back = torch.empty_like(mixed)
    for v in range(joints):
        for d in range(outputs):
            back[:, :, v, d] = mixed[:, :, (v - d) % joints, d]
    # the project's batch norm counts channels first: feature d * V + v
    flat = normalised(back.transpose(2, 3).flatten(2), module.norm.norm)
    out = flat.view(bodies, frames, outputs, joints).transpose(2, 3)
    return F.relu(out + (pointwise(x, module.down) if inputs != outputs else x))


def slow_unit(unit: Unit, x: torch.Tensor, stride: int) -> torch.Tensor:
    """A whole unit on `(B, T, V, C)`; the time shifts are those tested above."""

    def in_time(shift, x):
        return shift(x.permute(3, 2, 0, 1)).permute(2, 3, 1, 0)

    temporal = unit.temporal
    out = normalised(slow_spatial(unit.spatial, x), temporal.norm_in)
    out = in_time(temporal.shift_in, out)
    out = F.relu(out @ temporal.mix.weight[:, :, 0, 0].t() + temporal.mix.bias)
    out = normalised(in_time(temporal.shift_out, out), temporal.norm_out)
    if unit.has_residual:
        same = isinstance(unit.residual, nn.Identity)
        out = out + (x if same else pointwise(x[:, ::stride], unit.residual))
    return F.relu(out)


@pytest.mark.parametrize(("inputs", "outputs", "joints"), [(3, 8, 5), (6, 6, 4), (8, 4, 7)])
def test_spatial_shift_convolution_equals_a_slow_loop(inputs, outputs, joints):
    module = unlike_initial(SpatialShiftConv(inputs, outputs, joints))
    x = torch.randn(2, 3, joints, inputs, dtype=torch.double)
    found = module(x.permute(3, 2, 0, 1)).permute(2, 3, 1, 0)
    torch.testing.assert_close(found, slow_spatial(module, x))


@pytest.mark.parametrize(
    ("inputs", "outputs", "stride", "residual"),
    [(3, 6, 1, False), (6, 6, 1, True), (6, 6, 2, True), (4, 6, 2, True), (4, 6, 1, True)],
)
def test_a_unit_equals_its_slow_transcription(inputs, outputs, stride, residual):
    unit = unlike_initial(Unit(inputs, outputs, 5, stride, residual))
    x = torch.randn(2, 7, 5, inputs, dtype=torch.double)
    found = unit(x.permute(3, 2, 0, 1)).permute(2, 3, 1, 0)
    torch.testing.assert_close(found, slow_unit(unit, x, stride))


def test_initial_weights():
    module = SpatialShiftConv(200, 100, 5)
    assert not module.mask.any()
    assert not module.bias.any()
    assert module.weight.std().item() == pytest.approx(0.1, rel=0.03)  # N(0, 1/D)


# --- the network ---

CONFIG = ShiftGCNConfig(widths=(6, 6, 8), strided_units=(3,))


def network(joints: int = 5, classes: int = 4, config: ShiftGCNConfig = CONFIG) -> ShiftGCN:
    return ShiftGCN(config, joints, classes)


def ragged(counts: list[int], joints: int = 5, frames: int = 8) -> tuple[torch.Tensor, ...]:
    """Bodies, clip and person of clips with that many bodies each."""
    clip = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    person = torch.cat([torch.arange(count) for count in counts])
    return torch.randn(len(clip), 3, joints, frames, dtype=torch.double), clip, person


@pytest.mark.parametrize("joints", [1, 20, 25])
@pytest.mark.parametrize("frames", [4, 15])
@pytest.mark.parametrize("widths", [(8,), (4, 6, 6, 10)])
def test_logits_and_features_of_any_joints_frames_and_widths(joints, frames, widths):
    strided = tuple(range(2, len(widths) + 1))
    net = network(joints, 7, ShiftGCNConfig(widths, strided)).double()
    logits, features = net(*ragged([1, 2, 1], joints, frames))
    assert logits.shape == (3, 7)
    assert features.shape == (3, widths[-1])
    torch.testing.assert_close(logits, net.classifier(features))
    (logits.sum() + features.sum()).backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_poses_in_an_image_have_two_channels():
    net = ShiftGCN(CONFIG, 5, 4, channels=2).double()
    bodies, clip, person = ragged([1, 2])
    logits, _ = net(bodies[:, :2], clip, person)
    assert logits.shape == (2, 4)
    assert net.architecture["channels"] == 2
    again = ShiftGCN.from_state(net.architecture, 4, net.state_dict()).double()
    torch.testing.assert_close(again.eval()(bodies[:, :2], clip, person)[0],
                               net.eval()(bodies[:, :2], clip, person)[0])  # fmt: skip


def test_a_network_equals_its_slow_transcription():
    """Body norms, units, and the mean over time, joints and people."""
    net = unlike_initial(network())
    bodies, clip, person = ragged([2, 1, 2])
    outputs = []
    for body, number in zip(bodies, person, strict=True):
        norm = net.norms[number].norm
        x = normalised(body.flatten(0, 1).t(), norm).view(1, 8, 3, 5).transpose(2, 3)
        for unit, stride in zip(net.units, (1, 1, 2), strict=True):
            x = slow_unit(unit, x, stride)
        outputs.append(x[0].mean(dim=(0, 1)))
    expected = [torch.stack([o for o, c in zip(outputs, clip, strict=True) if c == n]).mean(0)
                for n in range(3)]  # fmt: skip
    assert [unit.has_residual for unit in net.units] == [False, True, True]
    logits, features = net(bodies, clip, person)
    torch.testing.assert_close(features, torch.stack(expected))
    weight, bias = net.classifier.weight, net.classifier.bias
    torch.testing.assert_close(logits, torch.stack(expected) @ weight.t() + bias)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("frames", "widths", "strided"),
    [(8, [6, 6, 8], [3]), (15, [8, 6, 6], [2, 3]), (DENSE + 70, [4, 4, 6], [3])],
)
def test_it_does_what_ordinary_layers_do(frames, widths, strided, training):
    """Outputs, all gradients and all statistics."""
    net = network(config=ShiftGCNConfig(widths, strided))
    plain = PlainShiftGCN(widths, strided, joints=5, classes=4).double()
    plain.load_state_dict(unlike_initial(net).state_dict())
    for module in net.train(training), plain.train(training):
        module.zero_grad()
    bodies, clip, person = ragged([2, 1, 2], frames=frames)
    given = [bodies.clone().requires_grad_() for _ in range(2)]
    answers = [n(x, clip, person) for n, x in zip((net, plain), given, strict=True)]
    weights = torch.randn_like(answers[0][0]), torch.randn_like(answers[0][1])
    for logits, features in answers:
        ((logits * weights[0]).sum() + (features * weights[1]).sum()).backward()
    torch.testing.assert_close(answers[0], answers[1])
    torch.testing.assert_close(given[0].grad, given[1].grad)
    torch.testing.assert_close(net.state_dict(), plain.state_dict())
    for (name, found), expected in zip(net.named_parameters(), plain.parameters(), strict=True):
        assert expected.grad is not None
        torch.testing.assert_close(
            found.grad, expected.grad, atol=1e-9, rtol=1e-7, msg=lambda m, name=name: f"{name}: {m}"
        )


def test_in_single_precision_it_is_as_near_to_double_precision_as_ordinary_layers():
    """At starting weights, with activations far from zero."""
    widths, strided = [16, 16, 32], [3]
    net = network(config=ShiftGCNConfig(widths, strided)).double()
    bodies, clip, person = ragged([1] * 8, frames=32)
    exact = net(bodies + 3, clip, person)[1]
    plain = PlainShiftGCN(widths, strided, joints=5, classes=4)
    plain.load_state_dict(net.state_dict())
    apart = [(n.float()(bodies.float() + 3, clip, person)[1] - exact).norm() for n in (net, plain)]
    assert apart[0] < 3 * apart[1] < 1e-3 * exact.norm()


@pytest.mark.parametrize("frames", [8, DENSE + 20])
def test_in_mixed_precision_it_is_as_near_to_single_precision_as_ordinary_layers(frames):
    widths, strided = [16, 16, 32], [3]
    net = network(config=ShiftGCNConfig(widths, strided)).float()
    plain = PlainShiftGCN(widths, strided, joints=5, classes=4)
    plain.load_state_dict(net.state_dict())
    bodies, clip, person = ragged([1, 2] * 8, frames=frames)

    def found(net: nn.Module, reduced: bool) -> list[torch.Tensor]:
        net.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=reduced):
            logits, features = net(bodies.float(), clip, person)
            F.cross_entropy(logits, torch.arange(16) % 4).backward()
        units = net.units
        return [features.detach(), units[0].spatial.weight.grad, units[2].temporal.mix.weight.grad]

    for exact, ours, theirs in zip(
        found(net, False), found(net, True), found(plain, True), strict=True
    ):
        assert ours.dtype == torch.float32
        assert 0 < (ours - exact).norm() < 1.5 * (theirs - exact).norm() < exact.norm()


@given(st.lists(st.integers(1, 2), min_size=1, max_size=5), st.integers(0, 100))
def test_in_evaluation_a_clip_does_not_depend_on_its_batch(counts, seed):
    net = unlike_initial(network())
    bodies, clip, person = ragged(counts)
    logits, features = net(bodies, clip, person)
    order = torch.randperm(len(counts), generator=torch.Generator().manual_seed(seed))
    rows = torch.cat([torch.nonzero(clip == n)[:, 0] for n in order])
    places = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts)[order])
    shuffled, _ = net(bodies[rows], places, person[rows])
    torch.testing.assert_close(shuffled, logits[order])
    for n in range(len(counts)):
        mine = clip == n
        alone = net(bodies[mine], torch.zeros_like(clip[mine]), person[mine])
        torch.testing.assert_close(alone[0][0], logits[n])
        torch.testing.assert_close(alone[1][0], features[n])


def test_second_bodies_have_statistics_of_their_own():
    net = network().double().train()
    bodies, clip, person = ragged([2, 1, 2])
    bodies = bodies + 10 * person[:, None, None, None]
    net(bodies, clip, person)
    for place, norm in enumerate(net.norms):
        expected = 0.1 * bodies[person == place].mean(dim=(0, 3)).flatten()
        torch.testing.assert_close(norm.norm.running_mean, expected)
    before = net.norms[1].norm.running_mean.clone()
    net(*ragged([1, 1]))
    assert torch.equal(net.norms[1].norm.running_mean, before)


def test_it_learns_eight_clips_by_heart():
    bodies, clip, person = ragged([1, 2, 1, 1, 2, 1, 1, 1])
    bodies, labels = bodies.float(), torch.tensor([0, 1, 2, 3] * 2)
    net = network(config=ShiftGCNConfig((16, 16), (2,)))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(30):
        loss = F.cross_entropy(net(bodies, clip, person)[0], labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (net(bodies, clip, person)[0].argmax(1) == labels).all()
    assert loss < 0.1


def test_a_saved_network_is_loaded_back(tmp_path):
    net, batch = unlike_initial(network()), ragged([1, 2])
    torch.save(net.state_dict(), tmp_path / "weights.pt")
    other = network().double().eval()
    other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    for found, expected in zip(other(*batch), net(*batch), strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ("widths", "strided", "message"),
    [
        ((), (), "widths\n.* at least 1 item"),
        ((8, 0), (), "widths.1\n.* greater than 0"),
        ((8, "x"), (), "widths.1\n.* valid integer"),
        ((8, 8), (1,), r".* strided_units is \[1\], expected units from 2 to 2"),
        ((8, 8), (2, 3), r".* strided_units is \[2, 3\], expected units from 2 to 2"),
    ],
)
def test_a_config_that_makes_no_network_is_refused(widths, strided, message):
    with pytest.raises(ValueError, match=f"^1 validation error for ShiftGCNConfig\n{message}"):
        ShiftGCNConfig(widths=widths, strided_units=strided)
