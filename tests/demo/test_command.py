"""`kedro msf demo`."""

import socket

import numpy as np
import pytest
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project
from support import playable
from support.sessions import ROOT

from msf_kedro.commands import demo
from msf_kedro.recognizer.bundle import Bundle, write_bundle


class Served:
    """In the place of the server: says what it would have served, and ends at once."""

    pages: list = []  # noqa: RUF012

    def __init__(self, app):
        self.app = app

    def run(self, sockets: list[socket.socket]) -> None:
        self.pages.append((self.app, sockets[0].getsockname()))
        sockets[0].close()
        raise KeyboardInterrupt


@pytest.fixture
def served(monkeypatch):
    monkeypatch.setattr("msf_kedro.demo.server.server", Served)
    monkeypatch.setattr("webbrowser.open", lambda url: pytest.fail("a browser is opened"))
    Served.pages.clear()
    return Served.pages


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "mine"
    write_bundle(Bundle(*playable.model().parts(), "A card."), folder)
    return folder


def run(*arguments):
    given = [*map(str, arguments), "--no-browser"]
    return CliRunner().invoke(demo, given, obj=bootstrap_project(ROOT))


def test_a_bundle_and_a_folder_of_clips_are_enough(served, bundle, tmp_path, playground):
    np.save(tmp_path / "mine.npy", playable.clip(playable.CHEER_UP))
    done = run(f"--bundle={bundle}", f"--clips={tmp_path}", "--port=0")
    assert done.exit_code == 0, done.output
    (_, (host, port)) = served[0]
    assert host == "127.0.0.1"
    assert f"the page is at http://127.0.0.1:{port}/" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bundle=gone"], "no bundle, as bundle.json cannot be read"),
        (["--bundle={bundle}", "--clips=gone"], "gone: there is no such file or folder of clips"),
        (["--env=test", "--params=data_root={tmp}"], "`kedro run --pipelines=bundle` makes one"),
        (["--bundle={bundle}", "--port=70000"], "70000 is not in the range"),
    ],
)
def test_what_a_user_causes_is_a_sentence(served, bundle, tmp_path, arguments, message):
    done = run("--port=0", *(a.format(bundle=bundle, tmp=tmp_path) for a in arguments))
    assert done.exit_code != 0
    assert message in done.output
    assert "Traceback" not in done.output
    assert not served
