"""Shift-GCN on clips that always have all their bodies: absent ones are zeros, and count."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from msf_kedro import runtime

AT_ONCE = 16  # bodies; more take more memory and are not faster


class PaddedShiftGCN(nn.Module):
    """A trained Shift-GCN that answers as the release does: absent bodies count.

    In the release an absent body goes through the network as zeros, and the answer enters the
    mean over the clip's bodies. In evaluation mode that answer depends only on the body's place
    in the clip, so it is computed once per batch. Weights are frozen; the computation stays in
    float32 whatever the device.

    Args:
        network: a `ShiftGCN`.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network.requires_grad_(False)
        self.eval()

    def forward(
        self, clips: Float[Tensor, "N C T V M"]
    ) -> tuple[Float[Tensor, "N K"], Float[Tensor, "N D"]]:
        """Logits and features of clips in the release's layout, absent bodies all zeros.

        Raises:
            ValueError: the clips' shape is not `(N, 3, T, V, 2)` with the network's joints `V`, or
                the module is in training mode.
        """
        if self.training:
            raise ValueError("a padded Shift-GCN only answers in evaluation mode; call eval()")
        expected = ("N", 3, "T", self.network.architecture["joints"], len(self.network.norms))
        if clips.ndim != 5 or clips.shape[1::2] != expected[1::2] or clips.shape[4] != expected[4]:
            raise ValueError(f"clips have shape {tuple(clips.shape)}, expected {expected}")
        with runtime.full_precision(clips.device):
            clips = clips.to(self.network.classifier.weight.dtype)
            features = self._answers(clips.permute(0, 4, 1, 3, 2)).mean(dim=1)
            return self.network.classifier(features), features

    def of_bodies(
        self, bodies: Float[Tensor, "B C V T"], clip: Int[Tensor, " B"], person: Int[Tensor, " B"]
    ) -> tuple[Float[Tensor, "N K"], Float[Tensor, "N D"]]:
        """Logits and features of a batch of clips, given as to `ShiftGCN.forward`."""
        padded = bodies.new_zeros(int(clip[-1]) + 1, len(self.network.norms), *bodies.shape[1:])
        padded[clip, person] = bodies
        return self(padded.permute(0, 2, 4, 3, 1))

    def _answers(self, bodies: Float[Tensor, "N M C V T"]) -> Float[Tensor, "N M D"]:
        """Features of every body; for each place, absent bodies share one computation."""
        present: Bool[Tensor, "N M"] = (bodies != 0).flatten(2).any(dim=2)
        person = torch.arange(bodies.shape[1], device=bodies.device)
        absent = person[~present.all(dim=0)]
        zeros = bodies.new_zeros(len(absent), *bodies.shape[2:])
        parts = zip(
            torch.cat([bodies[present], zeros]).split(AT_ONCE),
            torch.cat([person.expand_as(present)[present], absent]).split(AT_ONCE),
            strict=True,
        )
        computed = torch.cat([self.network.body_features(*part) for part in parts])
        of_present, of_absent = computed.split([len(computed) - len(absent), len(absent)])
        answers = computed.new_zeros(len(person), computed.shape[1])
        answers[absent] = of_absent
        answers = answers.repeat(len(bodies), 1, 1)
        answers[present] = of_present
        return answers
