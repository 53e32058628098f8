"""A classifier whose answers are written in the clips' features, for tests of what follows it."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from msf_kedro.methods.contract.fitted import Classifier
from msf_kedro.methods.contract.nearest import Nearest

Run = tuple[int, int]  # candidate, from 1, and seed


class Written(Nearest):
    """Features are the latents; cannot be fitted."""

    Config = None

    @classmethod
    def fit(cls, task, seeds, config, device, name=""):
        raise NotImplementedError

    def latents(self, texts):
        raise NotImplementedError

    def project(self, features, candidate):
        return features.expand(len(self.seeds), -1, -1)


def written(
    logits: Mapping[Run, np.ndarray],
    names: Sequence[str],
    class_ids: Sequence[int],
    temperatures: Sequence[float] = (1.0,),
) -> tuple[Classifier, pd.DataFrame]:
    """A classifier and features of some clips, for which it has the given logits.

    Args:
        logits: of every candidate and seed, a row per clip and a column per class.
    """
    candidates, seeds = (sorted({run[i] for run in logits}) for i in (0, 1))
    classes = len(class_ids)
    runs = list(logits)
    weight = torch.zeros(len(candidates), len(seeds), len(runs) * classes, classes)
    for place, (candidate, seed) in enumerate(runs):
        block = slice(place * classes, (place + 1) * classes)
        weight[candidate - 1, seeds.index(seed), block] = torch.eye(classes)
    about = {"method": "written", "candidates": [f"model {c}" for c in candidates], "seeds": seeds}
    about |= {"widths": {"skeleton": weight.shape[2]}}
    models = {"skeleton": torch.zeros(len(candidates), len(seeds))}
    bias = torch.zeros(len(candidates), len(seeds), 1, classes)
    classifier = Classifier(
        Written(about, {}, models), list(class_ids), weight, bias, False, list(temperatures)
    )
    columns = np.concatenate([logits[run] for run in runs], axis=1).astype(np.float32)
    features = pd.DataFrame(columns, index=pd.Index(names, name="name")).add_prefix("f")
    return classifier, features
