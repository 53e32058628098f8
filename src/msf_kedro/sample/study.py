"""The sample study: performers, repetitions and a depth camera with noise."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from msf_kedro.sample.actions import ACTIONS
from msf_kedro.sample.kinematics import Body, joints_of, mirrored, rotation
from msf_kedro.sample.movements import Manner, Motion, Movement, perform

FRAMES_PER_SECOND = 30
_PARTNER = 1000  # the second person of a clip is performer number + 1000

# Joints that a depth camera sees less well, and by which factor.
_NOISE = np.ones(25)
_NOISE[[7, 11, 15, 19, 14, 18]] = 1.5
_NOISE[[21, 22, 23, 24]] = 2.0
_NOISE[[0, 1, 2, 20]] = 0.6
_DEPTH_NOISE = (1.0, 1.0, 1.4)


@dataclass(frozen=True)
class Performer:
    """What all clips of a person have in common.

    Attributes:
        body: lengths.
        speed, amplitude: factors on an action's duration and size.
        stoop, sway: degrees by which the trunk leans forward, and by which it sways.
        view: degrees by which the person is turned away from the camera, to the right.
        place: x and z of where the person stands, metres, camera coordinates.
        camera_height: of the camera over the floor, metres; a person is filmed by one camera.
        noise: standard deviation of a joint's measured position, metres.
        left_handed: whether one-handed actions are done with the left hand.
    """

    body: Body
    speed: float
    amplitude: float
    stoop: float
    sway: float
    view: float
    place: tuple[float, float]
    camera_height: float
    noise: float
    left_handed: bool


def clip_name(action: int, performer: int, repetition: int) -> str:
    """The name that the NTU data sets would give a clip: `S001C001P003R002A023`."""
    for what, number in (("action", action), ("performer", performer), ("repetition", repetition)):
        if not 1 <= number <= 999:
            raise ValueError(f"{what} is {number}, expected 1..999")
    return f"S001C001P{performer:03d}R{repetition:03d}A{action:03d}"


def clip_names(
    performers: int = 10, repetitions: int = 3, actions: Iterable[int] = tuple(sorted(ACTIONS))
) -> list[str]:
    """The names of a whole study's clips, performer by performer."""
    return [clip_name(*key) for key in _keys(performers, repetitions, actions)]


def sample_clips(
    seed: int,
    performers: int = 10,
    repetitions: int = 3,
    actions: Iterable[int] = tuple(sorted(ACTIONS)),
) -> Iterator[tuple[str, Float[np.ndarray, "M T 25 3"]]]:
    """Names and clips of a whole study, one at a time, in the order of `clip_names`."""
    for key in _keys(performers, repetitions, actions):
        yield clip_name(*key), generate_clip(*key, seed)


def generate_clip(
    action: int, performer: int, repetition: int, seed: int, frames: int | None = None
) -> Float[np.ndarray, "M T 25 3"]:
    """Generate one clip: a person, or two with the acting one first, as a Kinect v2 sees them.

    The same arguments always give the same clip. Frames are 1/30 s apart; coordinates are
    metres, x to the right of a person who faces the camera, y up, z away from the camera.

    Args:
        action: its NTU number.
        performer: who does it, from 1.
        repetition: from 1.
        seed: of the whole sample.
        frames: its length; by default as long as the performer needs for the action.

    Returns:
        float32; M is 1 or 2, T about 40 to 80 by default.

    Raises:
        ValueError: there is no such action, or a number is out of range.
    """
    if action not in ACTIONS:
        raise ValueError(f"action {action} is not in the sample, expected one of {sorted(ACTIONS)}")
    clip_name(action, performer, repetition)
    if frames is not None and frames < 2:
        raise ValueError(f"frames is {frames}, expected at least 2")
    what = ACTIONS[action]
    rng = _rng(seed, 2, action, performer, repetition)
    first, second = _performer(performer, seed), _performer(performer + _PARTNER, seed)
    usual = round(FRAMES_PER_SECOND * what.seconds / (first.speed * rng.uniform(0.94, 1.06)))
    clock = np.linspace(0, 1, usual if frames is None else frames)
    # People hurry through one part of an action, linger over another, and start early or late.
    clock = clock + rng.uniform(-0.06, 0.06) * np.sin(np.pi * clock) + rng.uniform(-0.02, 0.02)
    liveliness = rng.uniform(0.85, 1.15)
    people = [_move(first, what.movements, what.mirrored, clock, liveliness, rng)]
    if what.people == 2:
        other = _move(second, what.partner, what.mirrored, clock, liveliness, rng)
        people.append(other * (-1, 1, -1) + (0, 0, what.distance))
        people = [person - (0, 0, what.distance / 2) for person in people]
    clip = _film(np.stack(people), first, rng)
    return clip.astype(np.float32)


def _keys(
    performers: int, repetitions: int, actions: Iterable[int]
) -> Iterator[tuple[int, int, int]]:
    """Action, performer and repetition numbers of a study."""
    actions = tuple(actions)
    for performer in range(1, performers + 1):
        for action in actions:
            for repetition in range(1, repetitions + 1):
                yield action, performer, repetition


def _rng(seed: int, *key: int) -> np.random.Generator:
    """A generator for one purpose, independent of what is drawn for others."""
    return np.random.default_rng(np.random.SeedSequence((seed, *key)))


def _performer(number: int, seed: int) -> Performer:
    """Draw a person; every tenth is left-handed."""
    rng = _rng(seed, 1, number)
    stature = rng.uniform(1.55, 1.90)
    limb, width = rng.uniform(0.96, 1.04), rng.uniform(0.93, 1.07)
    body = Body(
        stature=stature,
        trunk=(0.145 * stature, 0.145 * stature),
        neck=0.04 * stature,
        head=0.085 * stature,
        shoulder=0.100 * stature * width,
        hip=0.047 * stature * width,
        arm=(0.162 * stature * limb, 0.146 * stature * limb, 0.046 * stature),
        leg=(0.238 * stature * limb, 0.232 * stature * limb),
        foot=0.075 * stature,
        ankle=0.043 * stature,
        stance=0.06 * stature * rng.uniform(0.8, 1.4),
    )
    return Performer(
        body=body,
        speed=rng.uniform(0.95, 1.35),
        amplitude=rng.uniform(0.85, 1.15),
        stoop=rng.uniform(-1, 6),
        sway=rng.uniform(0.3, 1.5),
        view=rng.uniform(-30, 30),
        place=(rng.uniform(-0.35, 0.35), rng.uniform(2.7, 3.6)),
        camera_height=rng.uniform(0.9, 1.2),
        noise=rng.uniform(0.004, 0.009),
        left_handed=number % 10 == 7,
    )


def _move(
    person: Performer,
    movements: Movement,
    may_mirror: bool,
    clock: Float[np.ndarray, " T"],
    liveliness: float,
    rng: np.random.Generator,
) -> Float[np.ndarray, "T 25 3"]:
    """A person doing movements in their own manner, body frame."""
    always = (-1.0, -0.5, 2.0, 3.0)
    habits = (
        Motion("bend", (person.stoop,), always),
        Motion("side", (person.sway,), always, "sine", rng.uniform(1, 4), rng.uniform()),
        Motion("twist", (2 * person.sway,), always, "sine", rng.uniform(1, 4), rng.uniform()),
    )
    manner = Manner(person.amplitude * rng.uniform(0.92, 1.08), liveliness)
    joints = joints_of(person.body, perform((*movements, *habits), clock, person.body, manner))
    return mirrored(joints) if may_mirror and person.left_handed else joints


def _film(
    people: Float[np.ndarray, "M T 25 3"], performer: Performer, rng: np.random.Generator
) -> Float[np.ndarray, "M T 25 3"]:
    """People who stand around the origin, as the camera sees them, with its noise."""
    view = performer.view + rng.uniform(-15, 15)
    if len(people) == 2:
        # Two people stand side by side before the camera, the acting one left or right.
        view = 0.6 * view + (90 if performer.view > 0 else -90)
    nil = np.zeros((1, 1))
    seen = people @ rotation(nil, nil, nil + view)[0] * (1, 1, -1)
    x, z = performer.place
    seen += (x + rng.uniform(-0.1, 0.1), -performer.camera_height, z + rng.uniform(-0.1, 0.1))
    noise = rng.standard_normal(seen.shape)
    noise[:, 1:] = 0.7 * noise[:, 1:] + 0.7 * noise[:, :-1]  # errors persist between frames
    return seen + performer.noise * _NOISE[:, None] * _DEPTH_NOISE * noise
