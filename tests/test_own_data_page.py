"""docs/own_data.md from a folder to a bundle, its commands word for word, on poses in an image."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import Result
from support.poses import coco_clip
from support.projects import fresh_project, give
from support.sessions import ROOT

ACTIONS = (1, 7, 8, 10, 23, 24, 26, 99)  # of the sample; the clips call them 1 to 8
SHORT = {  # what a reader may write into the environment, so that the training ends soon
    "seeds": [0],
    "normalise": {"window": 16},
    "shift_gcn": {"widths": [8, 16], "strided_units": [2]},
    "shift_gcn_training": {"epochs": 2, "warmup_epochs": 1},
    "streams": {"bone": 0.0, "joint_motion": 0.0, "bone_motion": 0.0},
    "msf": {
        **{"latent": 8, "steps": 50, "latents_per_class": 20, "classifier_steps": 20},
        **{"skeleton_kl_from": 10, "text_kl_from": 20, "cross_from": 20},
    },
}


def commands() -> list[str]:
    section = (ROOT / "docs" / "own_data.md").read_text().split("\n## ")[1]
    assert section.startswith("From a folder to a bundle")
    found = re.findall(r"^```bash\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return [line for block in found for line in block.splitlines()]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A fresh copy of the project, with clips of eight classes, four people and two takes."""
    place = fresh_project(tmp_path_factory.mktemp("project"))
    raw = place / "data" / "01_raw" / "mine"
    raw.mkdir()
    for number, action in enumerate(ACTIONS, 1):
        for subject, take in np.ndindex(4, 2):
            name = f"a{number:02d}_s{subject + 1:02d}_t{take + 1:02d}"
            np.save(raw / f"{name}.npy", coco_clip(action, subject + 1, take + 1))
    return place


def describe_classes(project: Path) -> None:
    """What the page asks its reader to do: a text for every empty cell of the table."""
    ready = pd.read_csv(ROOT / "data/01_raw/class_texts/ntu_120.csv").set_index("class_id")
    file = project / "data/01_raw/class_texts/mine.csv"
    mine = pd.read_csv(file)
    assert mine.drop(columns="class_id").isna().all(axis=None)
    ready.loc[list(ACTIONS)].reset_index(drop=True).assign(class_id=mine.class_id)[
        mine.columns
    ].to_csv(file, index=False)


def follow(project: Path, command: str) -> Result:
    kedro, *words = shlex.split(command)
    assert kedro == "kedro"
    return give(project, *words)


def test_from_a_folder_to_a_bundle(project, monkeypatch):
    monkeypatch.chdir(project)
    given = commands()
    assert [line.split()[1:3] for line in given][:3] == [
        ["msf", "new-study"], ["msf", "look"], ["msf", "check"]
    ]  # fmt: skip
    told: dict[str, str] = {}
    for command in given:
        done = follow(project, command)
        told[command] = done.output
        assert done.exit_code == 0, f"{command}: {done.output} {done.exception}"
        if command.split()[2] == "new-study":
            unfilled = follow(project, "kedro msf check --env=mine")
            assert unfilled.exit_code == 1
            assert "mine.csv: each of the columns label, verb, noun," in unfilled.output
            describe_classes(project)
            short = project / "conf" / "mine" / "parameters_short.yml"
            short.write_text(yaml.safe_dump(SHORT))
    begun, *_, recognised = told.values()
    assert "guessed: layout coco_17; 17 joints of 3 values" in begun
    assert "not guessed" not in begun
    unseen = pd.read_csv(project / "examples_of_mine" / "classes.csv").label
    assert len(unseen) == 2
    assert any(label in recognised for label in unseen)
    (bundle,) = (project / "data" / "06_models").rglob("bundle.json")
    assert '"coco_17"' in bundle.read_text()


def test_nothing_is_overwritten(project, monkeypatch):
    """The study of the test above is there."""
    monkeypatch.chdir(project)
    done = follow(project, commands()[0])
    assert done.exit_code == 1
    (told,) = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert told.endswith("conf/mine: there is an environment of that name; choose another name")
