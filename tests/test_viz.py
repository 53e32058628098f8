"""Kedro-Viz serves the DAG, with previews of what a run has left."""

import json
import os
import socket
import subprocess
import sys
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from support.browser import until
from support.sessions import ROOT

pytest.importorskip("kedro_viz", reason="the extra viz is not installed")


@pytest.fixture(scope="module")
def ask(finished):
    """Answers of a server that shows a finished study."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "kedro", "viz", "run", "--no-browser", "--env=test"]
    command += [f"--port={port}", f"--params=data_root={finished[0]}"]
    environment = os.environ | {"KEDRO_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(ROOT / "src")}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, **quiet)

    def answer(place: str):
        with urlopen(f"http://127.0.0.1:{port}/api/{place}", timeout=30) as response:
            return json.load(response)

    def is_up() -> bool:
        try:
            return bool(answer("main"))
        except (URLError, OSError):
            return False

    try:
        assert until(is_up, 120), "no answer from Kedro-Viz"
        yield answer
    finally:
        os.killpg(server.pid, 15)
        server.wait()


@pytest.fixture(scope="module")
def graph(ask):
    return ask("pipelines/gzssar")


def test_the_first_view_has_the_stages_and_no_histories(graph):
    collapsed = {n["name"] for n in graph["nodes"] if n["type"] == "modularPipeline"}
    assert {"calibration", "test", "report"} <= collapsed
    tree = graph["modular_pipelines"]
    outside = {child["id"] for child in tree["__root__"]["children"]}
    names = {n["name"] for n in graph["nodes"] if n["id"] in outside}
    assert {"prepare_clips", "predictions", "fit_gates", "report_page"} <= names
    assert not {name for name in names if name.endswith("history")}


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
