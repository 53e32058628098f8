"""`kedro msf new-study`: what is written, what is asked for, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from support.poses import coco_clip
from support.projects import fresh_project, give

from msf_kedro.sample import generate_clip


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(fresh_project(tmp_path))
    return tmp_path


def write(project: Path, *names: str, clip: np.ndarray | None = None) -> None:
    """Small clips of these names."""
    clip = coco_clip(1, 1, 1)[:, :4] if clip is None else clip
    for name in names:
        file = project / "clips" / f"{name}.npy"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, clip)


def begin(project: Path, *options: str) -> list[str]:
    done = give(project, "msf", "new-study", "mine", "--clips", "clips", *options)
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def refused(project: Path, *options: str, name: str = "mine") -> str:
    """The one sentence with which the command ends; nothing is written."""
    done = give(project, "msf", "new-study", name, "--clips", "clips", *options)
    assert done.exit_code == 1
    assert not (project / "conf" / "mine").exists()
    (told,) = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    return told.removeprefix("Error: ")


def written(project: Path, file: str) -> dict:
    return yaml.safe_load((project / "conf" / "mine" / f"{file}.yml").read_text())


SPEAKING = [f"a{a}_s{s}_t{t}" for a in range(1, 8) for s in (1, 2, 3) for t in (1, 2)]


def test_names_that_speak(project):
    write(project, *SPEAKING)
    told = begin(project)
    assert not [line for line in told if line.startswith("not guessed")]
    assert written(project, "globals")["classes"] == "1-7"
    assert written(project, "globals")["raw_clips"] == "clips"
    assert written(project, "parameters")["clips"]["layout"] == "coco_17"
    assert written(project, "parameters")["parts"]["train"] == "subject in [1, 3]"
    texts = (project / "data/01_raw/class_texts/mine.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in texts[1:]] == list("1234567")


def test_folders_give_labels_and_a_clip_table(project):
    write(
        project,
        *(
            f"{word}/{word[0]}x{n}"
            for word in ("bow", "jump", "wave", "kick", "throw", "sit")
            for n in "abcdefgh"
        ),
    )
    begin(project)
    texts = (project / "data/01_raw/class_texts/mine.csv").read_text()
    assert "1,bow,,,," in texts
    assert written(project, "globals")["clip_table"] == "data/01_raw/clip_tables/mine.csv"
    assert "name_pattern" not in written(project, "parameters")["clips"]
    table = (project / "data/01_raw/clip_tables/mine.csv").read_text().splitlines()
    assert table[:2] == ["clip,action,take", "bxa,1,1"]


def test_names_that_say_nothing_are_asked_for(project):
    names = [f"VID_{chr(97 + n)}" for n in range(24)]
    write(project, *names)
    told = begin(project)
    file = project / "data/01_raw/clip_tables/mine.csv"
    assert not (project / "conf" / "mine").exists()
    assert any(line.startswith("not guessed: of which class clips are") for line in told)
    assert "action '', expected the number of a class" in refused(project)
    rows = [f"{name},{n % 6 + 1},{'ab'[n // 12]},{n // 6}" for n, name in enumerate(names)]
    file.write_text("\n".join(["clip,action,subject,take", *rows]))
    begin(project)
    assert written(project, "globals")["clip_table"] == "data/01_raw/clip_tables/mine.csv"
    assert written(project, "parameters")["parts"]["train"] == "subject == 'a'"


def test_a_table_beside_the_clips_is_taken(project):
    write(project, *(f"x{'abcdefghijkl'[n]}" for n in range(12)))
    rows = [f"x{'abcdefghijkl'[n]},{n % 6 + 1},{n // 6}" for n in range(12)]
    (project / "clips" / "clips.csv").write_text("\n".join(["clip,action,in_train", *rows]))
    begin(project)
    assert written(project, "globals")["clip_table"] == "clips/clips.csv"
    assert written(project, "parameters")["parts"]["train"] == "in_train == 0"


def test_what_cannot_be_guessed_is_said_and_left_open(project):
    write(project, "a1_s1", "a1_s2", "a2_s1", "a2_s2", clip=np.ones((1, 3, 21, 3), np.float32))
    told = begin(project)
    assert any("2 classes, expected six or more" in line for line in told)
    assert any("no layout that comes along has so many joints" in line for line in told)
    assert written(project, "globals")["splits"] is None
    assert written(project, "parameters")["clips"]["layout"] == "unknown"
    checked = give(project, "msf", "check", "--env=mine").output
    assert "unknown joint layout 'unknown'" in checked
    assert "environment 'mine' has no splits" in checked


def test_layouts_that_fit_as_well_are_named(project):
    names = [f"a{a}_s{s}" for a in range(1, 7) for s in range(1, 6)]
    write(project, *names, clip=generate_clip(1, 1, 1, seed=0, frames=4)[:, :, :20])
    (line,) = [line for line in begin(project) if "whether the layout is" in line]
    assert "kinect_v1_20" in line
    assert "nw_ucla_20" in line


def test_a_layout_is_given(project):
    write(project, *SPEAKING)
    told = refused(project, "--layout=human36m_17")
    assert told.startswith("layout human36m_17: ")
    assert "unknown joint layout 'x'" in refused(project, "--layout=x")
    begin(project, "--layout=coco_17")


@pytest.mark.parametrize("name", ["../x", "a b", "", ".x", "a/b", "base", "local", "x" * 99])
def test_names_that_are_no_plain_folder_or_taken(project, name):
    write(project, *SPEAKING)
    assert "expected letters" in refused(project, name=name) or name in ("base", "local")


def test_folders_without_clips_and_damaged_ones(project):
    assert refused(project) == "clips: there is no such folder"
    (project / "clips").mkdir()
    assert refused(project).startswith("clips: it holds no file")
    (project / "clips" / "a1_s1.npy").write_text("x")
    assert refused(project) == "clip a1_s1 cannot be read: a1_s1.npy: not a .npy file"
