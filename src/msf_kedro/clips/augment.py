"""Random changes of training clips: each is turned, scaled and cropped in time as a whole."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class AugmentConfig:
    """How much training clips may be changed; all zeros leave them as they are.

    Attributes:
        turn: largest turn about the vertical axis, in rad; of poses in an image, none.
        tilt: largest turn about each horizontal axis, in rad; of poses in an image, about the one
            that points at the viewer.
        scale: largest relative change of size.
        crop: largest share of the frames cut off at each end; the rest is stretched to the window.
    """

    turn: float
    tilt: float
    scale: float
    crop: float

    def __post_init__(self):
        if min(self.turn, self.tilt) < 0:
            raise ValueError(f"augment.turn {self.turn} and tilt {self.tilt} must not be negative")
        if not 0 <= self.scale < 1:
            raise ValueError(f"augment.scale is {self.scale}, expected 0 to 1")
        if not 0 <= self.crop < 0.5:
            raise ValueError(f"augment.crop is {self.crop}, expected 0 to 0.5")


def augment(
    bodies: Float[Tensor, "B C V T"],
    clip: Int[Tensor, " B"],
    config: AugmentConfig,
    generator: torch.Generator,
) -> Float[Tensor, "B C V T"]:
    """Changed bodies; those of one clip change alike. Random numbers are drawn on the CPU."""
    clips = int(clip[-1]) + 1
    draws = torch.rand(clips, 6, generator=generator).to(bodies.device)[clip]
    angles = (2 * draws[:, :3] - 1) * draws.new_tensor([config.tilt, config.tilt, config.turn])
    scale = 1 + (2 * draws[:, 3] - 1) * config.scale
    turns = _rotations(angles) if bodies.shape[1] == 3 else _turns(angles[:, 0])
    transform = turns * scale[:, None, None]
    turned = torch.einsum("bij,bjvt->bivt", transform, bodies)
    return _crop(turned, draws[:, 4:] * config.crop) if config.crop else turned


def _rotations(angles: Float[Tensor, "B 3"]) -> Float[Tensor, "B 3 3"]:
    """Rotation matrices from rotation vectors (exponential map), on their device."""
    x, y, z = angles.unbind(1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).view(-1, 3, 3)
    return torch.linalg.matrix_exp(cross)


def _turns(angle: Float[Tensor, " B"]) -> Float[Tensor, "B 2 2"]:
    """Rotation matrices in the plane."""
    sin, cos = angle.sin(), angle.cos()
    return torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)


def _crop(bodies: Float[Tensor, "B C V T"], cut: Float[Tensor, "B 2"]) -> Float[Tensor, "B C V T"]:
    """Cut the given shares off the start and the end and stretch the rest over the window."""
    frames = bodies.shape[-1]
    start, end = cut[:, :1] * (frames - 1), (1 - cut[:, 1:]) * (frames - 1)
    times = start + (end - start) * torch.linspace(0, 1, frames, device=bodies.device)
    left = times.floor().long().clamp_max(frames - 2)
    weight = (times - left)[:, None, None]
    left = left[:, None, None].expand(bodies.shape)
    return (1 - weight) * bodies.gather(-1, left) + weight * bodies.gather(-1, left + 1)
