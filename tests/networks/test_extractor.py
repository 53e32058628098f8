"""Training a Shift-GCN: it learns, it repeats itself, its optimiser treats weights as it should."""

import dataclasses

import numpy as np
import pytest
import torch

from msf_kedro.clips.augment import AugmentConfig
from msf_kedro.clips.layouts import KINECT_V2_25 as LAYOUT
from msf_kedro.clips.normalise import NormaliseConfig, normalise
from msf_kedro.clips.store import Skeletons
from msf_kedro.networks import extractor as features
from msf_kedro.networks.extractor import LabelledClips, ShiftGCNTraining, extract, train
from msf_kedro.networks.shift_gcn import ShiftGCN, ShiftGCNConfig
from msf_kedro.sample import clip_name, generate_clip

ACTIONS = (8, 23, 26, 58)  # sit down, hand waving, hop, shake hands (two people)
TRAINING = ShiftGCNTraining(
    epochs=10,
    batch_size=8,
    learning_rate=0.1,
    warmup_epochs=1,
    milestones=[],
    weight_decay=1e-4,
    graph_weight_decay=1e-3,
    label_smoothing=0.1,
)
AUGMENT = AugmentConfig(turn=0.3, tilt=0.1, scale=0.1, crop=0.1)


@pytest.fixture(scope="module")
def sample() -> tuple[Skeletons, LabelledClips, LabelledClips]:
    """Performers 1 to 6 train, 7 to 10 are held out."""
    config = NormaliseConfig(window=12, resample=True)
    keys = [(a, p) for p in range(1, 11) for a in ACTIONS]
    clips = [normalise(generate_clip(a, p, 1, seed=0), LAYOUT, config) for a, p in keys]
    first = np.cumsum([0, *map(len, clips)])
    names = [clip_name(a, p, 1) for a, p in keys]
    skeletons = Skeletons(names, torch.from_numpy(np.concatenate(clips)), torch.from_numpy(first))
    places, labels = torch.arange(len(keys)), torch.tensor([ACTIONS.index(a) for a, _ in keys])
    parts = (LabelledClips(part, labels[part]) for part in (places[:24], places[24:]))
    return skeletons, *parts


def make(widths: tuple[int, ...] = (12, 12, 24)) -> ShiftGCN:
    torch.manual_seed(0)
    return ShiftGCN(ShiftGCNConfig(widths, (2,)), 25, len(ACTIONS))


def trained(sample, config=TRAINING, stream="joint", seed=0, augmentation=AUGMENT):
    network, generator = make(), torch.Generator().manual_seed(seed)
    skeletons, clips, held_out = sample
    history = train(
        "toy", network, skeletons, stream, LAYOUT, clips, held_out, config, augmentation, generator
    )
    return network, history


def same(first: ShiftGCN, second: ShiftGCN) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_it_recognises_held_out_performers(sample):
    network, history = trained(sample)
    assert [row["epoch"] for row in history] == list(range(1, 11))
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert history[-1]["held_out_accuracy"] > 0.6  # chance is 0.25
    skeletons, _, held_out = sample
    logits, outputs = extract(network, skeletons, "joint", LAYOUT, held_out.clips)
    assert outputs.shape == (16, 24)
    accuracy = (logits.argmax(1) == held_out.labels).float().mean().item()
    assert accuracy == pytest.approx(history[-1]["held_out_accuracy"])
    error = torch.nn.functional.cross_entropy(logits, held_out.labels).item()
    assert error == pytest.approx(history[-1]["held_out_loss"], rel=1e-5)


def test_the_same_seed_gives_the_same_weights(sample):
    short = dataclasses.replace(TRAINING, epochs=2)
    torch.manual_seed(1)
    first, _ = trained(sample, short)
    torch.manual_seed(2)
    second, _ = trained(sample, short)
    assert same(first, second)
    assert not same(first, trained(sample, short, seed=1)[0])
    assert not same(first, trained(sample, short, stream="bone")[0])


def test_nothing_held_out_is_no_reason_to_stop(sample):
    skeletons, clips, _ = sample
    nothing = LabelledClips(clips.clips[:0], clips.labels[:0])
    short = dataclasses.replace(TRAINING, epochs=2, label_smoothing=0.0)
    _, history = trained((skeletons, clips, nothing), short)
    assert "held_out_accuracy" not in history[0]
    assert 0 <= history[0]["accuracy"] <= 1


def test_features_do_not_depend_on_the_batch_size(sample):
    skeletons, _, held_out = sample
    network = make().train()
    whole = extract(network, skeletons, "bone_motion", LAYOUT, held_out.clips)
    parts = extract(network, skeletons, "bone_motion", LAYOUT, held_out.clips, batch_size=3)
    for found, expected in zip(parts, whole, strict=True):
        torch.testing.assert_close(found, expected)
    other, _ = extract(network, skeletons, "joint", LAYOUT, held_out.clips)
    assert not torch.allclose(other, whole[0])
    assert not whole[0].requires_grad


def test_masks_have_no_weight_decay_and_graph_weights_their_own():
    network = make()
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    optimizer = features._optimizer(network, TRAINING)
    groups = optimizer.param_groups
    decays = {names[id(p)]: group["weight_decay"] for group in groups for p in group["params"]}
    assert decays.keys() == set(names.values())
    for name, decay in decays.items():
        last = name.removeprefix("units.")[2:]
        expected = {"spatial.mask": 0, "spatial.weight": 1e-3}.get(last, 1e-4)
        assert decay == expected, name
    assert sum(decay == 0 for decay in decays.values()) == 3
    assert optimizer.defaults["nesterov"]
    assert optimizer.defaults["momentum"] == 0.9


def test_step_schedule_values():
    """The release's schedule, at 5 steps an epoch: divided by 10 after epochs 2 and 4."""
    config = dataclasses.replace(TRAINING, epochs=6, milestones=[2, 4], warmup_epochs=0)
    factor = features._schedule(config, steps=5)
    found = [factor(step) for step in (0, 9, 10, 19, 20, 29)]
    assert found == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    warm = features._schedule(dataclasses.replace(config, warmup_epochs=1), steps=5)
    assert [warm(step) for step in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1])
    assert warm(10) == pytest.approx(0.1)


def test_without_milestones_the_rate_decays_to_nothing():
    factor = features._schedule(TRAINING, steps=5)
    assert [factor(step) for step in (0, 4, 5)] == pytest.approx([0.2, 1, 1])
    assert factor(5 + 45 // 2) == pytest.approx(0.5, abs=0.02)
    assert factor(49) < 0.002


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs is 0, expected above 0"),
        ({"batch_size": -1}, "batch_size is -1, expected above 0"),
        ({"learning_rate": 0.0}, r"learning_rate is 0\.0, expected above 0"),
        ({"warmup_epochs": 10}, "warmup_epochs is 10, expected 0 to 9"),
        ({"warmup_epochs": -1}, "warmup_epochs is -1, expected 0 to 9"),
    ],
)
def test_a_config_out_of_range_is_refused(changes, message):
    with pytest.raises(ValueError, match=rf"^shift_gcn_training\.{message}"):
        dataclasses.replace(TRAINING, **changes)
