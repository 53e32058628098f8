"""Released skeleton features: two folders of arrays to roles, features and seen logits of clips.

The archive is SynSE's, which MSF used too: features of Shift-GCNs trained on the seen classes, one
folder for each phase of each class split. Its labels are counted from 0.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from msf_kedro.zero_shot.splits import PHASES, SplitConfig, check_split

Files = Mapping[str, Callable[[], np.ndarray]]


class Group(NamedTuple):
    """The files of some clips, without suffix; `logits` is None where the archive has none."""

    name: str
    labels: str
    logits: str | None
    part: str


GROUPS = {
    "calibration": (
        Group("train", "train_label", None, "train"),
        Group("val", "val_label", "val_out", "held_out"),
        Group("ztest", "z_label", "ztest_out", "test"),
    ),
    "test": (
        Group("train", "train_label", None, "train"),
        Group("gtest", "g_label", "gtest_out", "test"),
        Group("ztest", "z_label", None, "zssar_test"),
    ),
}
# The released list of NTU-120's 110/10 calibration phase lacks these seen classes.
KNOWN_GAP = set(range(101, 121)) - {107}


class Clips(NamedTuple):
    """One group's tables, a row per clip; `logits` is empty where the archive has none."""

    roles: pd.DataFrame
    features: pd.DataFrame
    logits: pd.DataFrame


@dataclass(frozen=True)
class Archive:
    """What the archive holds for one class split; clips are named after their file and row.

    Attributes:
        roles: per phase a row per clip: `name`, `class_id`, `side` and `part`.
        features: per phase a row per clip, indexed by name, in the order of the roles.
        seen_logits: per phase the same for clips that have logits; a column for each class id.
        found: per file its rows, width and classes, and how many classes were expected.
        warnings: what differs from the split without making the archive unusable.
    """

    roles: dict[str, pd.DataFrame]
    features: dict[str, pd.DataFrame]
    seen_logits: dict[str, pd.DataFrame]
    found: pd.DataFrame
    warnings: list[str]


def folder_of(phase: str, split: SplitConfig) -> str:
    """The name of the phase's folder: the number of classes that are unseen in it says which."""
    if phase == "test":
        return f"shift_{len(split.unseen)}_r"
    return f"shift_val_{len(split.calibration_unseen)}_r"


def read_archive(files: Files, split: SplitConfig, classes: list[int]) -> Archive:
    """Check the two folders of a class split and turn them into the tables of both phases.

    Args:
        files: for each file of the archive (`shift_5_r/train.npy`) a function that loads it.
        split: the class split.
        classes: the study's classes.

    Raises:
        ValueError: a file is missing or malformed, files do not fit together, or labels
            contradict the split; names the file, what was found and what was expected.
    """
    check_split(split, classes)
    check_files(files, split, classes)
    phases: dict[str, list[Clips]] = {}
    found, warnings = [], []
    for phase in PHASES:
        folder, phases[phase] = folder_of(phase, split), []
        expected = _expected_classes(phase, split, classes)
        for group in GROUPS[phase]:
            clips = _read_group(files, folder, group, classes, expected["ztest"])
            warnings += _check_classes(folder, group, clips.roles, expected[group.name])
            found.append(
                {
                    "file": f"{folder}/{group.name}.npy",
                    "clips": len(clips.features),
                    "width": clips.features.shape[1],
                    "classes": clips.roles.class_id.nunique(),
                    "expected classes": len(expected[group.name]),
                    "logits": str(len(classes)) if group.logits else "-",
                }
            )
            phases[phase].append(clips)
    if len({row["width"] for row in found}) > 1:
        widths = ", ".join(f"{row['file']} {row['width']}" for row in found)
        raise ValueError(
            f"released features: their widths differ ({widths}); all files must be of one archive"
        )
    phases["test"], different = _unseen_clips(folder_of("test", split), *phases["test"])
    roles, features, logits = {}, {}, {}
    for phase, groups in phases.items():
        roles[phase] = pd.concat([clips.roles for clips in groups], ignore_index=True)
        features[phase] = pd.concat([clips.features for clips in groups])
        logits[phase] = pd.concat([clips.logits for clips in groups])
    return Archive(roles, features, logits, pd.DataFrame(found), warnings + different)


def check_files(files: Files, split: SplitConfig, classes: list[int]) -> None:
    """Raise a ValueError if a file of the split is missing or classes have gaps; reads no file."""
    if classes != list(range(1, len(classes) + 1)):
        raise ValueError(
            "released features: their classes are numbered from 1 without gaps, this study's are"
            f" {classes}; use an environment of NTU RGB+D 60 or 120"
        )
    needed = [
        f"{folder_of(phase, split)}/{name}.npy"
        for phase in PHASES
        for group in GROUPS[phase]
        for name in (group.name, group.labels, group.logits)
        if name
    ]
    missing = [name for name in needed if name not in files]
    if missing:
        there = [name for name in needed if name in files]
        folders = sorted({name.rpartition("/")[0] for name in files})
        raise ValueError(
            f"released features: {', '.join(missing)} missing; of the needed files there are:"
            f" {', '.join(there) or 'none'}; folders with .npy files: {', '.join(folders)}. Unpack"
            " the whole archive (docs/ntu.md), and check that the class split is one of its"
        )


def _expected_classes(phase: str, split: SplitConfig, classes: list[int]) -> dict[str, set[int]]:
    """The classes that each group of a phase should hold."""
    seen = set(classes) - set(split.unseen)
    if phase == "test":
        return {"train": seen, "gtest": set(classes), "ztest": set(split.unseen)}
    seen -= set(split.calibration_unseen)
    return {"train": seen, "val": seen, "ztest": set(split.calibration_unseen)}


def _read_group(
    files: Files, folder: str, group: Group, classes: list[int], unseen: set[int]
) -> Clips:
    place, labels_place = f"{folder}/{group.name}.npy", f"{folder}/{group.labels}.npy"
    features = _matrix(files[place](), place)
    class_ids = _class_ids(files[labels_place](), labels_place, len(classes))
    _check_rows(place, features, labels_place, class_ids)
    logits = np.empty((0, len(classes)), np.float32)
    if group.logits:
        logits_place = f"{folder}/{group.logits}.npy"
        logits = _matrix(files[logits_place](), logits_place)
        _check_rows(place, features, logits_place, logits)
        if logits.shape[1] != len(classes):
            raise ValueError(
                f"{logits_place}: logits of {logits.shape[1]} classes, expected {len(classes)}; use"
                " the archive of this study's data set"
            )
    names = pd.Index([f"{group.name}_{row:05d}" for row in range(len(features))], name="name")
    side = np.where(np.isin(class_ids, list(unseen)), "unseen", "seen")
    return Clips(
        pd.DataFrame({"name": names, "class_id": class_ids, "side": side, "part": group.part}),
        pd.DataFrame(features, names).add_prefix("f"),
        pd.DataFrame(logits, names[: len(logits)], pd.Index(classes, name="class_id")),
    )


def _matrix(array: np.ndarray, place: str) -> Float[np.ndarray, "n C"]:
    """Floating-point numbers with a row per clip, as float32."""
    if array.ndim != 2 or array.dtype.kind != "f" or not array.size:
        raise ValueError(
            f"{place}: an array {array.shape} of {array.dtype}, expected a row of floating-point"
            " numbers per clip; download the archive again"
        )
    with np.errstate(over="ignore"):  # overflow becomes infinity, which is found below
        matrix = np.asarray(array).astype(np.float32)
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{place}: {(~finite).sum()} of {len(matrix)} rows hold a value that is not finite,"
            f" the first is row {finite.argmin()}; download the archive again"
        )
    return matrix


def _class_ids(labels: np.ndarray, place: str, classes: int) -> Int[np.ndarray, " n"]:
    """Class ids, counted from 1, of labels counted from 0."""
    if labels.ndim != 1 or labels.dtype.kind not in "iuf" or (labels % 1 != 0).any():
        raise ValueError(
            f"{place}: an array {labels.shape} of {labels.dtype}, expected one integer per clip"
        )
    there = np.unique(labels)
    wrong = there[(there < 0) | (there >= classes)].astype(int).tolist()
    if wrong == [classes] and there[0] > 0:
        raise ValueError(
            f"{place}: labels run up to {classes} and none is 0: they are counted from 1, expected"
            f" from 0 (0 to {classes - 1}); subtract 1 from all label files"
        )
    if wrong:
        raise ValueError(
            f"{place}: labels {wrong[:10]}, expected 0 to {classes - 1}; use the archive of this"
            " study's data set"
        )
    return np.asarray(labels).astype(np.int64) + 1


def _check_rows(place: str, rows: np.ndarray, other_place: str, other: np.ndarray) -> None:
    if len(rows) != len(other):
        raise ValueError(
            f"{other_place}: {len(other)} rows, but {place} has {len(rows)}; both need a row per"
            " clip, from the same archive"
        )


def _check_classes(folder: str, group: Group, roles: pd.DataFrame, expected: set[int]) -> list[str]:
    """Raise for classes that must not be there; return a warning about missing ones."""
    place, there = f"{folder}/{group.labels}.npy", set(roles.class_id.tolist())
    surplus, missing = sorted(there - expected), sorted(expected - there)
    shifted = {class_id - 1 for class_id in there}
    hint = " (they would fit if labels were counted from 1)" if shifted <= expected else ""
    if surplus and group.name in ("train", "val"):
        raise ValueError(
            f"{place}: clips of classes {surplus}, which must stay unseen in this phase: unseen"
            f" classes would leak into training{hint}. Check the class split and the folder"
        )
    if surplus or (missing and group.name == "ztest"):
        raise ValueError(
            f"{place}: clips of classes {sorted(there)}, expected exactly the unseen ones"
            f" {sorted(expected)}{hint}. Check the class split and the folder"
        )
    if not missing:
        return []
    why = "the phase goes on with those that are there"
    if set(missing) == KNOWN_GAP:
        why = (
            "the release's list for NTU-120 110/10 is known to lack classes 101-120 except 107;"
            f" the calibration phase is trained on {len(there)} classes"
        )
    return [f"{place}: {len(there)} of {len(expected)} expected classes, {missing} missing: {why}"]


def _unseen_clips(
    folder: str, train: Clips, gtest: Clips, ztest: Clips
) -> tuple[list[Clips], list[str]]:
    """The test phase's groups that are used, and a warning if its unseen clips differ."""
    unseen = gtest.roles.side.eq("unseen").to_numpy(dtype=bool)
    if unseen.all() or not unseen.any():
        raise ValueError(
            f"{folder}/g_label.npy: only {gtest.roles.side[0]} classes, expected seen and unseen"
            " ones; download the archive again"
        )
    of_gtest = _rows(gtest.roles.class_id[unseen], gtest.features[unseen])
    of_ztest = _rows(ztest.roles.class_id, ztest.features)
    if of_gtest == of_ztest:
        return [train, gtest], []  # the same clips: they need no second place
    gtest.roles.loc[unseen, "part"] = "gzssar_test"
    as_many = Counter(gtest.roles.class_id[unseen]) == Counter(ztest.roles.class_id)
    return [train, gtest, ztest], [
        f"{folder}: the unseen clips of gtest.npy ({unseen.sum()}) and those of ztest.npy"
        f" ({len(ztest.roles)}) are not the same: {(of_gtest - of_ztest).total()} are in gtest.npy"
        f" only, {(of_ztest - of_gtest).total()} in ztest.npy only"
        + (", though both have as many of each class" if as_many else "")
        + ". GZSSAR is evaluated on gtest.npy, ZSSAR on ztest.npy"
    ]


def _rows(class_ids: pd.Series, features: pd.DataFrame) -> Counter:
    """Clips whatever their order, each as its class and its features."""
    rows = np.ascontiguousarray(features.to_numpy() + 0.0)  # turns -0 into 0
    return Counter((c, row.tobytes()) for c, row in zip(class_ids, rows, strict=True))
