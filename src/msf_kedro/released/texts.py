"""Class texts, or text features, from files that replace those of the class text table."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from msf_kedro.texts.fusion import TEXT_COLUMNS

Files = Mapping[str, Callable[[], list | np.ndarray | None]]
FILE_NAME = re.compile(r"(lb|ad|md)(?:_(\d+))?\.(csv|npy)", re.IGNORECASE)


@dataclass(frozen=True)
class GivenTexts:
    """What text files hold.

    Attributes:
        texts: for each text kind given as `.csv` the text of every class.
        features: for each text kind given as `.npy` a row per class, in ascending order of ids.
        notes: what was taken from which file, and which files were ignored.
    """

    texts: dict[str, dict[int, str]]
    features: dict[str, Float[np.ndarray, "K _"]]
    notes: list[str]

    def kinds(self) -> list[str]:
        """The text kinds that the table of text features will have.

        All, unless some are given as features: then only those that have a file, so that the text
        encoder, which the files make unnecessary, is never needed.
        """
        there = {*self.texts, *self.features} if self.features else TEXT_COLUMNS
        return [kind for kind in TEXT_COLUMNS if kind in there]


def read_text_files(files: Files, classes: list[int]) -> GivenTexts:
    """Read the text files of the study's classes.

    Files are called `lb_60.csv`, `AD_60.npy` and so on, 60 being the study's largest class id, or
    `LB.csv`, `ad.npy`. A `.csv` has two columns: `idx`, the class id, and the text. A `.npy` has
    a row per class.

    Args:
        files: for each file name a function that reads the file; empty if nothing is replaced.
        classes: the study's class ids.

    Raises:
        ValueError: no file has such a name, two are of one kind, or one does not fit the classes.
    """
    texts, features, notes = {}, {}, []
    chosen = _choose(files, classes, notes)
    for kind, name in chosen.items():
        content = files[name]()
        if isinstance(content, np.ndarray):
            features[kind] = _features(content, name, classes)
            notes.append(f"{kind}: text features {content.shape} of {name}")
        else:
            texts[kind] = _texts(content, name, classes, notes)
            notes.append(f"{kind}: texts of {name}")
    return GivenTexts(texts, features, notes)


def check_kinds(there: list[str], wanted: list[str]) -> None:
    """Raise a ValueError if a wanted text kind is not there."""
    missing = [kind for kind in wanted if kind not in there]
    if missing:
        raise ValueError(
            f"texts: {'+'.join(wanted)} is asked for, but text features hold {', '.join(there)}"
            " only. Where one text kind is given as .npy, the others need a file too: add a .npy"
            f" or .csv of {', '.join(missing)} to text_files, or choose other texts"
        )


def texts_to_embed(
    class_texts: pd.DataFrame, given: GivenTexts, classes: list[int]
) -> dict[str, dict[int, str]]:
    """The texts that the encoder has to embed, per text kind and class.

    Without files, those of the whole class text table; with files, of the study's classes only.
    """
    if not given.texts and not given.features:
        classes = class_texts.class_id.tolist()
    rows = class_texts.set_index("class_id").loc[classes]
    return {
        kind: given.texts.get(kind) or dict(zip(classes, rows[TEXT_COLUMNS[kind]], strict=True))
        for kind in given.kinds()
        if kind not in given.features
    }


def check_widths(features: dict[str, Float[np.ndarray, "K _"]]) -> None:
    """Raise a ValueError if text kinds differ in width: one table holds them all."""
    widths = {kind: matrix.shape[1] for kind, matrix in features.items()}
    if len(set(widths.values())) > 1:
        raise ValueError(
            f"text features: their widths differ ({widths}); give all text kinds as .npy of one"
            " encoder, or none, or set `encoder` to the one that made the files"
        )


def _choose(files: Files, classes: list[int], notes: list[str]) -> dict[str, str]:
    """The file of each text kind."""
    chosen: dict[str, str] = {}
    for name in sorted(files):
        match = FILE_NAME.fullmatch(name)
        if not match or int(match[2] or classes[-1]) != classes[-1]:
            notes.append(f"{name} is ignored: not called as in lb_{classes[-1]}.csv or LB.npy")
            continue
        kind = match[1].upper()
        if kind in chosen:
            raise ValueError(
                f"text_files: {chosen[kind]} and {name} are both of {kind}; keep one of them"
            )
        chosen[kind] = name
    if files and not chosen:
        raise ValueError(
            f"text_files: no file is called lb_{classes[-1]}.csv, AD_{classes[-1]}.npy, MD.csv or"
            f" the like; found {', '.join(sorted(files))}"
        )
    return {kind: chosen[kind] for kind in TEXT_COLUMNS if kind in chosen}


def _texts(rows: list, name: str, classes: list[int], notes: list[str]) -> dict[int, str]:
    """The text of every class, from a header and rows of two columns."""
    header, *rows = [row for row in rows if row] or [[]]
    if len(header) != 2 or header[0].strip() != "idx":
        raise ValueError(f"{name}: columns {str(header)[:80]}, expected two, the first of them idx")
    texts: dict[int, str] = {}
    for number, row in enumerate(rows, 1):
        if len(row) != 2 or not re.fullmatch(r" *[0-9]{1,9} *", row[0]):
            raise ValueError(
                f"{name}: row {number} is {str(row)[:80]}, expected a class number and one text;"
                " put a text that holds commas in quotes"
            )
        class_id = int(row[0])
        if class_id in texts:
            raise ValueError(f"{name}: class {class_id} comes more than once; keep one of its rows")
        texts[class_id] = row[1]
    if sorted(texts) == list(range(len(classes))) and classes == list(range(1, len(classes) + 1)):
        notes.append(f"{name}: classes are counted from 0 in it, and taken as 1 to {len(classes)}")
        texts = {class_id + 1: text for class_id, text in texts.items()}
    missing = [class_id for class_id in classes if not texts.get(class_id, "").strip()]
    if missing:
        raise ValueError(
            f"{name}: no text for classes {missing}; expected a row for each class, counted from 1"
        )
    if 0 in texts:
        raise ValueError(
            f"{name}: it has a class 0 and classes up to {max(texts)}, expected 1 to {classes[-1]}"
        )
    return {class_id: texts[class_id] for class_id in classes}


def _features(array: np.ndarray, name: str, classes: list[int]) -> Float[np.ndarray, "K E"]:
    """The rows of the study's classes, as float32; row 0 is class 1."""
    if array.ndim != 2 or array.dtype.kind != "f" or len(array) != classes[-1] or not array.size:
        raise ValueError(
            f"{name}: an array {array.shape} of {array.dtype}, expected ({classes[-1]}, width) of"
            " floating-point numbers: a row for each class"
        )
    features = np.asarray(array).astype(np.float32)[np.array(classes) - 1]
    bad = ~np.isfinite(features).all(axis=1) | ~features.any(axis=1)
    if bad.any():
        wrong = np.array(classes)[bad].tolist()
        raise ValueError(f"{name}: features of classes {wrong} are all 0 or not finite")
    return features
