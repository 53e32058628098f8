"""From tables to what is fitted to a phase's seen classes."""

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from msf_kedro.clips.clip import ClipsConfig
from msf_kedro.joins import rows_of
from msf_kedro.methods.contract.fitted import KINEMATICS
from msf_kedro.methods.contract.task import Task
from msf_kedro.texts.fusion import Texts, parse_texts
from msf_kedro.zero_shot.splits import seen_classes, trained_clips


def training_task(
    features: pd.DataFrame,
    roles: pd.DataFrame,
    text_features: pd.DataFrame,
    texts: str,
    encoder: str,
    clips: ClipsConfig,
) -> Task:
    """The training clips and the texts of a phase's seen classes.

    Args:
        features: of these clips, among others; kinematics are the last columns, if there are some.
    """
    values, labels = training_clips(features, roles)
    return Task(
        features=values,
        labels=labels,
        seen=Texts.of_table(text_features, parse_texts(texts), seen_classes(roles), encoder),
        layout=clips.layout,
        kinematics=kinematics_of(features),
    )


def training_clips(
    features: pd.DataFrame, roles: pd.DataFrame
) -> tuple[Float[Tensor, "n D"], Int[Tensor, " n"]]:
    """Features of a phase's training clips, and of each its place among the seen classes."""
    # By name, so that the same clips in another order give the same batches.
    trained = roles[trained_clips(roles)].sort_values("name")
    values = torch.tensor(rows_of(features, trained.name, "features").to_numpy())
    return values, torch.tensor(pd.Index(seen_classes(roles)).get_indexer(trained.class_id))


def kinematics_of(features: pd.DataFrame) -> int:
    """How many columns of features, the last ones, are kinematics."""
    return int(features.columns.str.startswith(KINEMATICS).sum())
