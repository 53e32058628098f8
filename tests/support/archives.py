"""A tiny archive of released features, for 8 classes of which 2 are unseen in each phase."""

from pathlib import Path

import numpy as np

from msf_kedro.zero_shot.splits import SplitConfig

CLASSES = list(range(1, 9))
SPLIT = SplitConfig(unseen=[2, 5], calibration_unseen=[3, 8])
TEST, CALIBRATION = "shift_2_r", "shift_val_2_r"
WIDTH = 6
Arrays = dict[str, np.ndarray]


def make_archive() -> Arrays:
    """The arrays of all files; a class's clips lie near a corner of their own."""
    rng = np.random.default_rng(0)
    corners = 2 * np.maximum(rng.normal(size=(len(CLASSES), WIDTH)), 0)

    def features(labels: np.ndarray) -> np.ndarray:
        noise = rng.normal(size=(len(labels), WIDTH))
        return np.maximum(corners[labels] + 0.2 * noise, 0).astype(np.float32)

    def logits(x: np.ndarray) -> np.ndarray:
        return -np.square(x[:, None] - corners).sum(-1).astype(np.float32)

    def labels_of(classes: list[int], each: int) -> np.ndarray:
        return rng.permutation(np.repeat(np.array(classes) - 1, each))

    train, gtest = labels_of([1, 3, 4, 6, 7, 8], 8), labels_of(CLASSES, 5)
    inner, val = labels_of([1, 4, 6, 7], 8), labels_of([1, 4, 6, 7], 4)
    calibration_unseen = labels_of(SPLIT.calibration_unseen, 5)
    g, z = features(gtest), features(calibration_unseen)
    unseen = np.flatnonzero(np.isin(gtest + 1, SPLIT.unseen))[::-1]  # in another order
    v = features(val)
    return {
        f"{TEST}/train": features(train),
        f"{TEST}/train_label": train,
        f"{TEST}/gtest": g,
        f"{TEST}/g_label": gtest,
        f"{TEST}/gtest_out": logits(g),
        f"{TEST}/ztest": g[unseen],
        f"{TEST}/z_label": gtest[unseen],
        f"{CALIBRATION}/train": features(inner),
        f"{CALIBRATION}/train_label": inner,
        f"{CALIBRATION}/val": v,
        f"{CALIBRATION}/val_label": val,
        f"{CALIBRATION}/val_out": logits(v),
        f"{CALIBRATION}/ztest": z,
        f"{CALIBRATION}/z_label": calibration_unseen,
        f"{CALIBRATION}/ztest_out": logits(z),
    }


def write_archive(folder: Path, archive: Arrays) -> Path:
    for name, array in archive.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{name}.npy", array)
    return folder
