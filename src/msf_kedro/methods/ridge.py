"""Ridge regression from skeleton features to text features: the anchor that needs no training.

Closed form. A clip's predicted text is compared with the classes' texts by cosine. Features and
texts are centred on the training clips' mean and the seen classes' mean.
"""

import time
from typing import Annotated

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, PositiveFloat
from torch import Tensor

from msf_kedro.configuration import configuration
from msf_kedro.methods.contract.fitted import Fitted, Latents
from msf_kedro.methods.contract.nearest import Nearest
from msf_kedro.methods.contract.task import Task
from msf_kedro.networks.training import Checkpoint, Row
from msf_kedro.texts.fusion import Texts

Numbers = Annotated[list[PositiveFloat], Field(min_length=1)]


@configuration
class RidgeConfig:
    """What ridge chooses from on calibration clips.

    Attributes:
        regularisations: candidates, relative to the mean eigenvalue of the features' covariance,
            so that they do not depend on the features' scale.
        temperatures: of the soft-max over cosines.
    """

    regularisations: Numbers
    temperatures: Numbers


class Ridge(Nearest):
    """Ridge regression, fitted. Its candidates are the regularisations; every seed is the same."""

    Config = RidgeConfig

    @classmethod
    def fit(
        cls,
        task: Task,
        seeds: list[int],
        config: RidgeConfig,
        device: torch.device,
        name: str = "",
        checkpoint: Checkpoint | None = None,
    ) -> tuple[Fitted, list[Row]]:
        """In closed form, in double precision on the CPU; see `Fitted.fit`."""
        started = time.perf_counter()
        features, texts = task.features.double(), cls.inputs(task.seen)[0].double()
        shared = {"feature_mean": features.mean(0), "text_mean": texts.mean(0)}
        targets = (texts - shared["text_mean"])[task.labels]
        maps = ridge_maps(name, features - shared["feature_mean"], targets, config.regularisations)
        models = {"skeleton_map": maps[:, None].expand(-1, len(seeds), -1, -1)}
        candidates = [f"regularisation {number:g}" for number in config.regularisations]
        history = [{"epoch": 1, "seconds": time.perf_counter() - started}]
        return cls._of(task, seeds, config, candidates, shared, models), history

    def project(self, features: Float[Tensor, "n D"], candidate: int) -> Float[Tensor, "R n E"]:
        """Predicted texts, of unit norm."""
        centred = features.double() - self.shared["feature_mean"]
        return F.normalize(centred @ self.models["skeleton_map"][candidate], dim=-1)

    def latents(self, texts: Texts) -> Latents:
        """The texts themselves, centred, of unit norm."""
        centred = self.inputs(self.check_texts(texts))[0].double() - self.shared["text_mean"]
        models = self.models["skeleton_map"].shape[:2]
        return Latents(
            texts.class_ids, F.normalize(centred, dim=-1)[:, None].expand(*models, -1, -1, -1)
        )


def ridge_maps(
    name: str,
    features: Float[Tensor, "n D"],
    targets: Float[Tensor, "n E"],
    regularisations: list[float],
) -> Float[Tensor, "Y D E"]:
    """The linear map of every regularisation `r`: it minimises |X W - T|^2 / n + r m |W|^2.

    `m` is the mean eigenvalue of X' X / n. All come from one eigendecomposition.

    Raises:
        ValueError: all features are 0.
    """
    values, vectors = torch.linalg.eigh(features.mT @ features / len(features))
    mean = values.mean()
    if mean <= 0:
        raise ValueError(f"{name}: ridge needs training clips that differ, all features are alike")
    projected = vectors.mT @ (features.mT @ targets / len(features))
    penalties = mean * torch.tensor(regularisations, dtype=values.dtype)
    return vectors @ (projected / (values + penalties[:, None])[..., None])


METHOD = Ridge
