"""Moving skeletons in a page: figures, the script that moves them, and how they look."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from msf_kedro.drawings.motion import Motion
from msf_kedro.drawings.strip import strip

# What the colours mean, for captions.
KEY = "Left limbs are orange, right ones blue; a second body is drawn thinner."


@dataclass(frozen=True)
class Shown:
    """A clip in a page.

    Attributes:
        name: of the clip, its heading.
        caption: what is said of it.
        motion: the clip.
    """

    name: str
    caption: str
    motion: Motion


def environment(package: str, folder: str) -> Environment:
    """Templates of a folder of the package; all that they insert is escaped."""
    made = Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"player": player, "css": asset("page.css") + asset("player.css"), "key": KEY}
    made.globals |= {"script": asset("player.js")}
    return made


def asset(name: str) -> Markup:
    """A file of this folder, as it is."""
    loader = PackageLoader("msf_kedro", "drawings")
    return Markup(loader.get_source(Environment(), name)[0])


def player(clips: Sequence[Shown]) -> Markup:
    """Clips side by side with one set of tools; strips of poses in print and without scripts."""
    figures = Markup("\n").join(map(_figure, clips))
    return Markup('<div class="player"><div class="clips">\n{}\n</div></div>').format(figures)


def _figure(clip: Shown) -> Markup:
    told = f"{clip.name}: poses of a skeleton, time from left to right"
    values = json.dumps(clip.motion.plain(), separators=(",", ":"))
    return Markup(
        '<figure data-name="{}"><div class="strip">{}</div>'
        '<script type="application/json">{}</script>'
        "<figcaption><b>{}</b>{}</figcaption></figure>"
    ).format(
        *(clip.name, Markup(strip(clip.motion, told, alone=False)), Markup(values)),
        *(clip.name, clip.caption),
    )
