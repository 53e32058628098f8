"""`kedro package` gives a wheel and a conf archive that run in an empty folder."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from kedro.framework.cli import project
from kedro.framework.startup import bootstrap_project
from support.sessions import ROOT

PARTS = ("conf", "data/01_raw/class_texts", "src/msf_kedro")
FILES = ("LICENSE", "README.md", "pyproject.toml", "setup.py", "data/01_raw/published_figures.csv")


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    """What the command `kedro package` makes of a clone; nothing is downloaded for it."""
    clone = tmp_path_factory.mktemp("clone")
    forgotten = shutil.ignore_patterns("__pycache__", "local")
    for part in PARTS:
        shutil.copytree(ROOT / part, clone / part, ignore=forgotten)
    for file in FILES:
        shutil.copy(ROOT / file, clone / file)
    (clone / "conf" / "local").mkdir()
    (clone / "conf" / "local" / "credentials.yml").write_text("secret: word\n")

    def offline(command: list[str], **options) -> None:
        builds = [*command, "--no-isolation"] if "build" in command else command
        subprocess.run(builds, check=True, capture_output=True, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(clone)
        patch.setattr(project, "call", offline)
        metadata = bootstrap_project(ROOT)._replace(project_path=clone)
        done = CliRunner().invoke(project.package, obj=metadata, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return clone / "dist"


@pytest.fixture(scope="module")
def empty(dist, tmp_path_factory) -> Path:
    """A folder with nothing but the unpacked wheel and the conf archive."""
    folder = tmp_path_factory.mktemp("empty")
    (wheel,) = dist.glob("msf_kedro-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "installed")
    shutil.copy(dist / "conf-msf_kedro.tar.gz", folder)
    return folder


def test_the_wheel_has_what_is_no_module(empty):
    package = empty / "installed" / "msf_kedro"
    source = ROOT / "src" / "msf_kedro"
    others = {
        file.relative_to(source)
        for file in source.rglob("*")
        if file.is_file() and file.suffix not in (".py", ".pyc")
    }
    assert len(others) > 10
    assert {file for file in others if not (package / file).is_file()} == set()
    raw = ROOT / "data" / "01_raw"
    for table in (*raw.glob("class_texts/*.csv"), raw / "published_figures.csv"):
        assert (package / "raw" / table.relative_to(raw)).read_bytes() == table.read_bytes()


def test_the_archive_has_all_environments_and_no_secret(dist):
    command = ["tar", "-tzf", str(dist / "conf-msf_kedro.tar.gz")]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    environments = {folder.name for folder in (ROOT / "conf").iterdir() if folder.is_dir()}
    assert {name.split("/")[1] for name in names if name.count("/") > 1} >= environments - {"local"}
    assert "conf/local/credentials.yml" not in names


def test_it_runs_in_an_empty_folder(empty):
    installed = empty / "installed"
    environment = os.environ | {"PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    options = ["--conf-source=conf-msf_kedro.tar.gz", "--env=test", "--pipelines=skeletons,splits"]
    command = [sys.executable, "-m", "msf_kedro", *options]
    done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (roles,) = empty.glob("data/03_primary/test/split_1/test/roles.parquet/*/roles.parquet")
    assert set(pd.read_parquet(roles).side) == {"seen", "unseen"}
    assert not (empty / "data" / "01_raw").exists()  # the class texts are the wheel's
