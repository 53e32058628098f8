"""The project's own commands: `kedro msf ...`."""

import click

from msf_kedro.runner.commands import COMMANDS


@click.group()
def cli() -> None:
    """Commands of this project."""


@cli.group()
def msf() -> None:
    """What made what, what has changed, what may go."""


for command in COMMANDS:
    msf.add_command(command)
