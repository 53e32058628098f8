"""`kedro msf new-study`: an environment written from a look at a folder of clips."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from kedro.framework.project import settings
from kedro.io import AbstractDataset

from msf_kedro.clips.clip import ClipsConfig, LoadClip
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import NormaliseConfig, check_clip
from msf_kedro.clips.table import ACTION
from msf_kedro.datasets import ClipTableDataset
from msf_kedro.recognizer.bundle import write_folder
from msf_kedro.runner.files import whole_or_nothing
from msf_kedro.studies.drawing import as_frame, draw_splits, propose_parts
from msf_kedro.studies.environment import (
    Proposal,
    clip_table_text,
    empty_class_texts,
    empty_clip_table,
    files,
    ranges,
)
from msf_kedro.studies.formats import Format, guess_format
from msf_kedro.studies.names import Told, guess_names
from msf_kedro.studies.reading import some, span, spread
from msf_kedro.studies.skeletons import describe, fitting, why_none
from msf_kedro.zero_shot.splits import PartsConfig

NAME = re.compile(r"[A-Za-z0-9][\w-]{0,59}")
RAW = Path("data", "01_raw")
TABLES = RAW / "clip_tables"
MOST_READ = 24  # clips that are looked at
BESIDE = "clips.csv"  # a clip table in the clips' folder, as convert-pyskl writes it


@dataclass(frozen=True)
class Given:
    """What the command line says.

    Attributes:
        project: the project's folder.
        name: of the new study.
        clips: the folder of the clips, or a table of them.
        layout: the joint layout's name, if it is known.
        class_texts: a table of class texts that is there already.
        clip_table: a table that says what clips show.
        seed: of the class splits.
    """

    project: Path
    name: str
    clips: Path
    layout: str | None
    class_texts: Path | None
    clip_table: Path | None
    seed: int

    def shown(self, path: Path) -> str:
        """A path as configuration names it: within the project from there on."""
        whole = Path(path).absolute()
        inside = whole.is_relative_to(self.project)
        return (whole.relative_to(self.project) if inside else whole).as_posix()


@dataclass
class Said:
    """What there is to say of a new study, in lines."""

    guessed: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    to_do: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """All of it, each line with what it is."""
        yield from (f"guessed: {line}" for line in self.guessed)
        yield from (f"not guessed: {line}" for line in self.unknown)
        yield from (f"written: {line}" for line in self.written)
        yield from (f"to do: {line}" for line in self.to_do)


def begin(given: Given) -> Iterator[str]:
    """Write an environment as far as it can be guessed; gives what there is to say, in lines.

    Where nothing says of which class clips are, only a table is written, to fill that in.

    Raises:
        ValueError: the name is taken or not plain, or the folder holds no clips.
    """
    said, conf = Said(), given.project / settings.CONF_SOURCE / given.name
    _check_name(given.name, conf)
    found = _format(given, said)
    entry = {**found.entry, "path": str(given.clips.absolute())}
    raw = AbstractDataset.from_config("raw_clips", entry).load()
    said.guessed.append(f"{len(raw)} clips, {found.shown}")
    told, table = _told(given, raw)
    if told is None:
        _ask_for_table(given, raw, said)
        return said.lines()
    base = _base_parameters(given.project)
    layout, units = _layout(given, raw, base, said)
    classes = sorted(as_frame(told.table)[ACTION].unique().tolist())
    _say_what_clips_show(told, classes, said)
    splits, parts = _split(given, told, classes, base["gate"]["folds"], said)
    texts = _class_texts(given, told, classes, said)
    if table and not (given.project / table).exists():
        _write(given, given.project / table, clip_table_text(told.table), said)
    proposal = Proposal(
        name=given.name,
        clips=given.shown(given.clips),
        entry=found.entry,
        pattern=told.pattern,
        clip_table=table,
        class_texts=texts,
        classes=classes,
        splits=splits,
        seed=given.seed,
        layout=layout,
        units=units,
        parts=parts,
    )
    _write_environment(given, conf, files(proposal), said)
    return said.lines()


def _format(given: Given, said: Said) -> Format:
    place = given.clips
    if not place.exists():
        raise ValueError(f"{place}: there is no such folder")
    here = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    found = guess_format([file for file in here if file.name != BESIDE], str(place))
    if place.is_file() and "max_bytes" not in found.entry:
        raise ValueError(f"{place}: one clip's file, expected the folder of all")
    if found.others:
        left = ", ".join(f"{count} {suffix}" for suffix, count in found.others.items())
        said.unknown.append(f"what to do with files of other formats, which are left out: {left}")
    return found


def _told(given: Given, raw: Mapping[str, LoadClip]) -> tuple[Told | None, str]:
    """What is known of the clips, and the table's file, if it is a table that says it."""
    own = given.project / TABLES / f"{given.name}.csv"
    there = [file for file in (own, given.clips / BESIDE) if file.is_file()]
    for file in [given.clip_table] if given.clip_table else there:
        table = ClipTableDataset(str(file)).load()
        table.check_clips(raw.keys())
        return Told(None, table, f"by the table {given.shown(file)}"), given.shown(file)
    place = given.clips.absolute()
    told = guess_names({name: _path_below(place, name, load) for name, load in raw.items()})
    return told, "" if told is None or told.pattern else given.shown(own)


def _ask_for_table(given: Given, raw: Mapping[str, LoadClip], said: Said) -> None:
    """Write a clip table to fill in."""
    names, file = sorted(raw), given.project / TABLES / f"{given.name}.csv"
    said.unknown.append(
        f"of which class clips are: names such as {some(names)} do not say it, nor do folders"
    )
    _write(given, file, empty_clip_table(names), said)
    said.to_do.append(
        f"fill in {given.shown(file)}: `action`, the number of a clip's class, and `subject` and"
        " `take`, or remove these two columns; then give the same command again"
    )


def _layout(
    given: Given, raw: Mapping[str, LoadClip], base: dict[str, Any], said: Said
) -> tuple[str | None, str | None]:
    """The layout's name, and the units where they are not the layout's."""
    config, limits = NormaliseConfig(**base["normalise"]), ClipsConfig(**base["clips"]).limits
    clips: list[np.ndarray] = []
    for name in spread(sorted(raw), MOST_READ):
        try:
            clips.append(raw[name](limits))
        except Exception as error:  # a damaged file can make a reader raise anything
            said.unknown.append(f"clip {name} cannot be read: {error.__cause__ or error}")
    if not clips:
        raise ValueError(said.unknown[-1])
    fits = fitting(clips, config)
    if given.layout:
        wanted = get_layout(given.layout)
        if (fit := next((fit for fit in fits if fit.layout == given.layout), None)) is None:
            raise ValueError(f"layout {given.layout}: {check_clip(clips[0], wanted, config)}")
        said.guessed.append(f"layout {fit.shown}, as given; {describe(clips)}")
        return fit.layout, fit.units
    if not fits:
        said.unknown.append(f"the layout: {why_none(clips, config)}")
        return None, None
    first, *others = fits
    said.guessed.append(f"layout {first.shown}; {describe(clips)}")
    if others:
        said.unknown.append(
            f"whether the layout is {first.layout}, the likeliest, as its bones are shortest, or"
            f" {' or '.join(fit.layout for fit in others)}: compare docs/layouts.md with what"
            " made the clips"
        )
    return first.layout, first.units


def _say_what_clips_show(told: Told, classes: list[int], said: Said) -> None:
    name, row = min(told.table.rows.items())
    shows = ", ".join(f"{c} {v}" for c, v in zip(told.table.columns, row, strict=True))
    said.guessed.append(f"what clips show, {told.how}: {name} is {shows}")
    counts = span(as_frame(told.table)[ACTION].value_counts())
    said.guessed.append(f"{len(classes)} classes, {ranges(classes)}, of {counts} clips each")
    if told.unmatched:
        said.unknown.append(
            f"what {len(told.unmatched)} clips show, such as {some(told.unmatched)}: their names"
            " are of another form; rename them or put them elsewhere"
        )


def _split(
    given: Given, told: Told, classes: list[int], folds: int, said: Said
) -> tuple[dict[str, dict[str, list[int]]], PartsConfig | None]:
    """Class splits, and which clips train."""
    splits: dict[str, dict[str, list[int]]] = {}
    try:
        splits = draw_splits(classes, given.seed)
        unseen = ranges(splits["split_1"]["unseen"])
        said.guessed.append(
            f"{len(splits)} class splits, drawn with seed {given.seed}; the first, split_1, has"
            f" the unseen classes {unseen}"
        )
    except ValueError as error:
        said.unknown.append(f"class splits: {error}")
    found = propose_parts(as_frame(told.table), splits, folds)
    if found is None:
        said.unknown.append("which clips train: nothing but its class is known of a clip")
        return splits, None
    parts, wrong = found
    said.guessed.append(f"clips that train: {parts.train}; all others are test clips")
    said.unknown += [f"parts in which all is well: {sentence}" for sentence in wrong]
    return splits, parts


def _class_texts(given: Given, told: Told, classes: list[int], said: Said) -> str:
    """The table of class texts, which is written if there is none."""
    own = given.project / RAW / "class_texts" / f"{given.name}.csv"
    file = given.class_texts or own
    name = given.shown(file)
    if file.exists():
        said.guessed.append(f"class texts in {name}, which is there already")
    elif given.class_texts:
        raise ValueError(f"{file}: there is no such table of class texts")
    else:
        _write(given, file, empty_class_texts(classes, told.labels), said)
    said.to_do += [
        f"watch some clips of every class: kedro msf look --env={given.name}",
        f"describe every class in {name} (docs/class_texts.md)",
        f"see whether all is well: kedro msf check --env={given.name}",
    ]
    return name


def _write_environment(given: Given, conf: Path, texts: dict[str, str], said: Said) -> None:
    """Write the environment's folder."""
    write_folder({name: text.encode() for name, text in texts.items()}, conf)
    said.written += [given.shown(conf / name) for name in texts]


def _write(given: Given, file: Path, text: str, said: Said) -> None:
    if file.exists():
        raise ValueError(f"{file}: is there already; remove it, or fill it in")
    with whole_or_nothing(file) as path:
        path.write_text(text, encoding="utf-8")
    said.written.append(given.shown(file))


def _check_name(name: str, conf: Path) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(
            f"the name {name[:60]!r}, expected letters, digits, _ and - (up to 60), a letter or"
            " digit first"
        )
    if conf.exists() or name == "local":
        raise ValueError(f"{conf}: there is an environment of that name; choose another name")


def _base_parameters(project: Path) -> dict[str, Any]:
    """The parameters of base alone."""
    given = {**settings.CONFIG_LOADER_ARGS, "default_run_env": "base"}
    loader = settings.CONFIG_LOADER_CLASS(
        str(project / settings.CONF_SOURCE), env="base", runtime_params={}, **given
    )
    return loader["parameters"]


def _path_below(place: Path, name: str, load: LoadClip) -> PurePath:
    """A clip's file from the folder of all on; its name where it has none of its own."""
    path = Path(getattr(load, "path", name))
    return path.relative_to(place) if path.is_relative_to(place) else PurePath(name)
