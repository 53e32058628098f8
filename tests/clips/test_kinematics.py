"""Kinematics against a loop over joints, and what must not change them."""

from itertools import combinations, pairwise

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from msf_kedro.clips.kinematics import kinematics
from msf_kedro.clips.store import Skeletons


def clips(bodies: torch.Tensor, counts: list[int]) -> Skeletons:
    names = [f"clip {n}" for n in range(len(counts))]
    return Skeletons(names, bodies, torch.tensor([0, *counts]).cumsum(0))


def slow(body: np.ndarray) -> np.ndarray:
    """Smallest, largest, mean step, way over range of each coordinate of each joint of a body
    `(C, V, T)`; smallest and largest distance of each pair of joints."""
    held = [t for t in range(body.shape[2]) if body[..., t].any()]
    least, most, speed, repeated, near, far = ([] for _ in range(6))
    for track in body.reshape(-1, body.shape[2]):
        values = track[held]
        steps = [abs(track[t + 1] - track[t]) for t in held if t + 1 in held]
        least.append(values.min())
        most.append(values.max())
        speed.append(np.mean(steps or [0]))
        repeated.append(np.log((sum(steps) + 0.05) / (np.ptp(values) + 0.05)))
    for one, other in combinations(range(body.shape[1]), 2):
        distances = [np.linalg.norm(body[:, one, t] - body[:, other, t]) for t in held]
        near.append(min(distances))
        far.append(max(distances))
    return np.array([*least, *most, *speed, *repeated, *near, *far])


@given(st.integers(0, 1000), st.lists(st.integers(1, 2), min_size=1, max_size=4))
def test_figures_equal_a_slow_loop(seed, counts):
    generator = torch.Generator().manual_seed(seed)
    bodies = torch.randn(sum(counts), 2, 3, 6, generator=generator)
    bodies[0, ..., 4:] = 0  # absent at the end
    bodies[-1, ..., 0] = 0  # and at the start
    found = kinematics(clips(bodies, counts))
    first = np.cumsum([0, *counts])
    expected = [
        np.mean([slow(body.numpy()) for body in bodies[start:end]], axis=0)
        for start, end in pairwise(first)
    ]
    np.testing.assert_allclose(found.numpy(), np.stack(expected), atol=1e-5)


def test_a_movement_that_is_repeated_goes_a_longer_way():
    time = torch.linspace(0, 1, 64)
    once, again = (torch.sin(torch.pi * n * time).square() + 1 for n in (1, 4))
    figures = [kinematics(clips(track.expand(1, 1, 2, -1), [1]))[0] for track in (once, again)]
    of_one_joint = (of[:8].unflatten(0, (4, 2))[:, 0] for of in figures)
    least, most, speed, repeated = zip(*of_one_joint, strict=True)
    torch.testing.assert_close(*least, atol=0.01, rtol=0)
    torch.testing.assert_close(*most, atol=0.01, rtol=0)
    assert speed[1] > 3 * speed[0]
    assert repeated[1] > repeated[0] + 1


def test_a_body_that_is_in_no_frame_has_no_figures():
    assert not kinematics(clips(torch.zeros(1, 3, 2, 4), [1])).any()


def test_frames_that_lack_the_body_do_not_count():
    bodies = torch.randn(1, 3, 5, 8, generator=torch.Generator().manual_seed(0)) + 3
    longer = torch.cat([bodies, torch.zeros(1, 3, 5, 7)], -1)
    torch.testing.assert_close(kinematics(clips(longer, [1])), kinematics(clips(bodies, [1])))
