"""Clips in files and folders of any known format."""

import json

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from msf_kedro.clips.limits import NO_LIMITS
from msf_kedro.datasets.places import clips_in
from msf_kedro.sample import generate_clip, write_skeleton


def shapes(place):
    return {name: load(NO_LIMITS).shape for name, load in clips_in(place).items()}


def test_files_of_one_clip(tmp_path):
    clip = generate_clip(1, 1, 1, seed=0, frames=4)
    (tmp_path / "sub").mkdir()
    np.save(tmp_path / "a.npy", clip)
    (tmp_path / "sub" / "b.skeleton").write_text(write_skeleton(clip))
    (tmp_path / "classes.csv").write_text("label\n")
    assert shapes(tmp_path) == {"a": (1, 4, 25, 3), "sub/b": (1, 4, 25, 3)}
    assert shapes(tmp_path / "a.npy") == {"a": (1, 4, 25, 3)}


def test_tables_of_many_clips(tmp_path):
    rows = [(c, t, v, 0.1, 0.2, 0.3) for c in "xy" for t in range(3) for v in range(2)]
    table = pd.DataFrame(rows, columns=["clip", "frame", "joint", "x", "y", "z"])
    table.to_csv(tmp_path / "poses.csv", index=False)
    expected = {"x": (1, 3, 2, 3), "y": (1, 3, 2, 3)}
    assert shapes(tmp_path) == shapes(tmp_path / "poses.csv") == expected


def test_files_of_one_frame(tmp_path):
    people = {"people": [{"pose_keypoints_2d": [1.0, 2.0, 0.9] * 18}]}
    for frame in range(3):
        (tmp_path / f"dance_{frame:012}_keypoints.json").write_text(json.dumps(people))
    assert shapes(tmp_path) == {"dance": (1, 3, 18, 3)}


def test_a_place_without_clips_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no clip"):
        clips_in(tmp_path)
    with pytest.raises(ValueError, match="no such file"):
        clips_in(tmp_path / "none")
    (tmp_path / "table.csv").write_text("label\nx\n")
    with pytest.raises(DatasetError, match=r"table\.csv"):
        clips_in(tmp_path)
