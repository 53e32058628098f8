"""A fresh copy of the project for commands that write into it."""

import shutil
from pathlib import Path

from click.testing import CliRunner, Result
from kedro.framework.startup import _get_project_metadata

from msf_kedro import cli
from support.sessions import ROOT

FILES = ("pyproject.toml", "conf/logging.yml", "data/01_raw/published_figures.csv")


def fresh_project(place: Path) -> Path:
    """The project's base configuration and texts, without its source: commands run in here."""
    for folder in ("conf/base", "data/01_raw/class_texts"):
        shutil.copytree(ROOT / folder, place / folder)
    for file in FILES:
        shutil.copy(ROOT / file, place / file)
    return place


def give(project: Path, *words: str) -> Result:
    """What `kedro` does with these words in a project; the working directory must be there."""
    metadata = _get_project_metadata(ROOT)._replace(project_path=project)
    return CliRunner().invoke(cli.cli, words, obj=metadata, prog_name="kedro")
