"""The commands that take clips or a bundle: `kedro msf recognize`, `look`, `export-onnx` ..."""

from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.utils import _split_params, env_option
from kedro.framework.session import KedroSession
from kedro.framework.startup import ProjectMetadata
from kedro.io import CatalogProtocol, DatasetError

from msf_kedro.runner.files import whole_or_nothing

# What they use of the library is imported where it is used, as it takes seconds.

params_option = click.option(
    "--params", default="", callback=_split_params, help="As of `kedro run`."
)


@click.command()
@env_option
@params_option
@click.option(
    "--bundle", type=click.Path(path_type=Path), help="A bundle's folder; else the study's newest."
)
@click.option(
    "--classes",
    type=click.Path(path_type=Path),
    help="A CSV file with a column `label`, and `description` or the columns of a class text table"
    " for classes that the bundle does not know. All known classes unless given.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="A parquet file to write the table to."
)
@click.option("--top", default=3, show_default=True, type=click.IntRange(min=1))
@click.argument("clips", type=click.Path(path_type=Path))
@click.pass_obj
def recognize(
    metadata: ProjectMetadata,
    env: str | None,
    params: dict[str, Any],
    bundle: Path | None,
    classes: Path | None,
    output: Path | None,
    top: int,
    clips: Path,
) -> None:
    """What the clips in a folder, or one clip's file, show."""
    with _in_a_sentence():
        from msf_kedro.recognizer import Recognizer
        from msf_kedro.recognizer.words import read_classes

        among = read_classes(classes) if classes else None
        if bundle:
            recognizer = Recognizer.load(bundle)
        else:
            with _catalog(metadata, env, params) as catalog:
                if not catalog.exists("bundle"):
                    raise click.ClickException(
                        "the study has no bundle yet: `kedro run --pipelines=bundle` makes one of a"
                        " finished run, with its --env and --params (or name one with --bundle)"
                    )
                recognizer = Recognizer.of(catalog.load("bundle"))
        predictions = recognizer.predict(clips, among)
        if output:
            output.parent.mkdir(parents=True, exist_ok=True)
            predictions.to_frame(top).to_parquet(output, index=False)
    click.echo(predictions.table(top))


@click.command()
@env_option
@params_option
@click.option("--each", default=2, show_default=True, type=click.IntRange(min=1))
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def examples(
    metadata: ProjectMetadata, env: str | None, params: dict[str, Any], each: int, folder: Path
) -> None:
    """Clips of a study's unseen classes to try recognition on, and a table of their words.

    Writes test clips as .npy files to FOLDER/clips, and FOLDER/classes.csv, whose descriptions may
    be edited.
    """
    import numpy as np

    if folder.exists():
        raise click.ClickException(f"{folder}: is there already; give a new folder's name")
    with _in_a_sentence(), _catalog(metadata, env, params) as catalog:
        roles = catalog.load("test_roles")
        roles = roles[(roles.side == "unseen") & (roles.part == "test")].sort_values("name")
        load, limits = catalog.load("raw_clips"), catalog.load("params:clips").limits
        texts = catalog.load("class_texts")
        columns = ["label", "action_description", "motion_description"]
        (folder / "clips").mkdir(parents=True)
        for name in roles.groupby("class_id").head(each).name:
            np.save(folder / "clips" / f"{name}.npy", load[name](limits))
        words = texts[texts.class_id.isin(roles.class_id)][columns]
        words.to_csv(folder / "classes.csv", index=False)
    for row in words.itertuples():
        click.echo(f"{row.label}: {row.motion_description}")
    click.echo(f"clips are in {folder / 'clips'}, these words in {folder / 'classes.csv'}")


@click.command()
@env_option
@params_option
@click.option("--layout", "name", help="Of the joints (docs/layouts.md); else the environment's.")
@click.option("--names", default="*", help="Only clips whose names fit, such as 'a12_*'.")
@click.option("--limit", default=24, show_default=True, type=click.IntRange(min=1))
@click.option("--output", default="look.html", show_default=True, type=click.Path(path_type=Path))
@click.option(
    "--svg", type=click.Path(path_type=Path), help="An animated picture to write as well."
)
@click.argument("clips", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def look(
    metadata: ProjectMetadata,
    env: str | None,
    params: dict[str, Any],
    name: str | None,
    names: str,
    limit: int,
    output: Path,
    svg: Path | None,
    clips: Path | None,
) -> None:
    """Draw clips as moving skeletons: one page that opens in any browser, offline.

    CLIPS is a folder or a file in any known format; without it, the environment's raw clips.
    """
    with _in_a_sentence(), _catalog(metadata, env, params) as catalog:
        from msf_kedro.clips.layouts import get_layout
        from msf_kedro.datasets.places import clips_in
        from msf_kedro.drawings import look as looking
        from msf_kedro.drawings.animation import animation

        given = clips_in(clips) if clips else catalog.load("raw_clips")
        fitting = {clip: load for clip, load in given.items() if fnmatch(clip, names)}
        if not fitting:
            raise click.ClickException(f"none of {len(given)} clips has a name like {names!r}")
        config, own = catalog.load("params:clips"), catalog.load("params:layouts")
        layout = get_layout(name, own) if name else get_layout(config.layout, own, config.units)
        normalise = catalog.load("params:normalise")
        place = str(clips) if clips else f"study {catalog.load('params:study')}"
        found = looking.look(place, fitting, layout, normalise, config.limits, limit)
        _write(output, looking.page(found))
        if svg and found.motions:
            _write(svg, animation(list(found.motions.items())))
    click.echo(found.summary())
    for clip, reason in found.refused.items():
        click.echo(f"{clip}: {reason}", err=True)
    click.echo(f"watch them in {output.resolve()}")


def _write(file: Path, text: str) -> None:
    """A text file, whole or not at all."""
    with whole_or_nothing(file) as partial:
        partial.write_text(text, encoding="utf-8")


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
def export_onnx(bundle: Path, folder: Path) -> None:
    """Write a bundle's networks as ONNX graphs to FOLDER, and recogniser.json, how to use them.

    Needs the extra `onnx`.
    """
    with _in_a_sentence():
        from msf_kedro.recognizer.bundle import read_bundle, write_folder
        from msf_kedro.recognizer.model import Model
        from msf_kedro.recognizer.onnx import export

        read = read_bundle(bundle)
        contents = export(Model.of_parts(read.values, read.tensors))
        write_folder(contents, folder)
    for name, content in contents.items():
        click.echo(f"{folder / name}: {len(content):,} bytes")


COMMANDS = [recognize, examples, look, export_onnx]


@contextmanager
def _catalog(
    metadata: ProjectMetadata, env: str | None, params: dict[str, Any]
) -> Iterator[CatalogProtocol]:
    """The catalog of an environment."""
    with KedroSession.create(metadata.project_path, env=env, runtime_params=params) as session:
        yield session.load_context().catalog


@contextmanager
def _in_a_sentence() -> Iterator[None]:
    """End what a user's input causes in one sentence."""
    try:
        yield
    except (ValueError, OSError, DatasetError) as error:
        raise click.ClickException(str(error)) from error
