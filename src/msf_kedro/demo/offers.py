"""Clips to pick from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msf_kedro.clips.limits import Limits

WITHOUT, WITH, GIVEN = (
    "Of classes without training clips",
    "Of classes with training clips",
    "Yours",
)
OF_UNSEEN, OF_SEEN = 3, 1  # clips of each class
MOST = 200

Load = Callable[[Limits], np.ndarray]


@dataclass(frozen=True)
class Offer:
    """A clip to pick.

    Attributes:
        name: of the clip.
        load: reads it, as an array `(bodies, frames, joints, values)`.
        group: the heading under which it stands.
        label: of the class that it shows; None where nobody has said.
    """

    name: str
    load: Load
    group: str = GIVEN
    label: str | None = None


def of_study(
    clips: Mapping[str, Load], roles: pd.DataFrame, labels: Mapping[int, str]
) -> list[Offer]:
    """Some test clips of a study, `MOST` at most, those of unseen classes first.

    Args:
        clips: name → function that reads the clip.
        roles: the columns `name`, `class_id`, `side` and `part`.
        labels: `class_id` → label.
    """
    test = roles[(roles.part == "test") & roles.name.isin(clips.keys())].sort_values("name")
    sides = {"unseen": (WITHOUT, OF_UNSEEN), "seen": (WITH, OF_SEEN)}
    offers = []
    for side, (group, each) in sides.items():
        some = test[test.side == side].groupby("class_id").head(each)
        offers += [
            Offer(row.name, clips[row.name], group, labels[row.class_id])
            for row in some.sort_values(["class_id", "name"]).itertuples(index=False)
        ]
    return offers[:MOST]


def of_folder(clips: Mapping[str, Load]) -> Iterator[Offer]:
    """The clips of a folder, the first `MOST` by name."""
    for name in sorted(clips)[:MOST]:
        yield Offer(name, clips[name])
