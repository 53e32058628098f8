"""The project's own commands: `kedro msf ...`, and `kedro run` that ends errors in a sentence."""

from copy import copy
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.io import DatasetError
from kedro.validation.exceptions import ParameterValidationError

from msf_kedro import commands
from msf_kedro.runner.commands import COMMANDS
from msf_kedro.sentences import in_short

# What input and parameters can cause. Anything else is a defect, and its traceback is shown.
EXPECTED = (
    *(ValueError, ArithmeticError, OSError, RuntimeError, DatasetError),
    ParameterValidationError,
)


@click.group()
def cli() -> None:
    """Commands of this project."""


@cli.group()
def msf() -> None:
    """Recognise clips; see what made what, what has changed, what may go."""


for command in [*commands.COMMANDS, *COMMANDS]:
    msf.add_command(command)


@msf.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--max-bytes", default=4_000_000_000, show_default=True, help="Of the file.")
def convert_pyskl(file: Path, folder: Path, max_bytes: int) -> None:
    """Convert PYSKL's annotations, FILE.pkl, to a .npy file for each clip and clips.csv in FOLDER.

    Nothing that the pickle asks for is run: only plain values and arrays are taken from it.
    """
    from msf_kedro.datasets.annotations import convert  # imports NumPy

    try:
        click.echo(convert(file, folder, max_bytes))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _run(traceback: bool, **options: Any) -> Any:
    """Run a pipeline; what input and parameters cause ends in one sentence."""
    if traceback:
        return kedro_run.callback(**options)
    try:
        return kedro_run.callback(**options)
    except EXPECTED as error:
        raise click.ClickException(f"{in_short(error)} (--traceback shows where)") from error


run = copy(kedro_run)
run.callback = _run
run.params = [
    *kedro_run.params,
    click.Option(["--traceback"], is_flag=True, help="Show where an error comes from."),
]
cli.add_command(run)
