"""Draw docs/images/moving.svg: clips of classes that had no training clip, and what they are taken
for by the sample's bundle.

    kedro run && kedro run --pipelines=bundle
    python docs/draw_moving.py data/06_models/sample/split_1/msf/MiniLM/LB+AD+MD/bundle/*/bundle

The clips are generated, of people whom the study keeps for its tests. The picture moves by itself,
without a script; who asks for less motion sees still poses.
"""

import argparse
from html import escape
from pathlib import Path
from textwrap import wrap

from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.drawings.animation import moving, picture
from msf_kedro.drawings.motion import raw_motion
from msf_kedro.recognizer import Recognizer
from msf_kedro.sample import ACTIONS, generate_clip

TARGET = Path(__file__).parent / "images" / "moving.svg"
# Unseen classes of the first split, and one of the people in its test clips.
CLASSES, PERFORMER = (23, 27, 98, 1), 6
TILE, HIGH, PICTURE, LETTERS = 216, 372, 190, 30
STYLE = (
    "<style>.tile{fill:#f5f7f9}.good{fill:#00795a}.bad{fill:#b24a00}.bold{font-weight:600}"
    ".soft{font-size:12px}@media(prefers-color-scheme:dark){.tile{fill:#1a2129}"
    ".good{fill:#5ee0a0}.bad{fill:#fb923c}}</style>"
)


def main(bundle: Path) -> None:
    recognizer = Recognizer.load(bundle)
    texts = {known.label: known for known in recognizer._model.classes}
    labels = {known.class_id: known.label for known in recognizer._model.classes}
    clips = {labels[n]: generate_clip(n, PERFORMER, 1, seed=0) for n in CLASSES}
    tiles = []
    for place, prediction in enumerate(recognizer.predict(clips)):
        print(prediction)
        words = texts[prediction.name].words["MD"]
        tiles.append(tile(place, clips[prediction.name], prediction, words))
    told = "Moving skeletons of classes without training clips: " + "; ".join(clips)
    drawn = STYLE + "".join(tiles)
    svg = picture(drawn, 12 + len(tiles) * (TILE + 12), HIGH + 24, told)
    TARGET.write_text(svg, encoding="utf-8")
    print(f"{TARGET}: {len(svg) / 1000:.0f} kB")


def tile(place: int, clip, prediction, words: str) -> str:
    """A moving clip, the words that describe its class, and what it was taken for."""
    config = NormaliseConfig(window=16, resample=True)
    drawn, (left, top, width, height) = moving(raw_motion(clip, get_layout("kinect_v2_25"), config))
    is_right = prediction.label == prediction.name
    lines = wrap(f"“{words}”", LETTERS)
    rows = [
        text(PICTURE + 30, prediction.name, "bold"),
        *(text(PICTURE + 52 + 17 * n, line, "soft") for n, line in enumerate(lines)),
        text(HIGH - 30, f"→ {prediction.label}", f"bold {'good' if is_right else 'bad'}"),
        text(
            HIGH - 12, f"{'✓ right' if is_right else '✗ wrong'}, called {prediction.side}", "soft"
        ),
    ]
    return (
        f'<g transform="translate({12 + place * (TILE + 12)} 12)">'
        f'<rect class="tile" width="{TILE}" height="{HIGH}" rx="8"/>'
        f'<svg x="8" y="10" width="{TILE - 16}" height="{PICTURE}"'
        f' viewBox="{left} {top} {width} {height}">{drawn}</svg>{"".join(rows)}</g>'
    )


def text(y: int, words: str, kind: str) -> str:
    return f'<text x="12" y="{y}" class="{kind}">{escape(words)}</text>'


if __name__ == "__main__":
    assert set(CLASSES) <= set(ACTIONS)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, help="the sample study's")
    main(parser.parse_args().bundle)
