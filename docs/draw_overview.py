"""Draw docs/images/overview.svg: what the project does, with clips and texts of the sample.

    python docs/draw_overview.py

Needs Matplotlib (the extra `notebook` or `dev`). The poses are generated clips of `jump up`, an
unseen class of the sample's first split, beside its row of the class text table. Points in the
latent space are drawn at random.
"""

from pathlib import Path
from textwrap import fill

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch

from msf_kedro.clips.layouts import KINECT_V2_25
from msf_kedro.sample import generate_clip

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "images" / "overview.svg"
WIDTH, HEIGHT = 960, 520
JUMP_UP, PERFORMER, FRAMES = 27, 6, 61
SHOWN = (2, 20, 30, 36, 58)  # frames of the clip

INK, GREY, PALE, PAPER = "#1f2933", "#5c6873", "#f1f4f7", "#ffffff"
CLIP, TEXT, SEEN, WARM = "#0072b2", "#b24a00", "#00795a", "#f9e8dc"
OTHERS = ("#7d9bb5", "#a37f9d", "#8a94a0", "#b3a06a", "#8aa38a")


def main() -> None:
    style = {"svg.hashsalt": "overview", "font.family": "DejaVu Sans", "font.size": 12}
    with plt.rc_context(style):
        figure = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72), facecolor=PAPER)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(HEIGHT, 0))
        axes.set_axis_off()
        draw_clip(axes)
        draw_texts(axes)
        draw_networks(axes)
        draw_latent_space(axes)
        draw_decision(axes)
        TARGET.parent.mkdir(exist_ok=True)
        figure.savefig(TARGET, metadata={"Date": None})
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size / 1000:.0f} kB")


def draw_clip(axes: Axes) -> None:
    """Poses of a clip, side by side."""
    box(axes, 12, 12, 336, 236)
    words(axes, 28, 36, "a clip", CLIP, size=14, weight="bold")
    words(axes, 82, 37, "of a class never trained on", GREY)
    clip = generate_clip(JUMP_UP, PERFORMER, 1, seed=0, frames=FRAMES)[0]
    floor = clip[..., 1].min()
    scale = 172 / (clip[..., 1].max() - floor)
    for place, frame in enumerate(SHOWN):
        pose = clip[frame]
        x = 48 + 65 * place + scale * (pose[:, 0] - clip[0, 0, 0])
        y = 236 - scale * (pose[:, 1] - floor)
        for joint, parent in enumerate(KINECT_V2_25.parents):
            ends = [joint, parent]
            axes.plot(x[ends], y[ends], color=CLIP, linewidth=2.6, solid_capstyle="round")
        axes.plot(x, y, "o", color=INK, markersize=2.6)
        head = KINECT_V2_25.joints.index("head")
        axes.plot(x[head], y[head], "o", color=CLIP, markersize=11)


def draw_texts(axes: Axes) -> None:
    """The three texts of its class."""
    table = pd.read_csv(ROOT / "data" / "01_raw" / "class_texts" / "ntu_120.csv")
    row = table.set_index("class_id").loc[JUMP_UP]
    box(axes, 12, 262, 336, 246)
    words(axes, 28, 287, "its texts", TEXT, size=14, weight="bold")
    words(axes, 104, 288, "all that is known of it", GREY)
    kinds = (
        ("LB", row.label, 320),
        ("AD", row.action_description, 356),
        ("MD", row.motion_description, 412),
    )
    for kind, text, y in kinds:
        tag = {"boxstyle": "round,pad=0.3", "facecolor": TEXT, "edgecolor": "none"}
        words(axes, 44, y + 8, kind, PAPER, size=10.5, weight="bold", ha="center", bbox=tag)
        words(axes, 70, y, fill(text, 37), INK, va="top", linespacing=1.35)


def draw_networks(axes: Axes) -> None:
    """What turns clip and texts into vectors."""
    for y, name, result, colour in (
        (130, "Shift-GCNs", "features", CLIP),
        (385, "text encoder", "text features", TEXT),
    ):
        arrow(axes, (350, y), (374, y), colour)
        box(axes, 376, y - 28, 112, 56, PAPER, colour)
        words(axes, 432, y - 9, name, colour, weight="bold", ha="center")
        words(axes, 432, y + 11, f"→ {result}", INK, ha="center")


def draw_latent_space(axes: Axes) -> None:
    """Latents drawn from the unseen classes' texts, and the clip among them."""
    box(axes, 524, 184, 236, 324)
    words(axes, 642, 208, "one latent space", INK, size=14, weight="bold", ha="center")
    rng = np.random.default_rng(3)
    centres = [(580, 242), (696, 250), (708, 322), (696, 392), (580, 410)]
    names = ("drink", "wave", "walk apart", "side kick", "arm swings")
    for (x, y), name, colour in zip(centres, names, OTHERS, strict=True):
        points = rng.normal((x, y), (12, 7), (30, 2))
        axes.scatter(*points.T, s=8, color=colour, alpha=0.8, linewidths=0)
        words(axes, x, y + 27, name, GREY, size=11, ha="center")
    x, y = 594, 322
    axes.add_patch(Ellipse((x, y), 96, 58, facecolor=WARM, edgecolor=TEXT, lw=1.3))
    points = rng.normal((x, y), (16, 9), (60, 2))
    axes.scatter(*points.T, s=9, color=TEXT, alpha=0.75, linewidths=0)
    axes.plot(x + 12, y - 8, "*", color=CLIP, markersize=18, markeredgecolor=PAPER)
    words(axes, x, y + 41, "jump up", TEXT, weight="bold", ha="center")
    words(axes, 642, 470, "points drawn from the texts,", TEXT, size=11, ha="center")
    words(axes, 642, 488, "the clip at the star", CLIP, size=11, ha="center")
    arrow(axes, (490, 372), (552, 338), TEXT)
    arrow(axes, (470, 160), (602, 306), CLIP, bend=0.18)


def draw_decision(axes: Axes) -> None:
    """Two classifiers, the gate between them, the answer."""
    box(axes, 524, 98, 236, 64, PAPER, SEEN)
    words(axes, 642, 119, "classifier of the seen classes", SEEN, weight="bold", ha="center")
    words(axes, 642, 141, "trained on their clips", INK, ha="center")
    arrow(axes, (490, 130), (522, 130), CLIP)
    box(axes, 800, 236, 148, 78, PAPER, INK)
    words(axes, 874, 259, "gate", INK, size=14, weight="bold", ha="center")
    words(axes, 874, 287, "seen or unseen?", INK, ha="center")
    arrow(axes, (762, 130), (850, 234), SEEN, bend=-0.3)
    words(axes, 838, 140, "best seen class:\nhopping", SEEN, size=11)
    arrow(axes, (762, 362), (846, 316), TEXT, bend=0.3)
    words(axes, 776, 392, "best unseen class:\njump up", TEXT, size=11)
    arrow(axes, (920, 316), (920, 424), INK)
    box(axes, 800, 426, 148, 82, WARM, TEXT)
    words(axes, 874, 448, "the answer: unseen,", INK, size=11, ha="center")
    words(axes, 874, 478, "jump up", TEXT, size=18, weight="bold", ha="center")


def box(axes: Axes, x, y, width, height, face=PALE, edge="#cfd6dd") -> None:
    style = {"boxstyle": "round,pad=0,rounding_size=10", "lw": 1.3}
    axes.add_patch(FancyBboxPatch((x, y), width, height, facecolor=face, edgecolor=edge, **style))


def arrow(axes: Axes, start, end, colour, bend=0.0) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=14,
            shrinkA=0,
            shrinkB=0,
            color=colour,
            lw=2,
        )
    )


def words(axes: Axes, x, y, text, colour, size=12, va="center", **style) -> None:
    axes.text(x, y, text, color=colour, fontsize=size, va=va, **style)


if __name__ == "__main__":
    main()
