"""`kedro msf check`: all that is wrong, at once."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from support.poses import coco_clip
from support.projects import fresh_project, give
from support.sessions import ENVIRONMENTS, ROOT

CLASSES = 7


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """A study of seven classes, three people and two takes, without texts."""
    project = fresh_project(tmp_path_factory.mktemp("project"))
    (project / "clips").mkdir()
    for action, subject, take in np.ndindex(CLASSES, 3, 2):
        name = f"a{action + 1}_s{subject + 1}_t{take + 1}.npy"
        np.save(project / "clips" / name, coco_clip(1, subject + 1, take + 1)[:, :6])
    done = give(project, "msf", "new-study", "mine", "--clips", str(project / "clips"))
    assert done.exit_code == 0, done.output
    return project


@pytest.fixture
def project(study, tmp_path) -> Path:
    """A copy of it, with texts."""
    place = Path(shutil.copytree(study, tmp_path / "project"))
    rows = [f"{n},label {n},do,thing,To do {n}.,Hand {n} rises." for n in range(1, CLASSES + 1)]
    header = "class_id,label,verb,noun,action_description,motion_description"
    (place / TEXTS).write_text("\n".join([header, *rows]))
    change(place, "globals", raw_clips=str(place / "clips"))
    return place


TEXTS = Path("data/01_raw/class_texts/mine.csv")


def change(project: Path, file: str, **values) -> None:
    path = project / "conf" / "mine" / f"{file}.yml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | values))


def check(project: Path, *options: str) -> tuple[int, list[str], str]:
    """Exit code, problems, and all that is told."""
    done = give(project, "msf", "check", "--env=mine", *options)
    lines = done.output.splitlines()
    wrong = [line.removeprefix("wrong: ") for line in lines if line.startswith("wrong: ")]
    assert isinstance(done.exception, SystemExit | None), done.output
    return done.exit_code, wrong, done.output


def test_a_good_study_is_summed_up(project):
    code, wrong, told = check(project)
    assert (code, wrong) == (0, [])
    assert "42 clips of 7 classes" in told
    assert "subject: 1, 2, 3" in told
    assert "clips of a class: 6\n" in told
    assert "of 42 clips that were read: 6 frames, 6 in the median, 0 with two bodies" in told
    assert told.splitlines()[-1] == "nothing is wrong"


def test_everything_that_is_wrong_is_told_at_once(project):
    (project / TEXTS).write_text((project / TEXTS).read_text().replace("label 3", "label 2"))
    for name in ("a1_s1_t1", "a1_s1_t2", "a1_s2_t1"):
        (project / "clips" / f"{name}.npy").write_text("x")
    np.save(project / "clips" / "holiday.npy", np.zeros((2, 17, 2)))
    change(
        project, "globals", classes="1-8",
        splits={"split_1": {"unseen": [1, 2], "calibration_unseen": [3, 4]},
                "split_2": {"unseen": [1, 77], "calibration_unseen": [3, 4]}},
    )  # fmt: skip
    change(
        project,
        "parameters",
        seeds=[1, 1],
        encoder="CLIP",
        device="meta",
        bogus=3,
        gate={"kind": "oracle"},
        normalise={"window": "many"},
        shift_gcn_training={"epochs": 0},
        msf_plus={"components": 0},
    )
    code, wrong, told = check(project)
    assert code == 1
    for expected in (
        r"unknown parameters \['bogus'\] in environment 'mine'",
        "normalise.window is 'many', expected a whole number",
        r"seeds is \[1, 1\], expected whole numbers .* each once",
        "unknown encoder 'CLIP'",
        "device 'meta' is of no use here",
        "parameters gate: kind: Input should be 'threshold', 'logistic', 'evidence' or 'conformal',"
        " not 'oracle'",
        "parameters shift_gcn_training: epochs: Input should be greater than 0",
        "msf_plus: components: Input should be greater than 0",
        r"class texts: no row for classes \[8\]",
        r"several classes are called \['label 2'\]",
        r"split_2: split: classes \[77\] are not among the study's classes",
        "clip holiday: the name does not match clips.name_pattern",
        r"3 of 42 clips that were read, such as a1_s1_t1: unreadable: not a \.npy file",
        "calibration phase: seen class 8 has no train clip",
    ):
        assert [line for line in wrong if re.search(expected, line)], (expected, wrong)
    assert "Traceback" not in told
    assert len(wrong) == len(set(wrong))
    assert f"Error: {len(wrong)} things are wrong with environment 'mine'" in told


def test_a_layout_that_does_not_fit_is_said_with_what_was_found(project):
    change(project, "parameters", clips={"layout": "kinect_v2_25", "name_pattern": PATTERN})
    _, wrong, _ = check(project)
    assert (
        wrong
        == [
            "42 of 42 clips that were read, such as a1_s1_t1: shape (1, 6, 17, 3), expected"
            " (bodies, frames, joints, 3), or 4 with confidences"
        ]
        or "17 joints, the layout has 25" in wrong[0]
    )


PATTERN = r"a(?P<action>\d+)_s(?P<subject>\d+)_t(?P<take>\d+)"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"train": "subject <= 9"}, "seen class 1 has no test clip"),
        ({"train": "sujet == 1"}, "parts.train: 'sujet == 1': there is no column sujet"),
        ({"train": "subject =="}, "parts.train: 'subject ==': invalid syntax"),
        ({"test_held_out": "subject == 2"}, "parts.test_held_out selects no training clip"),
        (
            {"train": "subject == 1 and take == 1", "calibration_held_out": "action == 1"},
            "gate.folds is 5, but the gate is fitted on",
        ),
    ],
)
def test_parts_that_select_nothing_or_too_little(parts, message, project):
    given = yaml.safe_load((project / "conf/mine/parameters.yml").read_text())["parts"]
    change(project, "parameters", parts=given | parts)
    code, wrong, _ = check(project)
    assert code == 1
    assert any(message in line for line in wrong), wrong


def test_few_bad_clips_are_told_and_accepted(project):
    (project / "clips" / "a1_s1_t1.npy").write_text("x")
    code, _, told = check(project, "--params=clips.max_rejected=0.1")
    assert code == 0
    assert "1 of 42 clips that were read, such as a1_s1_t1: unreadable: not a .npy file" in told


def test_all_clips_are_read_on_request(project, monkeypatch):
    monkeypatch.setattr("msf_kedro.checking.MOST_READ", 2)
    assert "of 2 clips that were read" in check(project)[2]
    assert "of 42 clips that were read" in check(project, "--all")[2]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: (p / "conf/mine/globals.yml").write_text("study: [1"), "globals.yml"),
        (lambda p: change(p, "globals", study=None), "environment 'mine' has no study"),
        (lambda p: change(p, "globals", raw_clips="nowhere"), "there is no such folder"),
        (lambda p: (p / TEXTS).unlink(), "there is no such file"),
        (lambda p: change(p, "parameters", variant="huge"), "unknown variant 'huge'"),
        (lambda p: change(p, "globals", clip_table="no.csv"), "no.csv: there is no such file"),
        (lambda p: change(p, "catalog", raw_clips={"type": "msf_kedro.datasets.X"}), "X"),
    ],
    ids=["yaml", "study", "folder", "texts", "variant", "table", "dataset"],
)
def test_what_is_not_there_is_told(spoil, message, project):
    spoil(project)
    code, wrong, _ = check(project)
    assert code == 1
    assert any(message in line for line in wrong), wrong


def test_the_study_of_the_tests_is_good(monkeypatch):
    assert "test" in ENVIRONMENTS
    monkeypatch.chdir(ROOT)
    assert give(ROOT, "msf", "check", "--env=test").exit_code == 0
