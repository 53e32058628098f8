"""The sample's clips as the `.skeleton` files of the NTU RGB+D data sets."""

import numpy as np
from jaxtyping import Float

# Columns filled as a Kinect v2 would: focal length and principal point, in pixels, of the depth and
# the colour camera, an orientation (w x y z), a tracking state.
_DEPTH_CAMERA = (365.0, 256.4, 208.5)
_COLOUR_CAMERA = (1060.0, 975.0, 567.5)
_ORIENTATION = (1.0, 0.0, 0.0, 0.0)
_TRACKED = 2
_FIRST_BODY_ID = 72057594037931101


def write_skeleton(clip: Float[np.ndarray, "M T 25 3"]) -> str:
    """Write a clip as `.skeleton` text that `clips.ntu` reads back unchanged.

    A body that is all zeros in a frame counts as absent and is not listed. The text can therefore
    only be read back if no body is absent from a frame with a later body, and if every body is
    present in some frame. The nine columns after x y z are plausible fillers.

    Raises:
        ValueError: the text could not be read back.
    """
    clip = np.asarray(clip, dtype=np.float32)
    present = (clip != 0).any(axis=(2, 3))
    gaps = np.argwhere(present[1:] & ~present[:-1])
    if len(gaps):
        body, frame = gaps[0]
        raise ValueError(
            f"clip frame {frame + 1} holds body {body + 2} but not body {body + 1}; "
            "a .skeleton file numbers bodies by place and cannot express that"
        )
    if not present.any(axis=1).all():
        body = int(np.argmin(present.any(axis=1)))
        raise ValueError(f"clip body {body + 1} is all zeros in every frame; drop it")
    rows = _joint_rows(clip)
    lines = [str(clip.shape[1])]
    for frame in range(clip.shape[1]):
        places = np.flatnonzero(present[:, frame])
        lines.append(str(len(places)))
        for place in places:
            lines.append(f"{_FIRST_BODY_ID + place} 0 1 1 1 1 0 0 0 {_TRACKED}")
            lines.append(str(clip.shape[2]))
            lines.extend(_line(row) for row in rows[place, frame].tolist())
    return "\n".join(lines) + "\n"


def _joint_rows(clip: Float[np.ndarray, "M T 25 3"]) -> Float[np.ndarray, "M T 25 12"]:
    """The 12 columns of each joint: its position, its pixel in both images, fillers."""
    clip = clip.astype(np.float64)
    x, y, z = np.moveaxis(clip, -1, 0)
    z = np.where(np.abs(z) > 1e-3, z, np.inf)
    with np.errstate(invalid="ignore"):
        pixels = [
            (centre_x + focal * x / z, centre_y - focal * y / z)
            for focal, centre_x, centre_y in (_DEPTH_CAMERA, _COLOUR_CAMERA)
        ]
    images = np.stack([axis for pixel in pixels for axis in pixel], axis=-1)
    fillers = np.broadcast_to((*_ORIENTATION, _TRACKED), (*x.shape, 5))
    return np.concatenate([clip, images, fillers], axis=-1)


def _line(row: list[float]) -> str:
    """One joint's line: 9 significant digits identify a float32, pixels need fewer."""
    return " ".join([f"{v:.9g}" for v in row[:3]] + [f"{v:.7g}" for v in row[3:]])
