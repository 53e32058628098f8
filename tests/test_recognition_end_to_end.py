"""A finished study's bundle recognises clips as the study does, here and anywhere else."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project
from kedro.io import DatasetError
from support.sessions import ROOT, artifacts, link_copy, read, run

from msf_kedro import cli
from msf_kedro.recognizer import Recognizer
from msf_kedro.sample import generate_clip

CELL = "test/split_1/msf/MiniLM/LB+AD+MD"
BUNDLE = f"06_models/{CELL}/bundle"


@pytest.fixture(scope="module")
def root(finished, tmp_path_factory) -> Path:
    """The data root of a finished study, which has a bundle too."""
    root = link_copy(finished[0], tmp_path_factory.mktemp("recognition") / "data")
    run(root, "bundle")
    return root


@pytest.fixture(scope="module")
def folder(root) -> Path:
    """The bundle."""
    return newest(root)


def newest(root: Path) -> Path:
    return max((root / BUNDLE).glob("*/bundle"))


@pytest.fixture(scope="module")
def recognizer(folder) -> Recognizer:
    return Recognizer.load(folder)


@pytest.fixture(scope="module")
def predictions(root) -> pd.DataFrame:
    """The study's own predictions by the strict protocol."""
    (file,) = artifacts(root)[f"07_model_output/{CELL}/predictions.parquet"]
    table = read(file)
    return table[table.protocol == "strict"]


def clips(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """The clips of some rows of predictions."""
    numbers = table["name"].str.extract(r"P(\d+)R(\d+)A(\d+)").astype(int)
    return {
        name: generate_clip(action, performer, repetition, 0)
        for name, (performer, repetition, action) in zip(
            table["name"], numbers.to_numpy().tolist(), strict=True
        )
    }


def assert_as_the_study(recognizer: Recognizer, table: pd.DataFrame) -> None:
    """All of its test clips are taken for the same, with the same score of the gate."""
    found = recognizer.predict(clips(table))
    assert [p.name for p in found] == table["name"].tolist()
    np.testing.assert_allclose([p.score for p in found], table.score, atol=1e-4)
    labels = {known.class_id: known.label for known in recognizer._model.classes}
    clear = (table.score - [p.threshold for p in found]).abs().to_numpy() > 1e-3
    assert clear.sum() > 10
    for prediction, row, is_clear in zip(found, table.itertuples(), clear, strict=True):
        best = {"seen": labels[row.seen_prediction], "unseen": labels[row.unseen_prediction]}
        for side, label in best.items():  # another one only where two are as good
            shares = getattr(prediction, side)
            assert shares[label] == pytest.approx(max(shares.values()), abs=1e-3)
        if is_clear:
            assert (prediction.side == "seen") == row.called_seen


@pytest.mark.parametrize("gate", ["threshold", "logistic"])
def test_it_answers_as_the_study_does(recognizer, predictions, gate):
    mine = predictions[(predictions.gate == gate) & (predictions.seed == 0)]
    assert len(mine) == 40
    assert_as_the_study(Recognizer(replace(recognizer._model, gate=gate)), mine)


def test_another_seed_may_be_asked_for(root, predictions):
    run(root, "bundle", params={"bundle": {"seed": 1}})
    mine = predictions[(predictions.gate == "threshold") & (predictions.seed == 1)]
    other = Recognizer.load(newest(root))
    assert other.facts["seed"] == 1
    assert_as_the_study(other, mine)
    with pytest.raises(ValueError, match=r"bundle\.seed is 7, expected one of .* \[0, 1\]"):
        run(root, "bundle", params={"bundle": {"seed": 7}})


def test_the_card_has_the_studys_figures_and_words(recognizer, predictions):
    card, facts = recognizer.card, recognizer.facts
    assert card.startswith("# Recogniser of 10 actions (test, split_1)\n")
    assert "A program generated the clips" in card
    assert "{{" not in card
    assert "None" not in card
    mine = predictions[predictions.gate == "threshold"]
    right = mine.predicted == mine.class_id
    by_name = {figure["name"]: figure for figure in facts["figures"]}
    assert list(by_name) == ["ZSSAR", "Acc_s", "Acc_u", "H"]
    for name, side in (("Acc_s", "seen"), ("Acc_u", "unseen")):
        figure = by_name[name]
        assert figure["mean"] == pytest.approx(right[mine.side == side].mean())
        own = right[(mine.side == side) & (mine.seed == 0)]
        assert (figure["own"], figure["clips"]) == (pytest.approx(own.mean()), len(own))
        assert figure["low"] <= figure["mean"] <= figure["high"]
        assert f"| {name} | {100 * figure['mean']:.1f} |" in card
    assert facts["made_with"]["normalise"]["window"] == 16  # of the records
    for row in recognizer.classes.itertuples():
        assert f"| {row.label} | {row.side} | {row.label} · {row.AD} · {row.MD} |" in card


def test_it_is_made_of_what_the_records_say_not_of_todays_parameters(root):
    run(root, "bundle", params={"normalise": {"window": 99}, "streams": {"bone": 0}})
    model = Recognizer.load(newest(root))._model
    assert model.normalise.window == 16
    assert len(model.streams) == 4


ELSEWHERE = """
import json, sys

class NoKedro:
    def find_spec(self, name, *rest):
        if name.split(".")[0] in ("kedro", "kedro_datasets"):
            raise ImportError(name)

sys.meta_path.insert(0, NoKedro())
import numpy as np
from msf_kedro.recognizer import Recognizer

recognizer = Recognizer.load("moved/my bundle")
words = {"bow": "To bend the upper body forward.", "throw": None, "clapping": None}
found = [recognizer.predict("clips"), recognizer.predict("clips", words)]
print(json.dumps([[vars(prediction) for prediction in each] for each in found]))
assert not [name for name in sys.modules if name.startswith("kedro")]
"""


def test_it_needs_neither_kedro_nor_the_study(recognizer, folder, predictions, tmp_path):
    shutil.copytree(folder, tmp_path / "moved" / "my bundle")
    (tmp_path / "clips").mkdir()
    some = clips(predictions[(predictions.gate == "threshold") & (predictions.seed == 0)][::8])
    for name, clip in some.items():
        np.save(tmp_path / "clips" / f"{name}.npy", clip)
    env = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", ELSEWHERE]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    words = {"bow": "To bend the upper body forward.", "throw": None, "clapping": None}
    here = [recognizer.predict(some), recognizer.predict(some, words)]
    for told, expected in zip(json.loads(done.stdout), here, strict=True):
        assert [p["name"] for p in told] == sorted(some)
        for one, other in zip(told, expected, strict=True):
            assert one["side"] == other.side
            for side in ("seen", "unseen"):
                assert one[side] == pytest.approx(getattr(other, side), abs=1e-4)


# --- documentation ---


def test_the_examples_of_the_page_work(folder, tried, tmp_path, monkeypatch, capsys):
    shutil.copytree(folder, tmp_path / "bundle")
    shutil.copytree(tried, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    text = (ROOT / "docs" / "recognise.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        exec(block, names)
    told = capsys.readouterr().out
    assert "17 joints" in told
    assert "high five: nearest to" in told
    assert names["recognizer"].classes.label.tolist()[-1] == "high five"
    assert names["prediction"].name == f"frame {names['number']}"


# --- commands and pipeline ---


def kedro_msf(root: Path, *arguments: str):
    """What `kedro msf` says, as lines."""
    given = ["--env=test", f"--params=data_root={root}"]
    command = ["msf", *arguments[:1], *given, *arguments[1:]]
    return CliRunner().invoke(cli.cli, command, obj=bootstrap_project(ROOT))


@pytest.fixture(scope="module")
def tried(root, tmp_path_factory) -> Path:
    """What `kedro msf examples` writes."""
    folder = tmp_path_factory.mktemp("tried") / "examples"
    done = kedro_msf(root, "examples", str(folder), "--each=1")
    assert done.exit_code == 0, done.output
    return folder


def test_examples_are_clips_of_unseen_classes_and_their_words(tried):
    names = sorted(file.stem for file in (tried / "clips").iterdir())
    assert [name.split("-")[0] for name in names] == ["squat_down", "throw"]
    assert [name[-4:] for name in names] == ["A080", "A007"]
    table = pd.read_csv(tried / "classes.csv")
    assert table.label.tolist() == ["throw", "squat down"]
    assert list(table) == ["label", "action_description", "motion_description"]


def test_clips_are_recognised_from_the_command_line(root, folder, recognizer, tried, tmp_path):
    words = pd.read_csv(tried / "classes.csv")
    words.loc[0, "motion_description"] = "Words of my own."
    words.to_csv(tmp_path / "mine.csv", index=False)
    output = tmp_path / "made" / "found.parquet"
    options = [f"--bundle={folder}", f"--classes={tmp_path / 'mine.csv'}", f"--output={output}"]
    done = kedro_msf(root, "recognize", str(tried / "clips"), *options)
    assert done.exit_code == 0, done.output
    expected = recognizer.predict(tried / "clips", words)
    assert done.output.endswith(f"{expected}\n")
    pd.testing.assert_frame_equal(pd.read_parquet(output), expected.to_frame())


def test_without_a_bundle_the_newest_one_is_taken(root, tried):
    file = next((tried / "clips").iterdir())
    done = kedro_msf(root, "recognize", str(file), "--top=1")
    expected = Recognizer.load(newest(root)).predict(file).table(1)
    assert done.output.endswith(f"{expected}\n")


def test_clips_may_be_looked_at_together(root, folder, recognizer, tried):
    """By the command line, and by the pipeline where the study does."""
    done = kedro_msf(root, "recognize", str(tried / "clips"), f"--bundle={folder}", "--together")
    expected = recognizer.predict(tried / "clips", inference="transductive")
    assert done.output.endswith(f"{expected}\n")
    given = {"clips_to_recognise": str(tried / "clips"), "inference": "transductive"}
    run(root, "recognition", params=given)
    found = pd.read_parquet(artifacts(root)[f"07_model_output/{CELL}/recognised.parquet"][-1])
    whole = Recognizer.load(newest(root)).predict(tried / "clips", inference="transductive")
    pd.testing.assert_frame_equal(found, whole.to_frame())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["recognize", "gone"], "gone: there is no such file or folder of clips"),
        (["recognize", "gone", "--bundle=gone"], "bundle gone: no bundle, as bundle.json"),
        (["recognize", "gone", "--classes=gone.csv"], "gone.csv: "),
        (["examples", "."], "is there already; give a new folder's name"),
    ],
)
def test_what_a_user_causes_is_a_sentence(root, arguments, message):
    done = kedro_msf(root, *arguments)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert f"Error: {message}" in done.output or message in done.output
    assert "Traceback" not in done.output


def test_a_study_without_a_bundle_says_so(tmp_path):
    done = kedro_msf(tmp_path, "recognize", "gone")
    assert done.exit_code == 1
    assert "the study has no bundle yet: `kedro run --pipelines=bundle`" in done.output
    assert "Traceback" not in done.output


def test_as_a_pipeline_predictions_have_versions_and_records(root, tried, recognizer):
    given = {
        "clips_to_recognise": str(tried / "clips"),
        "classes_to_recognise": str(tried / "classes.csv"),
    }
    run(root, "recognition", params=given)
    file = artifacts(root)[f"07_model_output/{CELL}/recognised.parquet"][-1]
    words = pd.read_csv(tried / "classes.csv")
    expected = Recognizer.load(newest(root)).predict(tried / "clips", words).to_frame()
    pd.testing.assert_frame_equal(pd.read_parquet(file), expected)
    record = json.loads(file.with_name(f"{file.name}.record.json").read_text())
    inputs = record["recipe"]["inputs"]
    assert inputs["clips_to_recognise"]["files"] == 2
    assert inputs["classes_to_recognise"]["files"] == 1
    assert inputs["bundle"]["version"] == newest(root).parent.name


def test_the_pipeline_asks_for_clips(root):
    with pytest.raises(DatasetError, match="name their folder with --params=clips_to_recognise"):
        run(root, "recognition")
