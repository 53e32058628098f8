"""A page of clips, to be watched before anything is trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from msf_kedro.clips.layouts import Layout
from msf_kedro.clips.limits import Limits
from msf_kedro.clips.normalise import NormaliseConfig, check_clip
from msf_kedro.drawings.motion import Motion, raw_motion
from msf_kedro.drawings.player import Shown, environment


@dataclass(frozen=True)
class Look:
    """What was found in a place of clips.

    Attributes:
        place: where they come from, in words.
        found: how many clips there are.
        layout: of their joints.
        motions: clip name → what it shows.
        bodies: clip name → how many bodies were recorded.
        refused: clip name → the reason why it cannot be used.
        shows: clip name → what is known of its class, in words; of some clips or none.
    """

    place: str
    found: int
    layout: Layout
    motions: dict[str, Motion] = field(default_factory=dict)
    bodies: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    shows: Mapping[str, str] = field(default_factory=dict)

    def summary(self) -> str:
        """How many clips are shown of how many, in a sentence."""
        looked = len(self.motions) + len(self.refused)
        some = "" if looked == self.found else f", {looked} of them shown"
        refused = f"; {len(self.refused)} cannot be used" if self.refused else ""
        return f"{self.found} clips in {self.place}{some}{refused}."


def look(
    found: Look,
    clips: Mapping[str, Callable[[Limits], np.ndarray]],
    config: NormaliseConfig,
    limits: Limits,
) -> Look:
    """Read clips to be shown.

    Args:
        found: what is known of the place that they are in; what they show is added.
        clips: name → function that reads the clip `(bodies, frames, joints, values)`.
    """
    for name, load in clips.items():
        try:
            clip = load(limits)
        except Exception as error:  # a damaged file can make a reader raise anything
            found.refused[name] = f"unreadable: {error.__cause__ or error}"
            continue
        if reason := check_clip(clip, found.layout, config):
            found.refused[name] = reason
            continue
        found.motions[name] = raw_motion(clip, found.layout, config)
        found.bodies[name] = int(clip.any(axis=(1, 2, 3)).sum())
    return found


def page(found: Look) -> str:
    """One HTML page that needs nothing else."""
    clips = [Shown(name, _caption(found, name), motion) for name, motion in found.motions.items()]
    return (
        environment("msf_kedro", "drawings")
        .get_template("look.html.jinja")
        .render(
            title=f"Clips in {found.place}",
            summary=found.summary(),
            layout=found.layout.name,
            turned=found.layout.dimensions == 3,
            clips=clips,
            refused=list(found.refused.items()),
        )
    )


def _caption(found: Look, name: str) -> str:
    told = [f"{found.motions[name].frames} frames", _bodies(found.bodies[name])]
    return ", ".join([found.shows[name], *told] if name in found.shows else told)


def _bodies(count: int) -> str:
    more = ", the two that move most are drawn" if count > 2 else ""
    return f"{count} {'body' if count == 1 else 'bodies'}{more}"
