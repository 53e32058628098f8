"""Every command of README, docs and the environments' headers: valid, run by a test, or excused.

Nothing is started here. A `kedro run` is parsed, its environment, pipelines and parameters are
loaded and its nodes selected; other commands are parsed by the programs' own parsers.
"""

import argparse
import json
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import click
import pytest
from click import ClickException
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines
from kedro.utils import load_obj
from support.documented import PAGES, commands, lines, options, scripts, without_settings
from support.sessions import ROOT, context, known

from msf_kedro import cli

# What stands for something else in commands.
PLACEHOLDERS = {
    r"\$SPLITS\b": "final_01+final_02",
    r"--env=mine": "--env=sample",
    r"\$split": "split_1",
    r"\bNAME\b": "ridge",
}
# Commands that neither run in a test nor can be parsed here, each with the reason.
EXCUSED = {
    r"(for|do|done|export)\b.*": "the shell's own words: blocks are parsed by `bash -n`",
    r"docker .*": "needs Docker",
    r"(CUDA_VISIBLE_DEVICES=\S+ )?dask (scheduler|worker) .*": "tests/runner/test_cluster.py does",
    r"pip install dask-(jobqueue|kubernetes)": "for clusters that are not here",
    r"python -m pip install dist/\S+ .*": "installs into another environment",
    r"source \.venv/bin/activate": "the shell's; `make` makes the file",
    r"kedro (viz run|jupyter lab|ipython)": "opens a program that waits for its user",
}
RUN_BY_TESTS = {"kedro package": "tests/test_package.py"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def headers() -> set[str]:
    """The commands in the headers of the environments."""
    files = (ROOT / "conf").glob("*/*.yml")
    found = [re.findall(r"^#\s+command\s+(\S.*)$", f.read_text(), re.MULTILINE) for f in files]
    return {line for each in found for command in each for line in lines(command)}


COMMANDS = sorted({*commands(), *headers()})


@cache
def refusal(env: str | None, params: str) -> str:
    """What an environment says to parameters; empty if it takes them."""
    try:
        context(env, **json.loads(params))
    except (ClickException, ValueError) as error:
        return f"{env}: {error}"
    return ""


def filled(command: str) -> str:
    for placeholder, value in PLACEHOLDERS.items():
        command = re.sub(placeholder, value, command)
    return command


def run_options(words: list[str]) -> dict:
    """What Kedro makes of the options of `kedro run`."""
    return cli.run.make_context("run", list(words)).params


# --- one check for each program ---


def check_run(words: list[str]) -> None:
    """Environment and pipelines are there, parameters are taken, some node is selected."""
    given = run_options(words)
    names = given["pipelines"] or [given["pipeline"] or "__default__"]
    assert refusal(given["env"], json.dumps(given["params"])) == ""
    if "benchmark" in names:  # the latest context's
        context(given["env"], **given["params"])
    chosen = sum(pipelines[name] for name in names)
    parts = {name: given[name] or None for name in ("from_nodes", "node_names")}
    parts["node_namespaces"] = given["namespaces"] or None
    assert chosen.filter(**parts).nodes if any(parts.values()) else chosen.nodes
    assert set(given["load_versions"] or ()) <= chosen.datasets()
    assert isinstance(load_obj(given["runner"] or "SequentialRunner", "kedro.runner"), type)


def check_kedro(words: list[str]) -> None:
    """`kedro run`, or a command of the project's own."""
    first, *rest = words
    if first == "run":
        check_run(rest)
        return
    if words == ["registry", "list"]:
        return  # Kedro's own
    assert first == "msf", f"kedro {first}"
    command = cli.msf.commands[rest[0]] if rest else cli.msf
    if len(rest) < 2:  # only the name is said
        return
    given = command.make_context(rest[0], rest[1:]).params
    if "env" in given:
        assert refusal(given["env"], json.dumps(given["params"])) == ""


def check_make(words: list[str]) -> None:
    """Its targets and variables are there; what it would run is valid too."""
    text = (ROOT / "Makefile").read_text()
    for variable in (word.partition("=")[0] for word in words if "=" in word):
        assert re.search(rf"^{variable} [?:]?=", text, re.MULTILINE), variable
    dry = ["make", "--dry-run", "--always-make", *words]
    done = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        if "/kedro run" in line:
            check_run(shlex.split(line)[2:])


def check_python(words: list[str]) -> None:
    """A script or module that is there and takes the arguments."""
    if words[0] != "-m":
        check_script(words)
    elif words[1] == "pytest":
        paths = [word for word in words[2:] if not word.startswith("-")]
        assert [path for path in paths if not (ROOT / path).exists()] == []
    elif words[1] == "msf_kedro":
        check_run([word for word in words[2:] if not word.startswith("--conf-source=")])
    else:
        assert words[1] == "fuzz", words
        targets = runpy.run_path(str(ROOT / "tests" / "fuzz" / "targets.py"))["TARGETS"]
        assert words[2] in targets


def check_script(words: list[str]) -> None:
    """It is there, and its parser takes the arguments; it goes no further."""
    file = ROOT / words[0]
    assert file.is_file(), file
    if "parse_args" not in file.read_text():
        assert words[1:] == [], f"{file} takes no arguments"
        return

    def parse(parser: argparse.ArgumentParser, *_) -> None:
        taken, unknown = parser.parse_known_args(words[1:])
        assert unknown == [], taken
        raise StopIteration

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse)
        patch.setattr(sys, "argv", words)
        patch.syspath_prepend(file.parent)
        with pytest.raises(StopIteration):
            runpy.run_path(str(file), run_name="__main__")


def check_pip(words: list[str]) -> None:
    """Extras and files are there."""
    assert words[0] == "install"
    for word in words[1:]:
        if extras := re.search(r"\[(.*)\]", word):
            assert set(extras[1].split(",")) <= set(PROJECT["optional-dependencies"])
        elif not word.startswith("-"):
            assert (ROOT / word).exists(), word


def check_uv(words: list[str]) -> None:
    assert words[0] == "pip"
    check_pip(words[1:])


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "kedro": check_kedro,
    "make": check_make,
    "pip": check_pip,
    "python": check_python,
    "uv": check_uv,
}


def check(command: str) -> None:
    """Fail with what is wrong with a command."""
    words = shlex.split(filled(without_settings(command)))
    program = Path(words[0]).name
    assert program in CHECKS, f"{command!r}: neither run by a test, nor checked, nor excused"
    try:
        CHECKS[program](words[1:])
    except (click.UsageError, KeyError, SystemExit) as error:
        pytest.fail(f"{command!r}: {error!r}")


def excuse(command: str) -> str:
    found = [why for pattern, why in EXCUSED.items() if re.fullmatch(pattern, command)]
    return found[0] if found else ""


# --- tests ---


def test_there_is_something_to_check():
    assert len(COMMANDS) > 60
    assert len(options()) > 10
    assert {"make run", "kedro msf status"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_valid(command):
    if command in RUN_BY_TESTS:
        file = ROOT / RUN_BY_TESTS[command]
        assert command in file.read_text(), f"{file} says that it runs it"
    elif not excuse(command):
        check(command)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("kedro run --env=nowhere", "nowhere"),
        ("kedro run --pipelines=gzsar", "gzsar"),
        ("kedro run --params=mfs.latent=2", "mfs"),
        ("kedro run --nodes=nothing", "nothing"),
        ("kedro run --piplines=gzssar", "piplines"),
        ("kedro run --runner=msf_kedro.runner.Nothing", "Nothing"),
        ("kedro msf recognise clips", "recognise"),
        ("kedro msf recognize clips --top=0", "top"),
        ("kedro msf status --params=split=split_9", "split_9"),
        ("make runs", "runs"),
        ("make run ENVIRONMENT=sample", "ENVIRONMENT"),
        ("make run ENV=nowhere", "nowhere"),
        ("python benchmarks/gone.py", "gone"),
        ("python benchmarks/alignment.py --round 4 --sped", "sped"),
        ("python docs/draw_rooms.py --fast", "no arguments"),
        ("python -m pytest tests/gone.py", "gone"),
        ('pip install -e ".[gone]"', "gone"),
        ("uv pip install -c gone.lock", "gone"),
        ("nothing --at=all", "neither run by a test"),
    ],
)
def test_a_wrong_command_is_seen(command, reason):
    wrong = (AssertionError, ValueError, AttributeError, ClickException, pytest.fail.Exception)
    with pytest.raises(wrong, match=reason):
        check(command)


def test_every_excuse_is_needed():
    for pattern in EXCUSED:
        assert any(re.fullmatch(pattern, command) for command in COMMANDS), pattern
    assert set(RUN_BY_TESTS) <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_are_of_the_shells_language(page):
    for script in scripts(page):
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), script


@pytest.mark.parametrize("text", options())
def test_options_are_taken_by_some_study(text):
    given = kedro_run.make_context("run", filled(text).split()).params
    data_sets, nodes = known("utd_mhad")
    assert {*given["from_nodes"], *given["node_names"]} <= nodes
    assert set(given["load_versions"] or ()) <= data_sets
    assert set(given["pipelines"]) <= set(pipelines)
    params = json.dumps(given["params"])
    studies = [given["env"]] if given["env"] else ["utd_mhad", "ntu60"]
    refusals = [refusal(env, params) for env in studies]
    assert "" in refusals, refusals
