"""`kedro run` ends what input and parameters cause in one sentence."""

import click
import pytest
from click.testing import CliRunner
from support.sessions import ROOT

from msf_kedro import cli


def kedro_run(*options: str):
    return CliRunner().invoke(cli.run, ["--env=test", *options])


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        (
            "streams.joint=-1",
            "parameters streams: joint: Input should be greater than or equal to 0, not -1",
        ),
        ("shift_gcn_training.epochs=0", "parameters shift_gcn_training: epochs: Input should be"),
        ("clips.max_rejected=7.5", "parameters clips: clips.max_rejected is 7.5, expected 0 to 1"),
        ("msf.cycles=abc", "msf.cycles is 'abc', expected a whole number"),
        ("split=../x", "unknown class split '../x'; this study has split_1, split_2"),
    ],
)
def test_parameters_are_refused_in_a_sentence(params, sentence, tmp_path):
    done = kedro_run(f"--params=data_root={tmp_path},{params}")
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit), "no other exception comes through"
    (told,) = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert sentence in told
    assert list(tmp_path.rglob("*.pt")) == []


def test_the_traceback_is_there_on_request(tmp_path):
    given = f"--params=data_root={tmp_path},clips.max_rejected=7.5"
    assert not isinstance(kedro_run(given, "--traceback").exception, SystemExit | type(None))


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("plain", "plain"),
        ("", "ValueError"),
        ("Failed while loading data from dataset X(a=1).\nthe file is bad", "the file is bad"),
    ],
)
def test_what_kedro_puts_around_a_message_is_left_out(text, short):
    assert cli.in_short(ValueError(text)) == short


def test_a_defect_comes_with_its_traceback(monkeypatch, tmp_path):
    def broken(**_):
        raise KeyError("a defect")

    monkeypatch.setattr(cli.kedro_run, "callback", broken)
    assert isinstance(kedro_run(f"--params=data_root={tmp_path}").exception, KeyError)


def test_all_options_of_kedro_run_are_there():
    names = {option.name for option in cli.run.params}
    assert names == {option.name for option in cli.kedro_run.params} | {"traceback"}
    assert isinstance(cli.run, click.Command)
