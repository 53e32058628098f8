"""`kedro msf look`."""

import numpy as np
import pytest
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project
from support.poses import coco_clip
from support.sessions import ROOT

from msf_kedro.commands import look
from msf_kedro.sample import generate_clip


@pytest.fixture(scope="module")
def metadata():
    return bootstrap_project(ROOT)


def run(metadata, *arguments):
    return CliRunner().invoke(look, [*map(str, arguments)], obj=metadata)


def test_a_folder_of_clips_is_drawn_without_any_study(metadata, tmp_path):
    for action in (1, 7):
        np.save(tmp_path / f"a{action}.npy", generate_clip(action, 1, 1, seed=0))
    (tmp_path / "bad.npy").write_bytes(b"no array")
    page, picture = tmp_path / "out" / "look.html", tmp_path / "look.svg"
    done = run(metadata, tmp_path, "--output", page, "--svg", picture)
    assert done.exit_code == 0, done.output
    assert "3 clips" in done.output
    assert "1 of 3 clips that were read, such as bad: unreadable" in done.output
    assert str(page) in done.output
    assert page.read_text().count("<figure") == 2
    assert "<animate" in picture.read_text()


def test_the_layout_may_be_named(metadata, tmp_path):
    np.save(tmp_path / "wave.npy", coco_clip(23, 1, 1))
    page = tmp_path / "look.html"
    assert run(metadata, tmp_path, "--layout=coco_17", "--output", page).exit_code == 0
    assert '"dimensions":2' in page.read_text()


def test_an_environments_clips_are_found(metadata, tmp_path):
    page = tmp_path / "look.html"
    done = run(metadata, "--env=test", "--names=*A051", "--limit=2", "--output", page)
    assert done.exit_code == 0, done.output
    assert "8 clips in study test, 2 of them" in done.output
    assert page.read_text().count("2 bodies") == 2


def test_a_studys_clips_are_some_of_each_class(metadata, tmp_path):
    page = tmp_path / "look.html"
    done = run(metadata, "--env=test", "--limit=5", "--output", page)
    assert done.exit_code == 0, done.output
    shown = page.read_text()
    assert shown.count("<figure") == 20  # ten classes, two of each at least
    assert shown.count("class 51, kick other person, ") == 2
    assert shown.index("class 8, sit down") < shown.index("class 51")


def test_clips_of_no_known_class_are_drawn_too(metadata, tmp_path):
    page, pattern = tmp_path / "look.html", r"no_(?P<action>\d+)"
    given = f"--params=clips.name_pattern={pattern}"
    done = run(metadata, "--env=test", given, "--limit=5", "--output", page)
    assert done.exit_code == 0, done.output
    assert page.read_text().count("<figure") == 5
    assert "class 51" not in page.read_text()


def test_where_no_clip_fits_the_reason_is_said_once(metadata, tmp_path):
    for number in (1, 2, 3):
        np.save(tmp_path / f"wave_{number}.npy", coco_clip(23, number, 1))
    page = tmp_path / "look.html"
    done = run(metadata, tmp_path, "--output", page)
    assert done.exit_code == 1
    assert "3 of 3 clips that were read, such as wave_1: 17 joints, the layout has" in done.output
    assert "--layout" in done.output
    assert len(done.output.splitlines()) == 1
    assert not page.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-folder"], "there is no such file or folder of clips"),
        (["--env=test", "--names=x*"], "none of 80 clips has a name like 'x*'"),
        (["--env=test", "--layout=kinect"], "unknown joint layout 'kinect'"),
    ],
)
def test_what_a_user_causes_is_a_sentence(metadata, arguments, message, tmp_path):
    page = tmp_path / "look.html"
    done = run(metadata, *arguments, "--output", page)
    assert done.exit_code == 1
    assert message in done.output
    assert "Traceback" not in done.output
    assert not page.exists()
