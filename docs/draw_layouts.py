"""Draw every joint layout that comes along, and write docs/layouts.md, from the layouts' files.

    python docs/draw_layouts.py

A drawing shows a person who faces the reader: their left is on the right. Numbers are places on the
joint axis of an array, from 0; derived joints are hollow.
"""

from pathlib import Path

from msf_kedro.clips.layouts import LAYOUTS, Layout, get_layout

HERE = Path(__file__).parent
PAGE, IMAGES = HERE / "layouts.md", HERE / "images"
WIDTH, HEIGHT, SCALE = 320, 420, 200  # pixels, and pixels a metre
LEFT, RIGHT, MIDDLE = "#c2410c", "#1d4ed8", "#374151"
# Metres from the floor below the person, to their left and up; the face is drawn wider than it is.
# What is said of the left holds of the right.
PLACES = {
    "head": (0, 1.82), "nose": (0, 1.68), "neck": (0, 1.52),
    "spine shoulder": (0, 1.44), "shoulder centre": (0, 1.44), "thorax": (0, 1.44),
    "mid shoulder": (0, 1.44), "upper spine": (0, 1.34), "middle spine": (0, 1.2),
    "spine middle": (0, 1.2), "spine": (0, 1.2), "lower spine": (0, 1.07),
    "spine base": (0, 0.95), "hip centre": (0, 0.95), "hip": (0, 0.95), "mid hip": (0, 0.95),
    "pelvis": (0, 0.95),
    "left eye": (0.1, 1.75), "left eye inner": (0.05, 1.74), "left eye outer": (0.16, 1.74),
    "left ear": (0.22, 1.69), "mouth left": (0.06, 1.6),
    "left collar": (0.08, 1.42), "left shoulder": (0.19, 1.42), "left elbow": (0.38, 1.2),
    "left wrist": (0.53, 0.99), "left hand": (0.58, 0.92), "left hand tip": (0.66, 0.81),
    "left thumb": (0.55, 0.8), "left pinky": (0.66, 0.92), "left index": (0.64, 0.83),
    "left hip": (0.11, 0.9), "left knee": (0.14, 0.5), "left ankle": (0.16, 0.12),
    "left foot": (0.22, 0.03), "left heel": (0.1, 0.04), "left big toe": (0.21, 0.0),
    "left small toe": (0.29, 0.03), "left foot index": (0.24, 0.0),
}  # fmt: skip
HEAD = """# Joint layouts

A layout says which joints a clip holds, in which order, how they hang together, and in what units and axes their coordinates are. `clips.layout` names one; one that does not fit is an error that says how many joints were found and which layouts have so many. Those below come along (`src/msf_kedro/clips/layouts/`); [Your own clips](own_data.md#a-layout-of-your-own) says how to add one.

The joint order must be right: nothing can notice that two joints are exchanged, and the figures are then silently worse. Look at one clip of yours before you train. Handedness counts too: in a mirrored set the left hand waves. In 3-D the origin and the direction of the axes do not matter, since the first frame is turned upright and face-on; in an image y must point down.

`python docs/draw_layouts.py` draws this page. In the drawings the person faces you: left joints are orange and on your right. Numbers are places on the joint axis, from 0. A hollow joint is derived: it is not in your files, but the mean of others.
"""  # noqa: E501


def place(joint: str) -> tuple[float, float]:
    """Where a joint is drawn, pixels."""
    mirrored = "right" in joint
    x, y = PLACES[joint.replace("right", "left")]
    return WIDTH / 2 + SCALE * (-x if mirrored else x), HEIGHT - 30 - SCALE * y


def colour(joint: str) -> str:
    """By side."""
    return LEFT if "left" in joint else RIGHT if "right" in joint else MIDDLE


def draw(layout: Layout) -> str:
    """The layout as SVG."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
        f' height="{HEIGHT}" font-family="sans-serif" font-size="9">',
        f"<title>Joints of {layout.name}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for joint, parent in zip(layout.joints, layout.parents, strict=True):
        (x, y), (u, v) = place(joint), place(layout.joints[parent])
        if joint != layout.joints[parent]:
            lines.append(
                f'<path d="M{u:.0f} {v:.0f}L{x:.0f} {y:.0f}" stroke="#9ca3af" stroke-width="2"/>'
            )
    for number, joint in enumerate(layout.joints):
        (x, y), tint = place(joint), colour(joint)
        fill = tint if number < layout.recorded else "#ffffff"
        aside, anchor = (-5, "end") if tint == RIGHT else (5, "start")
        lines.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{fill}" stroke="{tint}"/>')
        lines.append(
            f'<text x="{x + aside:.0f}" y="{y - 3:.0f}" text-anchor="{anchor}">{number}</text>'
        )
    return "\n".join([*lines, "</svg>\n"])


def describe(layout: Layout) -> str:
    """A section of the page."""
    name = layout.joints.__getitem__
    told = [f"{number} {joint}" for number, joint in enumerate(layout.joints[: layout.recorded])]
    rows = {
        "joints": ", ".join(told),
        "coordinates": f"{layout.dimensions}, {layout.units}",
        "axes": layout.axes,
        "origin of every frame": name(layout.centre),
        "torso": f"{name(layout.upright[0])} to {name(layout.upright[1])}",
        "joint order by": layout.source,
    }
    if layout.derived:
        joints = zip(layout.joints[layout.recorded :], layout.derived, strict=True)
        means = [f"{joint}: the mean of {' and '.join(map(name, of))}" for joint, of in joints]
        rows["derived"] = "; ".join(means)
    table = "\n".join(f"| {key} | {text} |" for key, text in rows.items())
    picture = f"![Joints of {layout.name}](images/layout_{layout.name}.svg)"
    return f"\n## `{layout.name}`\n\n{picture}\n\n| | |\n|---|---|\n{table}\n"


def page() -> str:
    """The whole page."""
    return HEAD + "".join(describe(get_layout(name)) for name in LAYOUTS)


if __name__ == "__main__":
    for layout_name in LAYOUTS:
        picture = draw(get_layout(layout_name))
        (IMAGES / f"layout_{layout_name}.svg").write_text(picture, encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
