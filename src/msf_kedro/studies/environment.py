"""An environment's files, as text, from what was guessed."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msf_kedro.clips.table import ACTION, NAME, ClipTable
from msf_kedro.texts.class_texts import COLUMNS
from msf_kedro.zero_shot.splits import PartsConfig

PATTERN = "# Matches the whole name without its suffix. Groups become columns; `action` is needed."


@dataclass(frozen=True)
class Proposal:
    """A study as far as it could be guessed.

    Attributes:
        name: of the study and its environment.
        clips: the folder, as the configuration names it.
        entry: the catalog's of the clips, without `path`.
        pattern: of clips' names; None where a table says what they show.
        clip_table: that table's file; empty where names say it.
        class_texts: the file of the class texts.
        classes: class numbers, ascending.
        splits: class splits by name; empty where none could be drawn.
        seed: of the draw.
        layout: the joint layout's name; None where none fits.
        units: of coordinates, where they are not the layout's.
        parts: which clips train; None where that could not be told.
    """

    name: str
    clips: str
    entry: Mapping[str, Any]
    pattern: str | None
    clip_table: str
    class_texts: str
    classes: Sequence[int]
    splits: Mapping[str, Mapping[str, list[int]]]
    seed: int
    layout: str | None
    units: str | None
    parts: PartsConfig | None


def files(proposal: Proposal) -> dict[str, str]:
    """The environment's files: name → text."""
    return {
        "globals.yml": _globals(proposal),
        "catalog.yml": _catalog(proposal),
        "parameters.yml": _parameters(proposal),
    }


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers in the form `1-3, 6`, which `parse_numbers` reads."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{r[0]}-{r[-1]}" if len(r) > 1 else str(r[0]) for r in runs)


def empty_class_texts(classes: Sequence[int], labels: Mapping[int, str]) -> str:
    """A table of class texts to be filled in, as CSV."""
    rows = [[number, labels.get(number, ""), *[""] * (len(COLUMNS) - 2)] for number in classes]
    return _csv([list(COLUMNS), *rows])


def clip_table_text(table: ClipTable) -> str:
    """A clip table as CSV."""
    rows = [[name, *row] for name, row in sorted(table.rows.items())]
    return _csv([[NAME, *table.columns], *rows])


def empty_clip_table(names: Sequence[str]) -> str:
    """A clip table whose columns `action`, `subject` and `take` are to be filled in, as CSV."""
    return _csv([[NAME, ACTION, "subject", "take"], *([name, "", "", ""] for name in names)])


def _globals(study: Proposal) -> str:
    table = [f"clip_table: {_quoted(study.clip_table)}    # what clips show"]
    lines = [
        f"study: {_quoted(study.name)}",
        f"classes: {_quoted(ranges(study.classes))}",
        f"class_texts: {_quoted(study.class_texts)}",
        f"raw_clips: {_quoted(study.clips)}    # --params=raw_clips=PATH points elsewhere",
        *(table if study.clip_table else []),
        "method: msf_plus    # docs/msf_plus.md; the paper's is msf",
    ]
    if study.splits:
        lines += [
            f"# Drawn once, with seed {study.seed}. The first is the default; --params=split=NAME",
            "splits:",
            *(f"  {name}: {_group(split)}" for name, split in study.splits.items()),
        ]
    else:
        lines.append("splits: null    # {split_1: {unseen: [2, 8], calibration_unseen: [1, 4]}}")
    return _text(lines)


def _catalog(study: Proposal) -> str:
    return _text(
        [
            "raw_clips:",
            f"  type: {study.entry['type']}",
            "  path: ${runtime_params:raw_clips,${globals:raw_clips}}",
            *(f"  {key}: {value}" for key, value in study.entry.items() if key != "type"),
            "  metadata: {kedro-viz: {layer: raw}}",
        ]
    )


def _parameters(study: Proposal) -> str:
    layout = study.layout or "unknown    # none fits: docs/layouts.md"
    lines = [
        f"#   command   kedro run --env={study.name} --pipelines=gzssar",
        f"#   check     kedro msf check --env={study.name}",
        "# What is not said here comes from conf/base/.",
        "",
        "clips:",
        *([f"  {PATTERN}", f"  name_pattern: {_quoted(study.pattern)}"] if study.pattern else []),
        f"  layout: {layout}",
        *([f"  units: {study.units}"] if study.units else []),
        "",
    ]
    if study.parts is None:
        lines.append("parts: null    # which clips train: docs/own_data.md")
    else:
        lines += [
            "parts:    # clips that do not train are test clips",
            f"  train: {_quoted(study.parts.train)}",
            f"  calibration_held_out: {_quoted(study.parts.calibration_held_out)}",
            f"  test_held_out: {_quoted(study.parts.test_held_out)}",
        ]
    lines += ["", "gate: {kind: evidence}    # whose figures are quoted; all are reported"]
    return _text(lines)


def _quoted(text: str) -> str:
    """A YAML string in single quotes, where nothing but they mean anything."""
    return "'" + text.replace("'", "''") + "'"


def _group(split: Mapping[str, list[int]]) -> str:
    return "{" + ", ".join(f"{key}: {list(value)}" for key, value in split.items()) + "}"


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
