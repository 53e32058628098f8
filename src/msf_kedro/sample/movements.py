"""Movements of parts of the body: the small vocabulary that actions are composed of.

A movement is one or more `Motion`s. Times are fractions of the clip, 0..1; lengths are metres for a
person 1.75 m tall; angles are degrees; `side` is "r", "l" or "rl" for right, left or both, where
x is outward, so that one number serves both sides.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from msf_kedro.sample.kinematics import Body, Pose

Number = int | float
Way = tuple[Number, Number, Number]

# Start, fully there, leaving, gone. A movement under way before the clip starts below 0; one that
# is never undone leaves after 1.
When = tuple[Number, Number, Number, Number]

BEFORE, AFTER = -1.0, 2.0

# Widths of the channels that motions add up in; lengths are scaled with the performer's stature.
_WIDTHS = {
    **{"pelvis": 3, "lift": 1, "bend": 1, "side": 1, "twist": 1, "nod": 1, "turn": 1},
    **{"path": 1, "tread_r": 1, "tread_l": 1, "arm_r": 3, "arm_l": 3, "wave_r": 3, "wave_l": 3},
    **{"touch_r": 4, "touch_l": 4, "elbow_r": 1, "elbow_l": 1, "foot_r": 3, "foot_l": 3},
}
_SCALED = ("pelvis", "lift", "wave_r", "wave_l", "foot_r", "foot_l")
_AMPLIFIED = (*_SCALED, "bend", "side", "twist", "nod")


@dataclass(frozen=True)
class Motion:
    """One part of a body goes somewhere and comes back.

    Attributes:
        channel: what moves; a key of `_WIDTHS`.
        value: by how much, or the place that a hand goes to.
        when: see `When`.
        course: `hold` stays; `sine` swings to both sides; `pulse` goes there and back;
            `beat` is a pulse in the first half of each cycle.
        cycles: repetitions from start to end.
        phase: by how many cycles the course is ahead.
    """

    channel: str
    value: tuple[Number, ...] | str
    when: When
    course: str = "hold"
    cycles: Number = 1.0
    phase: Number = 0.0


@dataclass(frozen=True)
class Manner:
    """How a performer does a movement in one clip: its size, and how many cycles swings have."""

    amplitude: float
    liveliness: float


Movement = tuple[Motion, ...]


def span(start: Number, end: Number, ramp: Number = 0.2) -> When:
    """From start to end, with ramps of equal length there and back."""
    return (start, start + ramp, end - ramp, end)


def hand_to(place: str, when: When, side: str = "r", elbow: Number = 0.0) -> Movement:
    """A hand goes to a place on the body, the elbow held up by 0..1."""
    lift = tuple(Motion(f"elbow_{s}", (elbow,), when) for s in side if elbow)
    return tuple(Motion(f"arm_{s}", place, when) for s in side) + lift


def hand_between(
    first: str, second: str, cycles: Number, when: When, side: str = "r", alternate: bool = False
) -> Movement:
    """A hand goes back and forth between two places."""
    return tuple(
        Motion(f"arm_{s}", place, when, "pulse", cycles, phase + 0.5 * (alternate and s == "l"))
        for s in side
        for place, phase in ((first, 0.5), (second, 0.0))
    )


def hand_to_point(point: Way, when: When, side: str = "r", course: str = "hold") -> Movement:
    """A hand goes to a point of the floor's frame: outward, up, to the front."""
    return tuple(Motion(f"touch_{s}", (1.0, *point), when, course) for s in side)


def swing_hand(
    way: Way, cycles: Number, when: When, side: str = "r", alternate: bool = False
) -> Movement:
    """A hand swings to and fro along a way (outward, up, to the front)."""
    return tuple(
        Motion(f"wave_{s}", way, when, "sine", cycles, 0.5 * (alternate and s == "l")) for s in side
    )


def circle_hand(radius: Number, cycles: Number, when: When, side: str = "rl") -> Movement:
    """A hand draws circles in the plane spanned by up and front."""
    return tuple(
        Motion(f"wave_{s}", way, when, "sine", cycles, phase)
        for s in side
        for way, phase in (((0, radius, 0), 0.0), ((0, 0, radius), 0.25))
    )


def bend_torso(angle: Number, when: When, course: str = "hold", cycles: Number = 1.0) -> Movement:
    """The trunk bends forward (backward below 0)."""
    return (Motion("bend", (angle,), when, course, cycles),)


def lean_torso(angle: Number, when: When, course: str = "hold", cycles: Number = 1.0) -> Movement:
    """The trunk leans to the right (left below 0)."""
    return (Motion("side", (angle,), when, course, cycles),)


def twist_torso(angle: Number, when: When, course: str = "hold", cycles: Number = 1.0) -> Movement:
    """The trunk twists to the right (left below 0)."""
    return (Motion("twist", (angle,), when, course, cycles),)


def nod_head(angle: Number, when: When, course: str = "hold", cycles: Number = 1.0) -> Movement:
    """The head nods forward (backward below 0)."""
    return (Motion("nod", (angle,), when, course, cycles),)


def bend_knees(
    depth: Number, when: When, back: Number = 0.0, course: str = "hold", cycles: Number = 1.0
) -> Movement:
    """The pelvis goes down, and back, over feet that stay in place."""
    return (Motion("pelvis", (0, -depth, -back), when, course, cycles),)


def swing_leg(
    way: Way, when: When, side: str = "r", course: str = "hold", cycles: Number = 1.0
) -> Movement:
    """A foot leaves the floor (outward, up, to the front); the left one half a cycle later."""
    return tuple(
        Motion(f"foot_{s}", way, when, course, cycles, 0.5 * (s == "l" and side == "rl"))
        for s in side
    )


def jump(height: Number, cycles: Number, when: When) -> Movement:
    """The whole body leaves the floor, once a cycle."""
    return (Motion("lift", (height,), when, "beat", cycles),)


def walk(distance: Number, steps: int, start: Number, end: Number) -> Movement:
    """Walk forward (backward below 0) in 2 or more steps, arms swinging, the right foot first."""
    motions: list[Motion] = [
        *bend_knees(0.035, (start, start + 0.08, end - 0.08, end)),
        *swing_hand((0, 0, 0.13), steps / 2, (start, start + 0.1, end - 0.1, end), "rl", True),
    ]
    stride = (end - start) / steps
    for step in range(steps):
        side, at = "rl"[step % 2], start + step * stride
        # The first step leaves the other foot, the last joins it, those in between pass it.
        length = distance / (steps - 1) * (1 if step in (0, steps - 1) else 2)
        go: When = (at, at + stride, AFTER, AFTER + 1)
        ease: When = (at - 0.4 * stride, at + 1.4 * stride, AFTER, AFTER + 1)
        motions += (
            Motion(f"tread_{side}", (length,), go),
            Motion("path", (length / 2,), ease),
            Motion(
                f"foot_{side}", (0, 0.11, 0), (at, at + stride / 2, at + stride / 2, at + stride)
            ),
        )
    return tuple(motions)


def turn_around(angle: Number, when: When) -> Movement:
    """The whole body turns to the right, marching on the spot."""
    start, _, _, end = when
    go: When = (start, end, AFTER, AFTER + 1)
    march = swing_leg((0, 0.08, 0), (start, start, end, end), "rl", "beat", 1.5)
    return (Motion("turn", (angle,), go), *march)


def perform(
    movements: Movement, clock: Float[np.ndarray, " T"], body: Body, manner: Manner
) -> Pose:
    """The sum of one person's motions over a clip whose frames are at `clock` (0..1)."""
    sums = {name: np.zeros((len(clock), width)) for name, width in _WIDTHS.items()}
    rest = body.arm_direction("rest")
    scale = body.stature / 1.75
    for motion in movements:
        if motion.channel.startswith("wave"):
            motion = replace(motion, cycles=motion.cycles * manner.liveliness)
        if isinstance(motion.value, str):
            value = body.arm_direction(motion.value) - rest
        else:
            value = np.array(motion.value, dtype=float)
        if motion.channel.startswith("touch"):
            value[1:] *= value[0]
        if motion.channel in _SCALED:
            value = value * scale
        if motion.channel in _AMPLIFIED:
            value = value * manner.amplitude
        sums[motion.channel] += _course(motion, clock)[:, None] * value
    for side in "rl":
        sums[f"arm_{side}"] += rest
        sums[f"foot_{side}"][:, 2:] += sums[f"tread_{side}"]
    sums["pelvis"][:, 2:] += sums["path"]
    single = ("pelvis", "lift", "bend", "side", "twist", "nod", "turn")
    paired = {"arms": "arm", "waves": "wave", "touches": "touch", "elbows": "elbow", "feet": "foot"}
    return Pose(
        **{name: sums[name] for name in single},
        **{name: np.stack([sums[f"{part}_r"], sums[f"{part}_l"]]) for name, part in paired.items()},
    )


def _course(motion: Motion, clock: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    """How far a motion has gone in each frame."""
    start, there, leaving, end = motion.when
    there_is = _ramp(clock, start, there) * (1 - _ramp(clock, leaving, end))
    turns = motion.cycles * (clock - start) / (end - start) + motion.phase
    if motion.course == "hold":
        return there_is
    if motion.course == "sine":
        return there_is * np.sin(2 * np.pi * turns)
    if motion.course == "pulse":
        return there_is * (0.5 - 0.5 * np.cos(2 * np.pi * turns))
    if motion.course == "beat":
        return there_is * np.maximum(np.sin(2 * np.pi * turns), 0)
    raise ValueError(f"a motion's course is hold, sine, pulse or beat, not {motion.course!r}")


def _ramp(clock: Float[np.ndarray, " T"], start: Number, end: Number) -> Float[np.ndarray, " T"]:
    """From 0 at start to 1 at end, smooth at both ends."""
    part = np.clip((clock - start) / max(end - start, 1e-6), 0, 1)
    return part * part * part * (10 - 15 * part + 6 * part * part)
