"""Released features: what the tables hold, and what is wrong with an archive."""

import re

import numpy as np
import pandas as pd
import pytest
from support.archives import CALIBRATION, CLASSES, SPLIT, TEST, WIDTH, Arrays, make_archive

from msf_kedro.released.features import KNOWN_GAP, Archive, folder_of, read_archive
from msf_kedro.zero_shot.splits import SplitConfig


@pytest.fixture
def arrays() -> Arrays:
    return make_archive()


def read(arrays: Arrays, split: SplitConfig = SPLIT, classes: list[int] = CLASSES) -> Archive:
    files = {f"{name}.npy": lambda array=array: array for name, array in arrays.items()}
    return read_archive(files, split, classes)


def clips(archive: Archive, phase: str) -> dict[str, set[str]]:
    """Which groups of files play which role."""
    roles = archive.roles[phase]
    groups = roles.name.str.split("_").str[0]
    keys = roles.side + " " + roles.part
    return {key: set(group) for key, group in groups.groupby(keys)}


def classes_of(roles: pd.DataFrame, side: str) -> set[int]:
    return set(roles.class_id[roles.side == side])


# --- what comes out ---


def test_every_group_of_clips_plays_its_role(arrays):
    archive = read(arrays)
    assert clips(archive, "calibration") == {
        "seen train": {"train"},
        "seen held_out": {"val"},
        "unseen test": {"ztest"},
    }
    assert clips(archive, "test") == {
        "seen train": {"train"}, "seen test": {"gtest"}, "unseen test": {"gtest"}
    }  # fmt: skip
    assert archive.warnings == []
    for phase, unseen in (("calibration", {3, 8}), ("test", {2, 5})):
        roles = archive.roles[phase]
        assert classes_of(roles, "unseen") == unseen
        assert classes_of(roles, "seen") == set(CLASSES) - {2, 5} - unseen
        assert roles.columns.tolist() == ["name", "class_id", "side", "part"]
        assert roles.name.is_unique


def test_tables_hold_the_arrays_row_by_row(arrays):
    """A clip is named after its file and row; class ids count from 1."""
    archive = read(arrays)
    files = {
        "calibration": {"train": None, "val": "val_out", "ztest": "ztest_out"},
        "test": {"train": None, "gtest": "gtest_out"},
    }
    labels = {"train": "train_label", "val": "val_label", "ztest": "z_label", "gtest": "g_label"}
    for phase, groups in files.items():
        folder = folder_of(phase, SPLIT)
        roles = archive.roles[phase].set_index("name")
        features, logits = archive.features[phase], archive.seen_logits[phase]
        assert features.index.tolist() == roles.index.tolist()
        assert features.columns.tolist() == [f"f{i}" for i in range(WIDTH)]
        assert logits.columns.tolist() == CLASSES
        assert logits.columns.name == "class_id"
        assert features.index.name == logits.index.name == "name"
        expected = []
        for group, output in groups.items():
            names = [f"{group}_{row:05d}" for row in range(len(arrays[f"{folder}/{group}"]))]
            np.testing.assert_array_equal(
                roles.class_id[names], arrays[f"{folder}/{labels[group]}"] + 1
            )
            np.testing.assert_array_equal(features.loc[names], arrays[f"{folder}/{group}"])
            if output:
                expected += names
                np.testing.assert_array_equal(logits.loc[names], arrays[f"{folder}/{output}"])
        assert logits.index.tolist() == expected


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ">f4"])
def test_other_float_types_become_float32(dtype, arrays):
    features = {n: a.astype(dtype) for n, a in arrays.items() if a.ndim == 2}
    found = read(arrays | features).features["test"]
    assert set(found.dtypes) == {np.dtype(np.float32)}
    expected = features[f"{TEST}/train"].astype(np.float32)
    np.testing.assert_array_equal(found[: len(expected)], expected)


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.float64])
def test_labels_may_be_any_whole_numbers(dtype, arrays):
    labels = {name: array.astype(dtype) for name, array in arrays.items() if array.ndim == 1}
    for phase, roles in read(arrays | labels).roles.items():
        pd.testing.assert_frame_equal(roles, read(arrays).roles[phase])


def test_what_was_found_is_a_table(arrays):
    found = read(arrays).found.set_index("file")
    assert len(found) == 6
    row = found.loc[f"{TEST}/gtest.npy"]
    assert row.tolist() == [40, WIDTH, 8, 8, "8"]
    assert found.loc[f"{CALIBRATION}/train.npy"].tolist() == [32, WIDTH, 4, 4, "-"]


def test_other_unseen_clips_for_zssar_are_kept_apart_with_a_warning(arrays):
    arrays[f"{TEST}/ztest"] = arrays[f"{TEST}/ztest"][1:]
    arrays[f"{TEST}/z_label"] = arrays[f"{TEST}/z_label"][1:]
    arrays[f"{TEST}/ztest"][:2] += 1
    archive = read(arrays)
    assert clips(archive, "test") == {
        "seen train": {"train"},
        "seen test": {"gtest"},
        "unseen gzssar_test": {"gtest"},
        "unseen zssar_test": {"ztest"},
    }
    (warning,) = archive.warnings
    assert warning == (
        f"{TEST}: the unseen clips of gtest.npy (10) and those of ztest.npy (9) are not the same:"
        " 3 are in gtest.npy only, 2 in ztest.npy only. GZSSAR is evaluated on gtest.npy, ZSSAR on"
        " ztest.npy"
    )
    assert len(archive.features["test"]) == len(archive.roles["test"]) == 48 + 40 + 9
    assert not archive.seen_logits["test"].index.str.startswith("ztest").any()


def test_equal_features_of_other_classes_are_other_clips(arrays):
    arrays[f"{TEST}/z_label"] = 5 - arrays[f"{TEST}/z_label"]  # 1 for 4, 4 for 1
    (warning,) = read(arrays).warnings
    assert "10 are in gtest.npy only, 10 in ztest.npy only, though both have as many" in warning


def test_repeated_clips_count(arrays):
    """Sets would not see it."""
    for name in ("ztest", "z_label"):
        array = arrays[f"{TEST}/{name}"]
        arrays[f"{TEST}/{name}"] = np.concatenate([array, array[:1]])
    (warning,) = read(arrays).warnings
    assert "0 are in gtest.npy only, 1 in ztest.npy only" in warning


def without(arrays: Arrays, folder: str, group: str, labels: str, class_id: int, *more: str):
    keep = arrays[f"{folder}/{labels}"] != class_id - 1
    names = [f"{folder}/{name}" for name in (group, labels, *more)]
    return arrays | {name: arrays[name][keep] for name in names}


def test_missing_training_classes_are_a_warning(arrays):
    archive = read(without(arrays, CALIBRATION, "train", "train_label", 7))
    (warning,) = archive.warnings
    assert warning == (
        f"{CALIBRATION}/train_label.npy: 3 of 4 expected classes, [7] missing: the phase goes on"
        " with those that are there"
    )
    archive = read(without(arrays, TEST, "gtest", "g_label", 7, "gtest_out"))
    (warning,) = archive.warnings
    assert warning.startswith(f"{TEST}/g_label.npy: 7 of 8 expected classes, [7] missing")


def full_size(classes: int, split: SplitConfig, gap: set[int]) -> Arrays:
    """An archive of a clip per class and file."""
    everything = np.arange(classes)
    seen = np.setdiff1d(everything, np.array(split.unseen) - 1)
    inner = np.setdiff1d(seen, np.array(sorted({*split.calibration_unseen, *gap})) - 1)
    unseen, calibration = (np.array(c) - 1 for c in (split.unseen, split.calibration_unseen))
    test, cal = folder_of("test", split), folder_of("calibration", split)
    labels = {
        f"{test}/train": seen, f"{test}/gtest": everything, f"{test}/ztest": unseen,
        f"{cal}/train": inner, f"{cal}/val": inner, f"{cal}/ztest": calibration,
    }  # fmt: skip
    names = {"train": "train_label", "gtest": "g_label", "ztest": "z_label", "val": "val_label"}
    arrays = {}
    for place, classes_there in labels.items():
        folder, group = place.split("/")
        arrays[place] = np.tile(classes_there[:, None].astype(np.float32), (1, 3))
        arrays[f"{folder}/{names[group]}"] = classes_there
        arrays[f"{place}_out"] = np.zeros((len(classes_there), classes), np.float32)
    return arrays


def test_the_known_gap_of_ntu_120_is_explained():
    split = SplitConfig(
        unseen=[5, 14, 38, 44, 50, 66, 89, 96, 100, 107],
        calibration_unseen=[6, 11, 33, 62, 73, 75, 77, 78, 84, 97],
    )
    classes = list(range(1, 121))
    assert read(full_size(120, split, set()), split, classes).warnings == []
    archive = read(full_size(120, split, KNOWN_GAP), split, classes)
    assert len(classes_of(archive.roles["calibration"], "seen")) == 81
    assert len(classes_of(archive.roles["test"], "seen")) == 110
    assert len(archive.warnings) == 2
    for warning, name in zip(archive.warnings, ("train_label", "val_label"), strict=True):
        assert warning.startswith(f"shift_val_10_r/{name}.npy: 81 of 100 expected classes, [101, ")
        assert warning.endswith(
            "the release's list for NTU-120 110/10 is known to lack classes 101-120 except 107;"
            " the calibration phase is trained on 81 classes"
        )


# --- what is refused ---


def cut(arrays: Arrays, name: str) -> Arrays:
    return arrays | {name: arrays[name][:-1]}


def spoilt(arrays: Arrays, name: str, place, value) -> Arrays:
    array = arrays[name].copy()
    array[place] = value
    return arrays | {name: array}


def shifted(arrays: Arrays) -> Arrays:
    return arrays | {name: array + 1 for name, array in arrays.items() if array.ndim == 1}


def relabelled(arrays: Arrays, name: str, class_id: int) -> Arrays:
    return spoilt(arrays, name, 0, class_id - 1)


BAD = {
    "no file": (
        lambda a: {name: array for name, array in a.items() if name != f"{TEST}/g_label"},
        rf"{TEST}/g_label.npy missing; of the needed files there are: .*{TEST}/gtest\.npy",
    ),
    "no folder": (
        lambda a: {name: array for name, array in a.items() if CALIBRATION not in name},
        rf"{CALIBRATION}/train.npy, .*{CALIBRATION}/ztest_out.npy missing; .*folders .*: {TEST}\.",
    ),
    "one dimension": (
        lambda a: a | {f"{TEST}/train": a[f"{TEST}/train"][:, 0]},
        rf"^{TEST}/train\.npy: an array \(48,\) of float32, expected a row of floating-point",
    ),
    "integers": (
        lambda a: a | {f"{CALIBRATION}/val": a[f"{CALIBRATION}/val"].astype(int)},
        rf"^{CALIBRATION}/val\.npy: an array \(16, 6\) of int64, expected a row of floating-point",
    ),
    "no clip": (
        lambda a: a | {f"{TEST}/train": a[f"{TEST}/train"][:0]},
        rf"^{TEST}/train\.npy: an array \(0, 6\) of float32",
    ),
    "not finite": (
        lambda a: spoilt(spoilt(a, f"{TEST}/gtest", 7, np.nan), f"{TEST}/gtest", (9, 1), np.inf),
        rf"^{TEST}/gtest\.npy: 2 of 40 rows hold a value that is not finite, the first is row 7; ",
    ),
    "too large": (
        lambda a: a | {f"{TEST}/train": a[f"{TEST}/train"].astype(float) * 1e300},
        rf"^{TEST}/train\.npy: .* not finite",
    ),
    "logits not finite": (
        lambda a: spoilt(a, f"{CALIBRATION}/val_out", (3, 0), np.nan),
        rf"^{CALIBRATION}/val_out\.npy: 1 of 16 rows .* the first is row 3; download",
    ),
    "fewer labels": (
        lambda a: cut(a, f"{TEST}/train_label"),
        rf"^{TEST}/train_label\.npy: 47 rows, but {TEST}/train\.npy has 48",
    ),
    "fewer logits": (
        lambda a: cut(a, f"{CALIBRATION}/ztest_out"),
        rf"^{CALIBRATION}/ztest_out\.npy: 9 rows, but {CALIBRATION}/ztest\.npy has 10",
    ),
    "width": (
        lambda a: a | {f"{CALIBRATION}/train": a[f"{CALIBRATION}/train"][:, 1:]},
        rf"their widths differ \({CALIBRATION}/train\.npy 5, {CALIBRATION}/val\.npy 6, ",
    ),
    "logits of other classes": (
        lambda a: a | {f"{TEST}/gtest_out": a[f"{TEST}/gtest_out"][:, 1:]},
        rf"^{TEST}/gtest_out\.npy: logits of 7 classes, expected 8; use the archive of this",
    ),
    "fractions": (
        lambda a: a | {f"{TEST}/z_label": a[f"{TEST}/z_label"] + 0.5},
        rf"^{TEST}/z_label\.npy: an array \(10,\) of float64, expected one integer per clip",
    ),
    "one-hot labels": (
        lambda a: a | {f"{TEST}/g_label": np.eye(8, dtype=int)[a[f"{TEST}/g_label"]]},
        rf"^{TEST}/g_label\.npy: an array \(40, 8\) of int64, expected one integer per clip",
    ),
    "negative label": (
        lambda a: relabelled(a, f"{TEST}/g_label", 0),
        rf"^{TEST}/g_label\.npy: labels \[-1\], expected 0 to 7; use the archive of",
    ),
    "large label": (
        lambda a: relabelled(a, f"{CALIBRATION}/train_label", 60),
        rf"^{CALIBRATION}/train_label\.npy: labels \[59\], expected 0 to 7; use the archive of",
    ),
    "counted from 1": (
        lambda a: a | {f"{TEST}/g_label": a[f"{TEST}/g_label"] + 1},
        rf"^{TEST}/g_label\.npy: labels run up to 8 and none is 0: they are counted from 1",
    ),
    "counted from 1, last class missing": (
        lambda a: a | {f"{CALIBRATION}/val_label": a[f"{CALIBRATION}/val_label"] + 1},
        rf"^{CALIBRATION}/val_label\.npy: .*\(they would fit if labels were counted from 1\)",
    ),
    "leak": (
        lambda a: relabelled(a, f"{TEST}/train_label", 5),
        rf"^{TEST}/train_label\.npy: clips of classes \[5\], which must stay unseen in this phase",
    ),
    "leak into calibration": (
        lambda a: relabelled(a, f"{CALIBRATION}/train_label", 8),
        rf"^{CALIBRATION}/train_label\.npy: clips of classes \[8\], which must stay unseen",
    ),
    "unseen in calibration": (
        lambda a: relabelled(a, f"{CALIBRATION}/val_label", 2),
        rf"^{CALIBRATION}/val_label\.npy: clips of classes \[2\], which must stay unseen",
    ),
    "other unseen classes": (
        lambda a: relabelled(a, f"{CALIBRATION}/z_label", 1),
        rf"^{CALIBRATION}/z_label\.npy: .* \[1, 3, 8\], expected exactly the unseen ones \[3, 8\]",
    ),
    "an unseen class missing": (
        lambda a: without(a, TEST, "ztest", "z_label", 5),
        rf"^{TEST}/z_label\.npy: clips of classes \[2\], expected exactly the unseen ones \[2, 5\]",
    ),
    "only seen test clips": (
        lambda a: without(
            without(a, TEST, "gtest", "g_label", 2, "gtest_out"),
            *(TEST, "gtest", "g_label", 5, "gtest_out"),
        ),
        rf"^{TEST}/g_label\.npy: only seen classes, expected seen and unseen ones",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_archive_is_refused(kind, arrays):
    spoil, message = BAD[kind]
    with pytest.raises(ValueError, match=message):
        read(spoil(arrays))


def test_all_labels_counted_from_1(arrays):
    with pytest.raises(ValueError, match="counted from 1"):
        read(shifted(arrays))


def test_missing_files_are_noticed_before_any_is_read(arrays):
    def never():
        raise AssertionError

    files = {f"{name}.npy": never for name in arrays if name != f"{CALIBRATION}/val_out"}
    with pytest.raises(ValueError, match=rf"{CALIBRATION}/val_out\.npy missing"):
        read_archive(files, SPLIT, CLASSES)


def test_the_split_and_the_classes_are_checked_first():
    with pytest.raises(ValueError, match=r"classes \[2\] are not among the study's classes"):
        read_archive({}, SPLIT, [1, 3, 4, 5, 6, 7, 8])
    gaps = re.escape(str([1, 2, 3, 4, 5, 6, 8]))
    with pytest.raises(ValueError, match=f"without gaps, this study's are {gaps}; use an"):
        read_archive({}, SPLIT, [1, 2, 3, 4, 5, 6, 8])


@pytest.mark.parametrize(
    ("unseen", "calibration", "folders"),
    [([1, 2], [3, 4, 5], ("shift_2_r", "shift_val_3_r")),
     (list(range(1, 25)), list(range(25, 49)), ("shift_24_r", "shift_val_24_r"))],
)  # fmt: skip
def test_the_number_of_unseen_classes_names_the_folders(unseen, calibration, folders):
    split = SplitConfig(unseen, calibration)
    assert (folder_of("test", split), folder_of("calibration", split)) == folders
