"""From raw clips to the clip table and the normalised skeletons; bad clips are set aside."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from msf_kedro.skeleton.layouts import Layout
from msf_kedro.skeleton.normalise import NormaliseConfig, check_clip, normalise
from msf_kedro.skeleton.store import Skeletons

logger = logging.getLogger(__name__)

OTHER_CLASS = "not a class of this study"
OWN_COLUMNS = ("name", "frames", "bodies", "kept", "reason")


@dataclass(frozen=True)
class ClipsConfig:
    """What clips are called and how many bad ones are accepted.

    Attributes:
        name_pattern: regular expression with named groups that matches a whole clip name; each
            group becomes an integer column of the clip table, `action` is needed.
        layout: name of the joint layout.
        max_rejected: largest accepted part of clips that cannot be used, from 0 to 1.
    """

    name_pattern: str
    layout: str
    max_rejected: float

    def __post_init__(self):
        try:
            groups = self.groups
        except re.error as error:
            raise ValueError(f"clips.name_pattern {self.name_pattern!r}: {error}") from error
        if "action" not in groups:
            raise ValueError(f"clips.name_pattern {self.name_pattern!r} has no group 'action'")
        taken = sorted(set(groups) & set(OWN_COLUMNS))
        if taken:
            raise ValueError(f"clips.name_pattern: groups {taken} are columns of the clip table")
        if not 0 <= self.max_rejected <= 1:
            raise ValueError(f"clips.max_rejected is {self.max_rejected}, expected 0 to 1")

    @property
    def groups(self) -> list[str]:
        """The pattern's named groups, in their order."""
        return list(re.compile(self.name_pattern).groupindex)


def prepare(
    raw: Mapping[str, Callable[[], np.ndarray]],
    classes: list[int],
    config: ClipsConfig,
    layout: Layout,
    normalise_config: NormaliseConfig,
) -> tuple[pd.DataFrame, Skeletons]:
    """Read, check and normalise all clips.

    Returns:
        The clip table, a row per raw clip in order of names: `name`, the pattern's groups,
        `frames`, `bodies`, `kept` and, where not kept, `reason`; and the kept clips in the
        table's order. Clips of other classes are left out without being read.

    Raises:
        ValueError: more than `max_rejected` of the classes' clips are bad, or none is left.
    """
    rows, bodies = [], []
    with logging_redirect_tqdm():
        for name in tqdm(sorted(raw), desc="clips", unit="clip", disable=None, leave=False):
            row, normalised = _prepare_one(
                name, raw[name], classes, config, layout, normalise_config
            )
            rows.append(row)
            if normalised is not None:
                bodies.append(normalised)
    table = pd.DataFrame(rows, columns=[OWN_COLUMNS[0], *config.groups, *OWN_COLUMNS[1:]])
    table[config.groups] = table[config.groups].astype("Int64")
    table["reason"] = table["reason"].astype("string")
    _check_rejected(table, config)
    counts = torch.tensor([0] + [len(clip) for clip in bodies])
    return table, Skeletons(torch.from_numpy(np.concatenate(bodies)), torch.cumsum(counts, 0))


def kept_clips(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the clips in the skeletons, in their order."""
    return table[table.kept].reset_index(drop=True)


def _prepare_one(name, load, classes, config, layout, normalise_config):
    """A clip's row and, if it can be used, its normalised bodies."""
    match = re.fullmatch(config.name_pattern, name)
    row = {
        "name": name,
        **dict.fromkeys(config.groups),
        "frames": 0,
        "bodies": 0,
        "kept": False,
        "reason": None,
    }
    if not match:
        return row | {"reason": "the name does not match clips.name_pattern"}, None
    for group, text in match.groupdict().items():
        if not (text or "").isdecimal():
            return row | {"reason": f"group {group} of the name is {text!r}, not a number"}, None
        row[group] = int(text)
    if row["action"] not in classes:
        return row | {"reason": OTHER_CLASS}, None
    try:
        clip = load()
    except Exception as error:  # whatever a damaged file makes a reader raise
        return row | {"reason": f"unreadable: {error.__cause__ or error}"}, None
    reason = check_clip(clip, layout)
    if reason:
        return row | {"reason": reason}, None
    normalised = normalise(clip, layout, normalise_config)
    return row | {"frames": clip.shape[1], "bodies": len(normalised), "kept": True}, normalised


def _check_rejected(table: pd.DataFrame, config: ClipsConfig) -> None:
    ours = table[table.reason.fillna("") != OTHER_CLASS]
    if ours.empty:
        raise ValueError(
            f"none of {len(table)} raw clips is of a class of this study; check the raw clips and"
            " the parameters clips.name_pattern and classes"
        )
    bad = ours[~ours.kept]
    for row in bad.itertuples():
        logger.warning("clip %s is set aside: %s", row.name, row.reason)
    logger.info(
        "%d clips kept, %d set aside, %d of other classes",
        len(ours) - len(bad),
        len(bad),
        len(table) - len(ours),
    )
    share = len(bad) / len(ours)
    if share > config.max_rejected or len(bad) == len(ours):
        raise ValueError(
            f"{len(bad)} of {len(ours)} clips cannot be used ({share:.1%}), accepted are"
            f" {config.max_rejected:.1%} (clips.max_rejected); the first is"
            f" {bad.name.iloc[0]}: {bad.reason.iloc[0]}"
        )
