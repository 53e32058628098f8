"""Poses in an image, as an estimator finds them: the sample's people, seen by a pinhole camera."""

import numpy as np

from msf_kedro.clips.layouts import get_layout
from msf_kedro.sample import generate_clip

FOCAL, CENTRE = 1000.0, (960.0, 540.0)  # pixels
KINECT = get_layout("kinect_v2_25").joints.index
COCO = get_layout("coco_17").joints[:17]
# Metres from the head: to the person's left, up, to the front.
FACE = {
    "nose": (0.0, -0.03, 0.1),
    "left eye": (0.03, 0.0, 0.08),
    "right eye": (-0.03, 0.0, 0.08),
    "left ear": (0.07, 0.0, 0.0),
    "right ear": (-0.07, 0.0, 0.0),
}


def coco_clip(action: int, performer: int, repetition: int, seed: int = 0) -> np.ndarray:
    """A clip of the sample as COCO's joints, `(M, T, 17, 3)`: x, y, confidence."""
    return in_image(generate_clip(action, performer, repetition, seed), seed)


def in_image(clip: np.ndarray, seed: int = 0) -> np.ndarray:
    """Kinect v2 clips, filmed; joints are found with confidences of 0.5 to 1."""
    left = clip[:, :, KINECT("left shoulder")] - clip[:, :, KINECT("right shoulder")]
    left = left / np.linalg.norm(left, axis=-1, keepdims=True)
    up = np.broadcast_to((0.0, 1.0, 0.0), left.shape)
    front = np.cross(left, up)
    head = clip[:, :, KINECT("head")]
    points = np.stack(
        [
            head + FACE[joint][0] * left + FACE[joint][1] * up + FACE[joint][2] * front
            if joint in FACE
            else clip[:, :, KINECT(joint)]
            for joint in COCO
        ],
        axis=2,
    )
    x, y, z = np.moveaxis(points, -1, 0)
    confidence = np.random.default_rng(seed).uniform(0.5, 1, x.shape)
    seen = (CENTRE[0] - FOCAL * x / z, CENTRE[1] - FOCAL * y / z, confidence)
    return np.stack(seen, axis=-1).astype(np.float32)
