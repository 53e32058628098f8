"""The commands of `kedro msf` that take clips, a bundle or an environment."""

import fnmatch
import re
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
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
@click.option(
    "--together",
    is_flag=True,
    help="Look at all clips at once (transductive inference): for many clips that belong together.",
)
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
    together: bool,
    clips: Path,
) -> None:
    """What the clips in a folder, or one clip's file, show."""
    with _in_a_sentence():
        from msf_kedro.recognizer import Recognizer
        from msf_kedro.recognizer.words import read_classes
        from msf_kedro.zero_shot.inference import INDUCTIVE, TRANSDUCTIVE

        among = read_classes(classes) if classes else None
        if bundle:
            recognizer = Recognizer.load(bundle)
        else:
            with _catalog(metadata, env, params) as catalog:
                recognizer = Recognizer.of(_bundle(catalog))
        inference = TRANSDUCTIVE if together else INDUCTIVE
        predictions = recognizer.predict(clips, among, inference)
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

    Writes test clips as .npy files to FOLDER/clips, whose names begin with what they show, and
    FOLDER/classes.csv, whose descriptions may be edited.
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
        labels = _labels(texts)
        for clip in roles.groupby("class_id").head(each).itertuples():
            shows, name = re.sub(r"\W+", "_", labels[clip.class_id]), clip.name
            name = name if name.startswith(shows) else f"{shows}-{name}"
            np.save(folder / "clips" / f"{name}.npy", load[clip.name](limits))
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
@click.option(
    "--limit",
    default=24,
    show_default=True,
    type=click.IntRange(min=1),
    help="So many at most; of an environment's clips two of each class at least.",
)
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

    CLIPS is a folder or a file in any known format; without it, the environment's raw clips, some
    of each class.
    """
    with _in_a_sentence(), _catalog(metadata, env, params) as catalog:
        from msf_kedro.clips.layouts import get_layout
        from msf_kedro.datasets.places import clips_in
        from msf_kedro.drawings import look as looking
        from msf_kedro.drawings.animation import animation
        from msf_kedro.studies.reading import Sample, of_each_class, spread, unusable

        given = clips_in(clips) if clips else catalog.load("raw_clips")
        fitting = sorted(fnmatch.filter(given, names))
        if not fitting:
            raise click.ClickException(f"none of {len(given)} clips has a name like {names!r}")
        config, own = catalog.load("params:clips"), catalog.load("params:layouts")
        layout = get_layout(name, own) if name else get_layout(config.layout, own, config.units)
        normalise = catalog.load("params:normalise")
        place = str(clips) if clips else f"study {catalog.load('params:study')}"
        classes = {} if clips else _classes_of(fitting, catalog)
        chosen = of_each_class(classes, limit) if classes else spread(fitting, limit)
        shows = _in_words(classes, catalog) if classes else {}
        found = looking.Look(place, len(fitting), layout, shows=shows)
        looking.look(found, {clip: given[clip] for clip in chosen}, normalise, config.limits)
        reasons = unusable(Sample([m.frames for m in found.motions.values()], [], found.refused))
        if not found.motions:
            hint = "; name their layout with --layout, or their study with --env" if clips else ""
            raise click.ClickException(f"{place}: {reasons[0]}{hint}")
        _write(output, looking.page(found))
        if svg:
            _write(svg, animation(list(found.motions.items())))
    click.echo(found.summary())
    for reason in reasons:
        click.echo(reason, err=True)
    click.echo(f"watch them in {output.resolve()}")


def _classes_of(names: list[str], catalog: CatalogProtocol) -> dict[str, int]:
    """Clip name → number of its class, as far as names or the clip table say it."""
    from msf_kedro.clips.clip import told_of

    pattern, table = catalog.load("params:clips").name_pattern, catalog.load("clip_table")
    told = {name: told_of(name, pattern, table) for name in names}
    return {name: values["action"] for name, (values, reason) in told.items() if not reason}


def _labels(class_texts: Any) -> dict[int, str]:
    """Number of a class → its label."""
    return dict(zip(class_texts.class_id, class_texts.label, strict=True))


def _in_words(classes: dict[str, int], catalog: CatalogProtocol) -> dict[str, str]:
    """Clip name → its class, by the label where the texts are there already."""
    labels: dict[int, str] = {}
    with suppress(DatasetError, ValueError):  # a new study's are empty
        labels = _labels(catalog.load("class_texts"))
    return {
        name: f"class {number}" + (f", {labels[number]}" if number in labels else "")
        for name, number in classes.items()
    }


@click.command()
@env_option
@params_option
@click.option(
    "--bundle",
    "folder",
    type=click.Path(path_type=Path),
    help="A bundle's folder, without any study; else the study's newest.",
)
@click.option(
    "--clips",
    "place",
    type=click.Path(path_type=Path),
    help="A folder or file of clips to pick from; else some of the study's test clips.",
)
@click.option("--port", default=8321, show_default=True, type=click.IntRange(0, 65535))
@click.option("--no-browser", is_flag=True, help="Only say where the page is.")
@click.pass_obj
def demo(
    metadata: ProjectMetadata,
    env: str | None,
    params: dict[str, Any],
    folder: Path | None,
    place: Path | None,
    port: int,
    no_browser: bool,
) -> None:
    """Play with words: a page where clips are recognised among classes that you describe.

    It is served to this machine alone, until Ctrl+C.
    """
    with _in_a_sentence():
        try:
            from msf_kedro.demo import server
            from msf_kedro.demo.app import application
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"the page needs {error.name}: `make demo` installs it, or"
                " `pip install 'msf_kedro[demo]'`"
            ) from error
        from msf_kedro.datasets.places import clips_in
        from msf_kedro.demo import offers
        from msf_kedro.demo.playground import Playground
        from msf_kedro.recognizer.bundle import read_bundle
        from msf_kedro.recognizer.model import Model

        listening = server.listen(port)
        with _catalog(metadata, env, params) as catalog:
            bundle = read_bundle(folder) if folder else _bundle(catalog)
            if place:
                offered = offers.of_folder(clips_in(place))
            else:
                offered = [] if folder else _study_offers(catalog)
        app = application(Playground(Model.of_parts(bundle.values, bundle.tensors), offered))
    click.echo(f"the page is at {server.address(listening)} (Ctrl+C ends it)")
    if not no_browser:
        Thread(target=webbrowser.open, args=[server.address(listening)], daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.server(app).run(sockets=[listening])


def _study_offers(catalog: CatalogProtocol) -> list[Any]:
    """Some test clips of a study, for the page."""
    from msf_kedro.demo import offers

    labels = _labels(catalog.load("class_texts"))
    return offers.of_study(catalog.load("raw_clips"), catalog.load("test_roles"), labels)


def _bundle(catalog: CatalogProtocol) -> Any:
    """The study's newest bundle."""
    if not catalog.exists("bundle"):
        raise click.ClickException(
            "the study has no bundle yet: `kedro run --pipelines=bundle` makes one of a"
            " finished run, with its --env and --params (or name one with --bundle)"
        )
    return catalog.load("bundle")


def _write(file: Path, text: str) -> None:
    """A text file, whole or not at all."""
    with whole_or_nothing(file) as partial:
        partial.write_text(text, encoding="utf-8")


@click.command()
@click.option(
    "--clips", required=True, type=click.Path(path_type=Path), help="Their folder, or a table."
)
@click.option("--layout", help="One of docs/layouts.md; guessed unless given.")
@click.option(
    "--class-texts", type=click.Path(path_type=Path), help="A table that is there already."
)
@click.option(
    "--clip-table",
    type=click.Path(path_type=Path),
    help="A CSV file that says what clips show: clip, action and further columns.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of the draw."
)
@click.argument("name")
@click.pass_obj
def new_study(
    metadata: ProjectMetadata,
    clips: Path,
    layout: str | None,
    class_texts: Path | None,
    clip_table: Path | None,
    seed: int,
    name: str,
) -> None:
    """Begin a study of your own clips: write the environment NAME as far as it can be guessed.

    Writes conf/NAME and a table of class texts to fill in, and says what it could not guess.
    Nothing is overwritten.
    """
    with _in_a_sentence():
        from msf_kedro.starter import Given, begin

        given = Given(metadata.project_path, name, clips, layout, class_texts, clip_table, seed)
        for line in begin(given):
            click.echo(line)


@click.command()
@env_option
@params_option
@click.option("--all", "whole", is_flag=True, help="Read all clips, not only some.")
@click.pass_obj
def check(metadata: ProjectMetadata, env: str | None, params: dict[str, Any], whole: bool) -> None:
    """Tell all that is wrong with an environment, its texts and its clips.

    Reads 48 clips unless --all is given, and trains nothing.
    """
    from msf_kedro.checking import Check

    found = Check(metadata.project_path, env, params, whole)
    for line in found.summary:
        click.echo(line)
    for problem in found.problems:
        click.echo(f"wrong: {problem}", err=True)
    if found.problems:
        several = f"{len(found.problems)} things are" if len(found.problems) > 1 else "one thing is"
        raise click.ClickException(f"{several} wrong with environment {env or 'sample'!r}")
    click.echo("nothing is wrong")


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


COMMANDS = [recognize, examples, look, demo, export_onnx, new_study, check]


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
