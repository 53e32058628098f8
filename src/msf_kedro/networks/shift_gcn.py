"""Shift-GCN: a graph convolution network that shifts joints and frames instead of summing them.

Activations are `(C, V, B, T)` with channels first, where `B` runs over the bodies that are there:
a 1x1 convolution is then one matrix product, a shift of joints moves contiguous rows, and an absent
body costs nothing. Batch norms that follow a convolution or precede a shift become part of it.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import torch
from jaxtyping import Float, Int
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from msf_kedro.configuration import configuration
from msf_kedro.networks.padded_shift_gcn import PaddedShiftGCN
from msf_kedro.networks.spatial_conv import JointBatchNorm, Pointwise, SpatialShiftConv
from msf_kedro.networks.temporal_conv import TemporalShiftConv
from msf_kedro.released.checkpoint import convert

CHANNELS = 3  # coordinates of a joint; 2 of poses in an image
PERSONS = 2  # bodies per clip with batch-norm statistics of their own


@configuration
class ShiftGCNConfig:
    """Architecture of one Shift-GCN.

    Attributes:
        widths: channels of each unit; the last is the width `D` of the features.
        strided_units: the units (counted from 1) that halve the number of frames.
    """

    widths: Annotated[list[PositiveInt], Field(min_length=1)]
    strided_units: list[int]

    def __post_init__(self):
        if any(not 2 <= unit <= len(self.widths) for unit in self.strided_units):
            raise ValueError(
                f"strided_units is {self.strided_units}, expected units from 2 to"
                f" {len(self.widths)}, the number of widths"
            )


class Unit(nn.Module):
    """A spatial, then a temporal shift convolution, with a residual around both."""

    def __init__(self, inputs: int, outputs: int, joints: int, stride: int, residual: bool):
        super().__init__()
        self.spatial = SpatialShiftConv(inputs, outputs, joints)
        self.temporal = TemporalShiftConv(outputs, stride)
        self.has_residual = residual
        changes_shape = inputs != outputs or stride != 1
        self.residual = (
            Pointwise(inputs, outputs, stride) if residual and changes_shape else nn.Identity()
        )

    def forward(self, x: Float[Tensor, "C V B T"]) -> Float[Tensor, "D V B U"]:
        residual = self.residual(x).flatten(1) if self.has_residual else None
        return self.temporal(self.spatial(x), residual)


class ShiftGCN(nn.Module):
    """Skeleton features and seen-class logits of clips (Cheng et al., CVPR 2020; MSF stage 1).

    Attributes:
        architecture: plain values that, with the number of classes, rebuild the network.
    """

    def __init__(self, config: ShiftGCNConfig, joints: int, classes: int, channels: int = CHANNELS):
        super().__init__()
        self.architecture = asdict(config) | {"joints": joints, "channels": channels}
        self.norms = nn.ModuleList(JointBatchNorm(channels, joints) for _ in range(PERSONS))
        inputs = (channels, *config.widths[:-1])
        self.units = nn.ModuleList(
            Unit(before, width, joints, 2 if number in config.strided_units else 1, number > 1)
            for number, (before, width) in enumerate(zip(inputs, config.widths, strict=True), 1)
        )
        self.classifier = nn.Linear(config.widths[-1], classes)
        nn.init.normal_(self.classifier.weight, 0, math.sqrt(2.0 / classes))

    @classmethod
    def from_state(
        cls, architecture: Mapping[str, Any], classes: int, state: Mapping[str, Tensor]
    ) -> "ShiftGCN":
        """The network of this `architecture` (see the attribute), with a saved state."""
        sizes = {name: architecture[name] for name in ("joints", "channels")}
        config = {name: value for name, value in architecture.items() if name not in sizes}
        network = cls(ShiftGCNConfig(**config), classes=classes, **sizes)
        network.load_state_dict(state)
        return network

    @classmethod
    def from_released(cls, state_dict: Mapping[str, Any]) -> PaddedShiftGCN:
        """The network of a released checkpoint, in evaluation mode.

        Calling it takes clips in the release's layout, `(N, 3, T, 25, 2)`, to logits and features.

        Raises:
            ValueError: this is not such a state dict; names keys, what was found and expected.
        """
        return PaddedShiftGCN(cls.from_state(*convert(state_dict)))

    def forward(
        self, bodies: Float[Tensor, "B C V T"], clip: Int[Tensor, " B"], person: Int[Tensor, " B"]
    ) -> tuple[Float[Tensor, "N K"], Float[Tensor, "N D"]]:
        """Logits and features of a batch of clips.

        Args:
            bodies: the bodies of all clips, one after another.
            clip: for each body its clip's place in the batch, from 0, ascending.
            person: for each body its place in the clip, 0 or 1.
        """
        of_bodies = self.body_features(bodies, person)
        counts = torch.bincount(clip)
        total = of_bodies.new_zeros(len(counts), of_bodies.shape[1]).index_add(0, clip, of_bodies)
        features = total / counts[:, None]
        return self.classifier(features), features

    def body_features(
        self, bodies: Float[Tensor, "B C V T"], person: Int[Tensor, " B"]
    ) -> Float[Tensor, "B D"]:
        """Features of bodies, each by itself; `person` is its place in its clip, 0 or 1."""
        if not len(bodies):
            return bodies.new_zeros(0, self.classifier.in_features)
        x = self._normalise(bodies.permute(1, 2, 0, 3), person)
        device, reduced = x.device.type, torch.is_autocast_enabled(x.device.type)
        x = x.to(torch.get_autocast_dtype(device)) if reduced else x
        with torch.autocast(device, enabled=False):  # units keep to the precision of what they get
            for unit in self.units:
                x = unit(x)
        return x.mean(dim=(1, 3), dtype=bodies.dtype).t()

    def _normalise(
        self, x: Float[Tensor, "C V B T"], person: Int[Tensor, " B"]
    ) -> Float[Tensor, "C V B T"]:
        """Batch norm with statistics of its own for first and for second bodies."""
        if not person.any():
            return self.norms[0](x)
        out = torch.empty_like(x)
        for place, norm in enumerate(self.norms):
            chosen = person == place
            out[:, :, chosen] = norm(x[:, :, chosen]).to(out.dtype)
        return out
