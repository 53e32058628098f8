"""The page of clips."""

import json
import re

import numpy as np
import pytest

from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.limits import NO_LIMITS
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.drawings.look import Look, look, page
from msf_kedro.drawings.player import asset
from msf_kedro.sample import generate_clip

LAYOUT, CONFIG = get_layout("kinect_v2_25"), NormaliseConfig(window=16, resample=True)


def unreadable(limits):
    raise ValueError("no such <thing>")


def seen(clips, there=None, **shows):
    return look(Look("here", there or len(clips), LAYOUT, shows=shows), clips, CONFIG, NO_LIMITS)


@pytest.fixture(scope="module")
def clips():
    return {
        f"clip {action}": lambda limits, action=action: generate_clip(action, 1, 1, seed=0)
        for action in (1, 51)
    }


def test_clips_are_drawn_and_refused_ones_have_their_reason(clips):
    found = seen(clips | {"bad": unreadable, "short": lambda limits: np.ones((1, 5, 20, 3))})
    assert list(found.motions) == ["clip 1", "clip 51"]
    assert found.bodies == {"clip 1": 1, "clip 51": 2}
    assert found.refused["bad"] == "unreadable: no such <thing>"
    assert "20 joints" in found.refused["short"]
    assert found.summary() == "4 clips in here; 2 cannot be used."
    text = page(found)
    assert "no such &lt;thing&gt;" in text
    assert "2 bodies" in text


def test_of_many_clips_those_are_counted_that_are_shown(clips):
    assert seen(clips, 100).summary() == "100 clips in here, 2 of them shown."


def test_what_is_known_of_a_clips_class_stands_below_it(clips):
    text = page(seen({"a": clips["clip 1"], "b": clips["clip 1"]}, a="class 1, drink <water>"))
    assert text.count("class 1, drink &lt;water&gt;, ") == 1


def test_a_page_needs_nothing_from_elsewhere(clips):
    text = page(seen(clips))
    assert not re.search(r'(src|href)="', text)
    assert re.findall(r"https?://[^\"' ]+", text) == ["http://www.w3.org/2000/svg"] * 2
    values = re.findall(r'<script type="application/json">(.*?)</script>', text)
    assert [len(json.loads(clip)["bodies"]) for clip in values] == [1, 2]
    assert text.count('class="strip"') == 2, "what shows in print and without scripts"


def test_names_are_no_markup(clips):
    text = page(seen({'<b>"x"': clips["clip 1"]}))
    assert "<b>&#34;x" not in text
    assert '<b>"x' not in text
    assert "&lt;b&gt;" in text


def test_the_player_is_small():
    assert sum(len(asset(name)) for name in ("player.js", "player.css", "page.css")) < 20_000
