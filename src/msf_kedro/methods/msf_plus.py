"""MSF+: what networks learned, read as text, beside movements that texts foretell. Closed form.

Two experts, which err differently, and whose cosines are added:

- ridge regression from the Shift-GCNs' features to the texts (as the method `ridge`);
- ridge regression from the texts to the seen classes' mean kinematics, in their principal axes: a
  clip is compared with the kinematics that a class's words foretell. Kinematics are of no network,
  so that nothing in them is fitted to the seen classes.

Where there are no kinematics, as with released features, the second expert compares the networks'
features, whitened within classes, in the same way. `docs/msf_plus.md` has the evidence.
"""

import time
from typing import Annotated

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor

from msf_kedro.configuration import configuration
from msf_kedro.methods.contract.fitted import Fitted, Latents
from msf_kedro.methods.contract.nearest import Nearest
from msf_kedro.methods.contract.prototypes import centred, principal, whitened
from msf_kedro.methods.contract.space import Space
from msf_kedro.methods.contract.task import Task, apart
from msf_kedro.methods.ridge import Numbers, ridge_maps
from msf_kedro.networks.training import Checkpoint, Row
from msf_kedro.texts.fusion import Texts

MOVEMENT = "movement"  # the second expert's space, among the shared tensors


@configuration
class MsfPlusConfig:
    """Its few numbers.

    Attributes:
        to_text: regularisation from features to texts, see `ridge_maps`.
        to_movement: regularisation from texts to movements, see `dual_weights`.
        components: principal axes of the kinematics that are kept.
        shrinkage: see `whitening`; where there are no kinematics.
        weights: candidates, of the second expert's cosine beside the first one's 1.
        temperatures: of the soft-max over both, to choose from on calibration clips.
    """

    to_text: PositiveFloat
    to_movement: PositiveFloat
    components: PositiveInt
    shrinkage: Annotated[float, Field(ge=0, le=1)]
    weights: Numbers
    temperatures: Numbers


class MsfPlus(Nearest):
    """MSF+, fitted. Its candidates are the weights; every seed is the same."""

    Config = MsfPlusConfig
    KINEMATICS = True

    @classmethod
    def fit(
        cls,
        task: Task,
        seeds: list[int],
        config: MsfPlusConfig,
        device: torch.device,
        name: str = "",
        checkpoint: Checkpoint | None = None,
    ) -> tuple[Fitted, list[Row]]:
        """In closed form, in double precision on the CPU; see `Fitted.fit`."""
        started = time.perf_counter()
        learned, measured = apart(task.features.double(), task.kinematics)
        texts = cls.inputs(task.seen)[0].double()
        shared = {"text_mean": texts.mean(0), "feature_mean": learned.mean(0)}
        targets = (texts - shared["text_mean"])[task.labels]
        features = learned - shared["feature_mean"]
        (shared["skeleton_map"],) = ridge_maps(name, features, targets, [config.to_text])

        mapped = (
            whitened(learned, task.labels, len(texts), config.shrinkage)
            if measured is None
            else principal(measured, config.components)
        )
        values = learned if measured is None else measured
        shared["seen_texts"] = seen = centred(texts, shared["text_mean"])
        movement = Space.fit(values, task.labels, mapped, seen, config.to_movement)
        shared |= movement.state(MOVEMENT)
        weights = torch.tensor(config.weights, dtype=texts.dtype)
        models = {"skeleton_weight": weights[:, None].expand(-1, len(seeds)).clone()}
        candidates = [f"weight {weight:g}" for weight in config.weights]
        history = [{"epoch": 1, "seconds": time.perf_counter() - started}]
        return cls._of(task, seeds, config, candidates, shared, models), history

    def project(self, features: Float[Tensor, "n D"], candidate: int) -> Float[Tensor, "R n Z"]:
        """Predicted texts, then movements, each of unit norm, the latter weighted."""
        shared = self.shared
        learned, measured = apart(features.double(), self.about["kinematics"])
        as_text = (learned - shared["feature_mean"]) @ shared["skeleton_map"]
        moved = self._movement.place(learned if measured is None else measured)
        weight = self.models["skeleton_weight"][candidate][:, None, None]
        as_text = F.normalize(as_text, dim=-1).expand(len(weight), -1, -1)
        return torch.cat([as_text, weight * moved], -1)

    def latents(self, texts: Texts) -> Latents:
        """The texts themselves, then the movements that they foretell, each of unit norm."""
        shared = self.shared
        words = centred(self.inputs(self.check_texts(texts))[0].double(), shared["text_mean"])
        movements = self._movement.foretell(words @ shared["seen_texts"].mT)
        both = torch.cat([words, movements], -1)[:, None]
        return Latents(
            texts.class_ids, both.expand(*self.models["skeleton_weight"].shape, *both.shape)
        )

    @property
    def _movement(self) -> Space:
        return Space.of_state(self.shared, MOVEMENT)


METHOD = MsfPlus
