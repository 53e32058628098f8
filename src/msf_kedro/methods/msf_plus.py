"""MSF+: where clips of a class should be, foretold from its words. Closed form.

Two experts, which err differently, and whose cosines are added. Each is ridge regression from the
texts to the seen classes' means in a space that is whitened within classes; a clip is compared with
what a class's words foretell there.

- One space is of the Shift-GCNs' features: what tells the seen classes apart.
- The other is of kinematics, in their principal axes: how far and how fast which joints move. They
  are of no network, so that nothing in them is fitted to the seen classes.

Texts are alike as far as the encoder's vectors are, and as they name the same parts of the body on
the same side and the same movements (`Wording`). A class whose words foretell a place amid seen
classes, where clips of any class lie near, is counted less (`Space.crowding`). Where there are no
kinematics, as with released features, the first expert is alone. `docs/msf_plus.md` has the
evidence.
"""

import time
from dataclasses import replace
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor

from msf_kedro.configuration import configuration
from msf_kedro.methods.contract.fitted import Classifier, Fitted, Latents
from msf_kedro.methods.contract.nearest import Nearest
from msf_kedro.methods.contract.space import Space
from msf_kedro.methods.contract.task import Task, apart
from msf_kedro.methods.contract.wording import Wording
from msf_kedro.methods.ridge import Numbers
from msf_kedro.networks.training import Checkpoint, Row
from msf_kedro.texts.fusion import Texts

# Names among the shared tensors: of the texts, and of the experts' spaces.
WORDING, LEARNED, MOVED = "wording", "learned", "moved"


@configuration
class MsfPlusConfig:
    """Its few numbers.

    Attributes:
        regularisation: from texts to both spaces, see `dual_weights`.
        shrinkage: of both spaces, see `whitening`.
        components: principal axes of the kinematics that are kept.
        weights: candidates, of the kinematics' cosine beside the features' 1.
        temperatures: of the soft-max over both, to choose from on calibration clips.
    """

    regularisation: PositiveFloat
    shrinkage: Annotated[float, Field(ge=0, le=1)]
    components: PositiveInt
    weights: Numbers
    temperatures: Numbers


class MsfPlus(Nearest):
    """MSF+, fitted. Its candidates are the weights; every seed is the same."""

    Config = MsfPlusConfig
    KINEMATICS = True
    PLAIN_WORDS = True

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
        wording = Wording.fit(task.seen)
        seen = wording.vectors(task.seen)
        learned, measured = apart(task.features.double(), task.kinematics)
        values = {LEARNED: (learned, None), MOVED: (measured, config.components)}
        shared = wording.state(WORDING) | {"seen_texts": seen}
        for space, (of_clips, components) in values.items():
            if of_clips is not None:
                fitted = Space.fit(of_clips, task.labels, len(seen), config.shrinkage, components)
                shared |= fitted.foretelling(seen, config.regularisation).state(space)
        weights = torch.tensor(config.weights, dtype=seen.dtype)
        models = {"skeleton_weight": weights[:, None].expand(-1, len(seeds)).clone()}
        candidates = [f"weight {weight:g}" for weight in config.weights]
        history = [{"epoch": 1, "seconds": time.perf_counter() - started}]
        return cls._of(task, seeds, config, candidates, shared, models), history

    def project(self, features: Float[Tensor, "n D"], candidate: int) -> Float[Tensor, "R n Z"]:
        """Places in both spaces, of unit norm each, the kinematics' weighted."""
        learned, measured = apart(features.double(), self.about["kinematics"])
        weight = self.models["skeleton_weight"][candidate][:, None, None]
        places = [self._space(LEARNED).place(learned).expand(len(weight), -1, -1)]
        if measured is not None:
            places.append(weight * self._space(MOVED).place(measured))
        return torch.cat(places, -1)

    def latents(self, texts: Texts) -> Latents:
        """What the texts foretell in both spaces, of unit norm each."""
        words = Wording.of_state(self.shared, WORDING).vectors(self.check_texts(texts))
        likeness = words @ self.shared["seen_texts"].mT
        spaces = [LEARNED, *([MOVED] if self.about["kinematics"] else [])]
        both = torch.cat([self._space(space).foretell(likeness) for space in spaces], -1)[:, None]
        return Latents(
            texts.class_ids, both.expand(*self.models["skeleton_weight"].shape, *both.shape)
        )

    def classifier(
        self, latents: Latents, device: torch.device, name: str = ""
    ) -> tuple[Classifier, list[Row]]:
        """The nearest place wins, less how crowded it is."""
        found, history = super().classifier(latents, device, name)
        places = latents.values[0, 0, :, 0]  # all candidates and seeds foretell the same
        learned = self._space(LEARNED)
        width = learned.means.shape[1]
        crowded = learned.crowding(places[:, :width]).expand_as(found.bias)
        if self.about["kinematics"]:
            weights = self.models["skeleton_weight"][..., None, None]
            crowded = crowded + weights * self._space(MOVED).crowding(places[:, width:])
        return replace(found, bias=-crowded), history

    def _space(self, name: str) -> Space:
        return Space.of_state(self.shared, name)


METHOD = MsfPlus
