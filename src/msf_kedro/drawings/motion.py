"""A clip as it is drawn: few frames, whole numbers, upright.

    motion = raw_motion(clip, layout, config)      # as recorded: whoever walks moves
    motion = Motion.of(bodies, layout)             # normalised: the first body stays in place

Axes of a 3-D motion: x to the person's right, y to the front, z up; of a 2-D one: x to the right
of the image, y up.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from msf_kedro.clips.complete import complete
from msf_kedro.clips.layouts import Layout
from msf_kedro.clips.normalise import NormaliseConfig, occupied, select_bodies, turn

FRAMES = 48  # of a drawn clip at most; the player moves smoothly between them
HEIGHT = 170  # of a person, drawn; a unit is about a centimetre
RATE = 30  # frames a second, where nothing says how fast a clip was recorded
HEADS = ("head", "nose")
SIDES = ("middle", "left", "right")


@dataclass(frozen=True)
class Motion:
    """A clip to draw.

    Attributes:
        points: of the bodies' joints; a median pose extends over `HEIGHT`.
        present: which frames hold which body.
        bones: pairs of joints.
        sides: of each bone, an index to `SIDES`.
        head: the joint that is drawn as the head; None where the layout has none.
        frames: of the clip before it was thinned.
    """

    points: Int[np.ndarray, "B T V D"]
    present: np.ndarray
    bones: tuple[tuple[int, int], ...]
    sides: tuple[int, ...]
    head: int | None
    frames: int

    @classmethod
    def of(
        cls, bodies: Float[np.ndarray, "B T V D"], layout: Layout, frames: int | None = None
    ) -> "Motion":
        """Upright bodies, all zeros in frames that do not hold them, with derived joints.

        Args:
            frames: of the clip, where these are not all of them.
        """
        there = occupied(bodies)
        chosen = _thinned(bodies.shape[1])
        scale = HEIGHT / _extent(bodies[there])
        bones = tuple((j, p) for j, p in enumerate(layout.parents) if j != p)
        return cls(
            points=np.rint(bodies[:, chosen] * scale).astype(np.int64),
            present=there[:, chosen],
            bones=bones,
            sides=tuple(_side(layout.joints[joint]) for joint, _ in bones),
            head=next((n for n, joint in enumerate(layout.joints) if joint in HEADS), None),
            frames=frames or bodies.shape[1],
        )

    @property
    def seconds(self) -> float:
        """How long it takes at `RATE`."""
        return self.frames / RATE

    @property
    def dimensions(self) -> int:
        return self.points.shape[-1]

    def plain(self) -> dict[str, Any]:
        """As the player takes it: plain values, a body's frames as flat lists or null."""
        bodies = [
            [frame.ravel().tolist() if held else None for frame, held in zip(b, p, strict=True)]
            for b, p in zip(self.points, self.present, strict=True)
        ]
        return {
            "dimensions": self.dimensions,
            "seconds": round(self.seconds, 2),
            "bones": [list(bone) for bone in self.bones],
            "sides": list(self.sides),
            "head": self.head,
            "bodies": bodies,
        }


def raw_motion(
    clip: Float[np.ndarray, "M T V C"], layout: Layout, config: NormaliseConfig
) -> Motion:
    """A valid raw clip (see `check_clip`), turned upright by its first pose, and not resampled.

    Unlike in a normalised clip the person is not held in place: who walks or jumps moves.
    """
    whole = complete(clip, layout, config.min_confidence, config.max_missing)
    bodies = select_bodies(whole.astype(np.float64))
    held = occupied(bodies)
    first = int(held[0].argmax())
    origin = bodies[0, first, layout.centre]
    bodies = (bodies - origin) * held[..., None, None]
    if layout.dimensions == 2:
        return Motion.of(bodies * (1, -1), layout)
    ahead = np.concatenate([bodies[:, first : first + 1], bodies], axis=1)
    return Motion.of(turn(ahead, layout)[:, 1:], layout)


def _thinned(frames: int) -> np.ndarray:
    """The frames that are kept, at equal distances, first and last among them."""
    kept = min(frames, FRAMES)
    return np.rint(np.linspace(0, frames - 1, kept)).astype(int)


def _extent(poses: Float[np.ndarray, "n V D"]) -> float:
    """How far a pose extends along its longest axis, the median; 1 where all joints are one."""
    extents = np.ptp(poses, axis=1).max(axis=-1, initial=0)
    return float(np.median(extents[extents > 0])) if extents.any() else 1.0


def _side(joint: str) -> int:
    words = joint.split()
    return next((n for n, side in enumerate(SIDES) if side in words), 0)
