"""From a pose to 25 joints: the human body as links, in the body's own frame.

Body frame: x to the person's right, y up, z to the front, the origin on the floor between the
feet, metres; in it a right arm and a left arm are mirror images in x. Angles are degrees:
`bend` forward, `side` and `twist` towards the right.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

# Joints that swap places in a left-right reflection.
_LEFT = (4, 5, 6, 7, 12, 13, 14, 15, 21, 22)
_RIGHT = (8, 9, 10, 11, 16, 17, 18, 19, 23, 24)

# Where hands go: offsets of the right hand from the spine-shoulder joint, along the trunk's axes,
# as fractions of the stature. An offset beyond the arm's reach stretches the arm.
PLACES: dict[str, tuple[float, float, float]] = {
    "rest": (0.150, -0.400, 0.020),
    "hanging": (0.110, -0.300, 0.250),
    "mouth": (0.015, 0.070, 0.085),
    "ear": (0.070, 0.090, 0.020),
    "forehead": (0.050, 0.125, 0.060),
    "crown": (0.030, 0.150, 0.030),
    "beside head": (0.200, 0.090, 0.070),
    "behind head": (0.170, 0.110, -0.110),
    "overhead": (0.150, 0.500, 0.050),
    "front": (0.080, 0.000, 0.500),
    "front high": (0.110, 0.060, 0.200),
    "front low": (0.080, -0.160, 0.300),
    "front inside": (-0.060, -0.010, 0.500),
    "side": (0.600, 0.000, 0.050),
    "chest": (0.012, -0.090, 0.170),
    "chest open": (0.110, -0.090, 0.170),
    "chest near": (0.008, -0.050, 0.115),
    "chest crossed": (-0.055, -0.010, 0.190),
    "shoulder front": (0.110, -0.060, 0.120),
    "other elbow": (-0.085, -0.125, 0.100),
    "belly": (0.050, -0.190, 0.140),
    "watch": (0.000, -0.090, 0.150),
    "hip": (0.150, -0.230, 0.060),
    "thigh": (0.080, -0.270, 0.150),
    "embrace": (-0.030, -0.060, 0.230),
    "embrace low": (-0.030, -0.150, 0.220),
}


@dataclass(frozen=True)
class Body:
    """The lengths of one person, metres.

    Attributes:
        stature: height; `PLACES` are fractions of it.
        trunk: spine base to spine middle, and spine middle to spine shoulder.
        neck, head: spine shoulder to neck, neck to head.
        shoulder, hip: from the midline to each side.
        arm: upper arm, forearm, hand.
        leg: thigh, shin.
        foot: ankle to toe.
        ankle: height of an ankle above the floor.
        stance: from the midline to each foot when standing.
    """

    stature: float
    trunk: tuple[float, float]
    neck: float
    head: float
    shoulder: float
    hip: float
    arm: tuple[float, float, float]
    leg: tuple[float, float]
    foot: float
    ankle: float
    stance: float

    def hip_height(self) -> float:
        """Height of the spine base when this person stands with knees almost straight."""
        return self.ankle + 0.985 * sum(self.leg) + 0.02

    def arm_direction(self, place: str) -> Float[np.ndarray, "3"]:
        """A place as the right shoulder sees it: elevation, azimuth (0 front, 90 outward), reach.

        Angles are in radians, reach is a fraction of the arm's length, at most 0.97.
        """
        offset = np.array(PLACES[place]) * self.stature - (self.shoulder, -0.015, 0.0)
        distance = np.linalg.norm(offset)
        elevation = np.arcsin(offset[1] / distance)
        azimuth = np.arctan2(offset[0], offset[2])
        return np.array((elevation, azimuth, min(distance / sum(self.arm), 0.97)))


@dataclass(frozen=True)
class Pose:
    """What a body does in each frame.

    Attributes:
        pelvis: spine base, offset from standing.
        lift: height of the whole body above where the rest of the pose puts it.
        bend, side, twist: angles of the trunk; nod: forward angle of the head against it.
        turn: heading, towards the right.
        arms: elevation, azimuth, reach of each hand (see `Body.arm_direction`), right then left.
        waves: offset of each hand, trunk axes, x outward.
        touches: weight and weighted point: each hand moves from its arm direction to a point of
            the body frame (x outward) in proportion to the weight.
        elbows: how far each elbow is held up and out, 0..1.
        feet: offset of each ankle from standing, x outward.
    """

    pelvis: Float[np.ndarray, "T 3"]
    lift: Float[np.ndarray, "T 1"]
    bend: Float[np.ndarray, "T 1"]
    side: Float[np.ndarray, "T 1"]
    twist: Float[np.ndarray, "T 1"]
    nod: Float[np.ndarray, "T 1"]
    turn: Float[np.ndarray, "T 1"]
    arms: Float[np.ndarray, "2 T 3"]
    waves: Float[np.ndarray, "2 T 3"]
    touches: Float[np.ndarray, "2 T 4"]
    elbows: Float[np.ndarray, "2 T 1"]
    feet: Float[np.ndarray, "2 T 3"]


def joints_of(body: Body, pose: Pose) -> Float[np.ndarray, "T 25 3"]:
    """The 25 Kinect v2 joints of a body, body frame."""
    joints = np.zeros((len(pose.pelvis), 25, 3))
    # Someone bending forward moves the pelvis back to keep their balance.
    back = -0.12 * np.sin(np.radians(np.clip(pose.bend, 0, 90)))
    rise = body.hip_height() + pose.lift
    joints[:, 0] = pose.pelvis + np.concatenate([np.zeros_like(rise), rise, back], axis=1)
    trunk = _place_trunk(body, pose, joints)
    for index, (side, shoulder, hip, tip) in enumerate(((1, 8, 16, 23), (-1, 4, 12, 21))):
        _place_arm(body, pose, joints, trunk, index, side, shoulder, tip)
        _place_leg(body, pose, joints, index, side, hip)
    return joints @ rotation(0 * pose.turn, 0 * pose.turn, pose.turn)


def mirrored(joints: Float[np.ndarray, "T 25 3"]) -> Float[np.ndarray, "T 25 3"]:
    """A body reflected left to right: its right hand does what its left hand did."""
    reflected = joints * (-1, 1, 1)
    reflected[:, _LEFT + _RIGHT] = reflected[:, _RIGHT + _LEFT]
    return reflected


def rotation(
    bend: Float[np.ndarray, "T 1"], side: Float[np.ndarray, "T 1"], twist: Float[np.ndarray, "T 1"]
) -> Float[np.ndarray, "T 3 3"]:
    """Matrices that bend row vectors (on their left), then lean them sideways, then twist them."""
    (sb, ss, st), (cb, cs, ct) = (
        [wave(np.radians(angle[:, 0])) for angle in (bend, side, twist)]
        for wave in (np.sin, np.cos)
    )
    one, nil = np.ones_like(sb), np.zeros_like(sb)
    forward = np.array(((one, nil, nil), (nil, cb, sb), (nil, -sb, cb)))
    sideways = np.array(((cs, -ss, nil), (ss, cs, nil), (nil, nil, one)))
    around = np.array(((ct, nil, -st), (nil, one, nil), (st, nil, ct)))
    return np.einsum("ijt,jkt,klt->til", forward, sideways, around)


def two_links(
    root: Float[np.ndarray, "T 3"],
    target: Float[np.ndarray, "T 3"],
    first: float,
    second: float,
    pole: Float[np.ndarray, "T 3"],
) -> tuple[Float[np.ndarray, "T 3"], Float[np.ndarray, "T 3"], Float[np.ndarray, "T 3"]]:
    """Reach for a target with two links, the middle joint bent towards the pole.

    If the target is out of reach, the links stretch towards it.

    Returns:
        middle joint, end, and the unit vector, perpendicular to the line from root to end, along
        which the middle joint is displaced.
    """
    line = target - root
    length = np.linalg.norm(line, axis=1, keepdims=True)
    line = line / np.maximum(length, 1e-6)
    length = np.clip(length, abs(first - second) + 0.05, 0.998 * (first + second))
    along = (first**2 - second**2 + length**2) / (2 * length)
    across = pole - line * (pole * line).sum(axis=1, keepdims=True)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    middle = root + along * line + np.sqrt(np.maximum(first**2 - along**2, 0)) * across
    return middle, root + length * line, across


def _place_trunk(
    body: Body, pose: Pose, joints: Float[np.ndarray, "T 25 3"]
) -> Float[np.ndarray, "T 3 3"]:
    """Place spine, neck, head, shoulders and hips; return the upper trunk's rotation."""
    lower = rotation(pose.bend * 0.6, pose.side * 0.5, pose.twist * 0.3)
    upper = rotation(pose.bend, pose.side, pose.twist)
    head = rotation(pose.nod, 0 * pose.nod, 0 * pose.nod) @ upper
    joints[:, 1] = joints[:, 0] + (0, body.trunk[0], 0) @ lower
    joints[:, 20] = joints[:, 1] + (0, body.trunk[1], 0) @ upper
    joints[:, 2] = joints[:, 20] + (0, body.neck, 0.01) @ upper
    joints[:, 3] = joints[:, 2] + (0, body.head, 0.025) @ head
    pelvis = rotation(pose.bend * 0.2, 0 * pose.side, pose.twist * 0.15)
    for side, shoulder, hip in ((1, 8, 16), (-1, 4, 12)):
        joints[:, shoulder] = joints[:, 20] + (side * body.shoulder, -0.015, 0) @ upper
        joints[:, hip] = joints[:, 0] + (side * body.hip, -0.02, 0) @ pelvis
    return upper


def _place_arm(
    body: Body,
    pose: Pose,
    joints: Float[np.ndarray, "T 25 3"],
    trunk: Float[np.ndarray, "T 3 3"],
    index: int,
    side: int,
    shoulder: int,
    tip: int,
) -> None:
    """Place elbow, wrist, hand, hand tip and thumb of one side."""
    outward = np.array((side, 1, 1))
    elevation, azimuth, reach = pose.arms[index].T
    offset = (
        np.cos(elevation) * np.sin(azimuth),
        np.sin(elevation),
        np.cos(elevation) * np.cos(azimuth),
    )
    hand = (reach * sum(body.arm) * np.array(offset)).T
    hand = joints[:, shoulder] + np.einsum("ti,tij->tj", hand * outward, trunk)
    weight, point = pose.touches[index, :, :1], pose.touches[index, :, 1:]
    hand = (1 - weight) * hand + point * outward
    hand = hand + np.einsum("ti,tij->tj", pose.waves[index] * outward, trunk)
    up = pose.elbows[index]
    # Elbows point down and out, and backward below a hanging hand, forward below a raised one.
    forward = 0.45 * np.sin(elevation)[:, None]
    pole = np.concatenate([0.5 + 0.8 * up, 1.3 * up - 1, forward], axis=1) * outward
    pole = np.einsum("ti,tij->tj", pole, trunk)
    upper, fore, palm = body.arm
    elbow, hand, across = two_links(joints[:, shoulder], hand, upper, fore + palm, pole)
    along = (hand - elbow) / (fore + palm)
    joints[:, shoulder + 1] = elbow
    joints[:, shoulder + 2] = elbow + fore * along
    joints[:, shoulder + 3] = hand
    joints[:, tip] = hand + 0.95 * palm * along
    joints[:, tip + 1] = joints[:, shoulder + 2] + palm * (0.5 * along - 0.5 * across)


def _place_leg(
    body: Body, pose: Pose, joints: Float[np.ndarray, "T 25 3"], index: int, side: int, hip: int
) -> None:
    """Place knee, ankle and foot of one side."""
    outward = np.array((side, 1, 1))
    ankle = ((body.stance, body.ankle, 0) + pose.feet[index]) * outward
    ankle[:, 1] += pose.lift[:, 0]
    pole = np.broadcast_to((0.12 * side, 0.35, 1.0), ankle.shape)
    knee, ankle, across = two_links(joints[:, hip], ankle, *body.leg, pole)
    # A foot on the floor is flat; one in the air points along the front of its shin.
    shin = (ankle - knee) / body.leg[1]
    hanging = across - shin * (across * shin).sum(axis=1, keepdims=True) + 0.6 * shin
    airborne = np.clip((ankle[:, 1:2] - body.ankle - 0.02) / 0.15, 0, 1)
    flat = np.array((0.25 * side, -0.6 * body.ankle / body.foot, 1.0))
    toes = (
        airborne * hanging / np.linalg.norm(hanging, axis=1, keepdims=True) + (1 - airborne) * flat
    )
    joints[:, hip + 1] = knee
    joints[:, hip + 2] = ankle
    joints[:, hip + 3] = ankle + body.foot * toes / np.linalg.norm(toes, axis=1, keepdims=True)
