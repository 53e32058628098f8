"""Augmentation: what it changes, what it leaves, and that it is reproducible."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from msf_kedro.clips.augment import AugmentConfig, augment

STRONG = AugmentConfig(turn=0.8, tilt=0.4, scale=0.3, crop=0.2)


def random_bodies(clip: list[int], frames: int = 9) -> torch.Tensor:
    return torch.randn(len(clip), 3, 6, frames, generator=torch.Generator().manual_seed(0))


def changed(bodies, clip, config, seed=0):
    return augment(bodies, torch.tensor(clip), config, torch.Generator().manual_seed(seed))


def distances(bodies: torch.Tensor) -> torch.Tensor:
    """Between all joints of a frame, `(B, T, V, V)`."""
    points = bodies.permute(0, 3, 2, 1)
    return torch.cdist(points, points)


def test_zeros_leave_clips_alone():
    """To the bit: a turn by nothing is the identity, and its products and sums are exact."""
    bodies = random_bodies([0, 1, 1])
    assert torch.equal(changed(bodies, [0, 1, 1], AugmentConfig(0.0, 0.0, 0.0, 0.0)), bodies)


@given(st.integers(0, 1000))
def test_the_bodies_of_a_clip_change_alike(seed):
    """But for rounding: a processor may compute bodies of one batch by different instructions."""
    body = random_bodies([0])
    clip = [0, 0, 1, 2, 2]
    first, second, third, fourth, fifth = changed(body.repeat(5, 1, 1, 1), clip, STRONG, seed)
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(fourth, fifth)
    assert not torch.allclose(first, third, atol=1e-3)
    assert not torch.allclose(third, fourth, atol=1e-3)


@given(st.integers(0, 1000))
def test_a_turned_and_scaled_clip_keeps_its_shape(seed):
    bodies = random_bodies([0, 0, 1])
    config = AugmentConfig(turn=0.8, tilt=0.4, scale=0.3, crop=0.0)
    found = changed(bodies, [0, 0, 1], config, seed)
    factors = distances(found).flatten(1).norm(dim=1) / distances(bodies).flatten(1).norm(dim=1)
    expected = distances(bodies) * factors[:, None, None, None]
    torch.testing.assert_close(distances(found), expected, atol=1e-4, rtol=1e-4)
    assert 0.7 - 1e-5 <= factors.min() <= factors.max() <= 1.3 + 1e-5
    assert factors[0] == pytest.approx(factors[1].item(), rel=1e-5)
    handedness = [torch.linalg.det(b[:, :, :3, 0]).sign() for b in (found, bodies)]
    assert torch.equal(*handedness), "mirrored"


@given(st.integers(0, 1000))
def test_turning_alone_keeps_heights_and_the_largest_angle(seed):
    bodies = random_bodies([0])
    found = changed(bodies, [0], AugmentConfig(turn=0.5, tilt=0.0, scale=0.0, crop=0.0), seed)
    torch.testing.assert_close(found[:, 2], bodies[:, 2])
    flat = torch.complex(bodies[:, 0], bodies[:, 1])
    angles = (torch.complex(found[:, 0], found[:, 1]) / flat).angle()
    torch.testing.assert_close(angles, angles[0, 0, 0].expand_as(angles), atol=1e-4, rtol=0)
    assert angles.abs().max() <= 0.5 + 1e-4


@given(st.integers(0, 1000))
def test_a_pose_in_an_image_is_turned_in_it_only(seed):
    """By `tilt`, about the axis that points at the viewer; `turn` is about another one."""
    bodies = random_bodies([0, 1])[:, :2]
    config = AugmentConfig(turn=0.8, tilt=0.3, scale=0.0, crop=0.0)
    found = changed(bodies, [0, 1], config, seed)
    torch.testing.assert_close(distances(found), distances(bodies), atol=1e-4, rtol=1e-4)
    flat, turned = (torch.complex(b[:, 0], b[:, 1]) for b in (bodies, found))
    angles = (turned / flat).angle()
    torch.testing.assert_close(angles, angles[:, :1, :1].expand_as(angles), atol=1e-4, rtol=0)
    assert angles.abs().max() <= 0.3 + 1e-4
    assert (angles[0, 0, 0] - angles[1, 0, 0]).abs() > 1e-6
    still = AugmentConfig(turn=0.8, tilt=0.0, scale=0.0, crop=0.0)
    assert torch.equal(changed(bodies, [0, 1], still, seed), bodies)


def test_all_of_the_range_is_used():
    """Over many clips turns go nearly to both ends and scales average to 1."""
    clips = list(range(2000))
    bodies = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None].expand(2000, 3, 1, 2)
    turned = changed(bodies, clips, AugmentConfig(0.5, 0.0, 0.0, 0.0))
    angles = torch.atan2(turned[:, 1, 0, 0], turned[:, 0, 0, 0])
    assert angles.min() < -0.49
    assert angles.max() > 0.49
    sizes = changed(bodies, clips, AugmentConfig(0.0, 0.0, 0.1, 0.0))[:, 0, 0, 0]
    assert sizes.mean() == pytest.approx(1, abs=0.005)
    assert 0.9 - 1e-6 <= sizes.min() < 0.901
    assert 1.099 < sizes.max() <= 1.1 + 1e-6


@given(st.integers(0, 1000), st.floats(0.01, 0.4))
def test_a_crop_stretches_the_middle_over_the_window(seed, crop):
    """A ramp stays a ramp, from a start within the crop to an end within it."""
    frames = 11
    ramp = torch.arange(frames) / (frames - 1.0)
    bodies = ramp.expand(1, 3, 2, frames)
    found = changed(bodies, [0], AugmentConfig(0.0, 0.0, 0.0, crop), seed)[0]
    steps = found.diff(dim=-1)
    torch.testing.assert_close(steps, steps[..., :1].expand_as(steps), atol=1e-5, rtol=0)
    start, end = found[0, 0, 0].item(), found[0, 0, -1].item()
    assert -1e-6 <= start <= crop + 1e-6
    assert 1 - crop - 1e-6 <= end <= 1 + 1e-6
    assert start != pytest.approx(1 - end, rel=1e-3), "both ends are cut alike"


def test_the_same_generator_seed_gives_the_same_clips():
    bodies, clip = random_bodies([0, 1, 2]), [0, 1, 2]
    assert torch.equal(changed(bodies, clip, STRONG, 5), changed(bodies, clip, STRONG, 5))
    assert not torch.allclose(changed(bodies, clip, STRONG, 5), changed(bodies, clip, STRONG, 6))


@pytest.mark.parametrize(
    ("field", "value"),
    [("turn", -1.0), ("tilt", -0.1), ("scale", -0.1), ("scale", 1.0), ("crop", 0.5)],
)
def test_a_config_out_of_range_is_refused(field, value):
    zeros = {"turn": 0.0, "tilt": 0.0, "scale": 0.0, "crop": 0.0}
    with pytest.raises(ValueError, match=rf"augment\..*{field}.*{value}"):
        AugmentConfig(**zeros | {field: value})
