"""What people look at: the report and the page of clips in a browser, the DAG in Kedro-Viz."""

import json
import os
import random
import re
import socket
import subprocess
import sys
from urllib.request import urlopen

import pytest
from support.browser import browser, errors, hangs_over, prefer, until, widen
from support.sessions import ROOT, artifacts

from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.limits import NO_LIMITS
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.drawings.look import Look, look, page
from msf_kedro.pipeline_registry import STAGES
from msf_kedro.sample import generate_clip

REPORT = "08_reporting/test/split_1/msf/MiniLM/LB+AD+MD/report.html"
PICTURE = "return document.querySelector('canvas').toDataURL()"
IN_SIGHT = "document.querySelector('canvas').scrollIntoView({behavior: 'instant'})"
PLAY = "return document.querySelector('.play')"


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    clips = {
        f"clip {action}": lambda limits, action=action: generate_clip(action, 1, 1, seed=0)
        for action in (23, 51)
    }
    config = NormaliseConfig(window=16, resample=True)
    found = look(Look("here", 2, get_layout("kinect_v2_25")), clips, config, NO_LIMITS)
    file = tmp_path_factory.mktemp("page") / "look.html"
    file.write_text(page(found), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def report(finished):
    return artifacts(finished[0])[REPORT][-1]


@pytest.fixture(params=["looked", "report"])
def opened(request, driver):
    """A page in the browser, with its first clip in sight: others stand still."""
    prefer(driver, prefers_reduced_motion="no-preference")
    widen(driver, 1280)
    driver.get(request.getfixturevalue(request.param).as_uri())
    driver.execute_script(IN_SIGHT)
    return driver


def test_nothing_is_complained_of_and_clips_move(opened):
    assert errors(opened) == []
    before = opened.execute_script(PICTURE)
    assert until(lambda: opened.execute_script(PICTURE) != before)


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_read_without_scrolling_sideways(opened, width, scheme):
    prefer(opened, prefers_color_scheme=scheme)
    widen(opened, width)
    assert hangs_over(opened) <= 0
    colours = opened.execute_script(
        "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    )
    light = [sum(map(int, c[c.index("(") + 1 : -1].split(",")[:3])) > 380 for c in colours]
    assert light == [scheme == "dark", scheme == "light"]


def test_it_is_worked_by_keys(opened):
    canvas = opened.find_element("css selector", "canvas")
    button = opened.execute_script(PLAY)
    assert button.get_attribute("aria-label") == "pause"
    canvas.send_keys(" ")
    assert button.get_attribute("aria-label") == "play"
    before = opened.execute_script(PICTURE)
    canvas.send_keys("\ue014")  # right
    assert opened.execute_script(PICTURE) != before
    pressed = "return document.querySelectorAll('[aria-pressed=true]').length"
    assert opened.execute_script(pressed) < opened.execute_script(
        "return document.querySelectorAll('.player').length"
    ), "no named viewpoint"


def test_who_wants_less_motion_has_none_until_play_is_pressed(opened):
    prefer(opened, prefers_reduced_motion="reduce")
    opened.refresh()
    opened.execute_script(IN_SIGHT)
    before = opened.execute_script(PICTURE)
    assert not until(lambda: opened.execute_script(PICTURE) != before, 0.5)
    opened.execute_script(PLAY).send_keys("\n")
    assert until(lambda: opened.execute_script(PICTURE) != before)


def test_in_print_clips_are_strips(opened):
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = "return [...document.querySelectorAll(arguments[0])].map(e => e.clientHeight > 0)"
    assert set(opened.execute_script(shown, ".strip")) == {True}
    assert set(opened.execute_script(shown, "canvas")) == {False}
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "screen"})


def test_pictures_have_words_and_tables_headings(opened):
    bare = (
        "return document.querySelectorAll('canvas:not([aria-label]), svg:not([aria-label]),"
        " table:not(:has(th[scope])), input:not(label input)').length"
    )
    assert opened.execute_script(bare) == 0


# --- Kedro-Viz ---


def free_port() -> int:
    """Below 49152: Kedro-Viz takes no port that the system gives away for a time."""
    for port in range(random.randrange(20_000, 32_000), 49_152):
        with socket.socket() as free:
            if free.connect_ex(("127.0.0.1", port)):
                return port
    raise OSError("no port is free")


@pytest.fixture(scope="module")
def ask(finished, tmp_path_factory):
    """Answers of a server that shows a finished study."""
    pytest.importorskip("kedro_viz", reason="the extra viz is not installed")
    command = [sys.executable, "-m", "kedro", "viz", "run", "--no-browser", "--env=test"]
    command += [f"--port={free_port()}", f"--params=data_root={finished[0]}"]
    environment = os.environ | {"KEDRO_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(ROOT / "src")}
    log = tmp_path_factory.mktemp("viz") / "log"
    with log.open("w") as said:
        to = {"stdout": said, "stderr": subprocess.STDOUT, "start_new_session": True}
        server = subprocess.Popen(command, cwd=ROOT, env=environment, **to)

    def where() -> str:  # the next port, where another has got that one meanwhile
        return re.search(r"running at\s+(http://\S+)/", log.read_text())[1]

    def answer(place: str):
        with urlopen(f"{where()}/api/{place}", timeout=30) as response:
            return json.load(response)

    try:
        assert until(lambda: "running at" in log.read_text(), 120), log.read_text()
        yield answer
    finally:
        os.killpg(server.pid, 15)
        server.wait()


@pytest.fixture(scope="module")
def graph(ask):
    return ask("pipelines/gzssar")


def test_the_first_view_has_a_box_a_stage_and_what_goes_from_one_to_another(graph):
    collapsed = {n["name"] for n in graph["nodes"] if n["type"] == "modularPipeline"}
    assert set(STAGES) <= collapsed
    outside = {child["id"] for child in graph["modular_pipelines"]["__root__"]["children"]}
    seen = [n for n in graph["nodes"] if n["id"] in outside]
    boxes = {n["name"] for n in seen if n["type"] in ("task", "modularPipeline")}
    assert boxes == {*STAGES, "beside"}
    names = {n["name"] for n in seen if n["type"] == "data"}
    assert {"skeletons", "test_features", "predictions", "report_page"} <= names
    shown = {f"beside.{read}" for read in ("zssar_results", "gzssar_results", "made_with")}
    kinds = ("alignment_history", "unseen_classifier_history")  # which nothing reads
    shown |= {f"beside.{phase}_{kind}" for phase in ("calibration", "test") for kind in kinds}
    assert {name for name in names if "." in name} == shown, "no other is of one box alone"


def test_layers_follow_each_other(ask, graph):
    """Kedro-Viz shows none where an artifact of a layer is made from one of a later layer."""
    assert graph["layers"][0] == "raw"
    assert graph["layers"][-1] == "reporting"
    assert ask("pipelines/__default__")["layers"] == graph["layers"]


@pytest.mark.parametrize(
    ("name", "kind", "starts"),
    [
        ("report.tradeoff", "ImagePreview", "data:image/svg+xml;base64,"),
        ("test_trainings", "ImagePreview", "data:image/svg+xml;base64,"),
        ("metrics", "JSONPreview", '{"run"'),
        ("test_latents", "JSONPreview", '{"class_ids"'),
        ("predictions", "TablePreview", None),
    ],
)
def test_artifacts_have_previews(ask, graph, name, kind, starts):
    (node,) = [n["id"] for n in graph["nodes"] if n["name"] == name]
    shown = ask(f"nodes/{node}")
    assert shown["preview_type"] == kind
    if starts:
        assert shown["preview"].startswith(starts)
    else:
        assert len(shown["preview"]["data"]) == 5
