"""Poses in an image, clips of any names and own layouts, from a folder to a whole study."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from support.poses import coco_clip
from support.sessions import ROOT, artifacts, read, run

from msf_kedro.clips.layouts import get_layout, plain
from msf_kedro.zero_shot.gate import KINDS

ACTIONS = (1, 7, 8, 10, 23, 24, 26, 51, 80, 99)
CLIPS, SKELETONS = "02_intermediate/test/clips.parquet", "02_intermediate/test/skeletons.pt"
HELD_OUT = "room == 'a' and subject == 2 and take == 2"
PARTS = {"train": "room == 'a'", "calibration_held_out": HELD_OUT, "test_held_out": HELD_OUT}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Clips of 10 actions, with gaps, and the table of what they show."""
    folder, rng = tmp_path_factory.mktemp("poses"), np.random.default_rng(0)
    rows = []
    for number, (subject, take, action) in enumerate(
        (s, t, a) for s in (1, 2, 3, 4) for t in (1, 2) for a in ACTIONS
    ):
        clip = coco_clip(action, subject, take)
        clip[rng.random(clip.shape[:3]) < 0.1] = (0, 0, 0)  # not found
        clip[rng.random(clip.shape[:3]) < 0.05, 2] = 0.1  # hardly
        np.save(folder / f"clip_{number}.npy", clip)
        rows.append((f"clip_{number}", action, subject, take, "ab"[subject > 2]))
    poor = coco_clip(1, 1, 1)
    poor[:, :, :11] = np.nan
    np.save(folder / "clip_poor.npy", poor)
    rows.append(("clip_poor", 1, 1, 3, "a"))
    columns = ["clip", "action", "subject", "take", "room"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "clips.csv", index=False)
    return folder


def conf_of(place: Path, raw_clips: dict, **parameters) -> Path:
    """The test study with other clips."""
    for env in ("base", "test"):
        shutil.copytree(ROOT / "conf" / env, place / "conf" / env)
    test = place / "conf" / "test"
    (test / "catalog.yml").write_text(yaml.safe_dump({"raw_clips": raw_clips}))
    (test / "parameters_own.yml").write_text(yaml.safe_dump(parameters))
    return place / "conf"


def arrays(folder: Path) -> dict:
    return {
        "type": "msf_kedro.datasets.ClipFolderDataset",
        "path": str(folder),
        "dataset": "msf_kedro.datasets.AnyClipDataset",
        "filename_suffix": ".npy",
    }


def test_from_a_folder_of_poses_to_figures(folder, tmp_path, monkeypatch):
    conf = conf_of(tmp_path, arrays(folder), clips={"layout": "coco_17"})
    data, table = tmp_path / "data", str(folder / "clips.csv")
    parameters = yaml.safe_load((conf / "test" / "parameters.yml").read_text()) | {"parts": PARTS}
    (conf / "test" / "parameters.yml").write_text(yaml.safe_dump(parameters))
    run(data, "gzssar", conf=conf, params={"clip_table": table})
    found = {name: read(files[-1]) for name, files in artifacts(data).items()}
    clips = found[CLIPS].set_index("name")
    assert clips.kept.sum() == 80
    assert clips.reason["clip_poor"].startswith("65% of the joints are missing")
    assert clips.room.map({"a": 1, "b": 2}).eq((clips.subject + 1) // 2).all()
    assert found[SKELETONS]["bodies"].shape[1:] == (2, 19, 16)
    assert found[SKELETONS]["bodies"].isfinite().all()
    network = found["06_models/test/split_1/test/bone/shift_gcn.pt"]
    assert (network["layout"], network["architecture"]["channels"]) == ("coco_17", 2)
    figures = found["08_reporting/test/split_1/msf/MiniLM/LB+AD+MD/gzssar_results.parquet"]
    assert len(figures) == 2 * 2 * len(KINDS)
    assert figures.harmonic_mean.between(0, 1).all()


def test_an_own_layout_and_clips_in_long_form(folder, tmp_path):
    """COCO's first 13 joints under another name, and the clips in one table."""
    fields = plain(get_layout("coco_17"))
    fields["joints"] = dict([*fields["joints"].items()][:13])
    told = pd.read_csv(folder / "clips.csv").query("subject == 1 and take == 1").set_index("clip")
    tables = []
    for name in told.index:
        clip = np.load(folder / f"{name}.npy")[:, :, :13]
        places = np.stack(np.indices(clip.shape[:3]), axis=-1).reshape(-1, 3)
        table = pd.DataFrame(places, columns=["body", "frame", "joint"]).assign(clip=name)
        table[["x", "y", "confidence"]] = clip.reshape(-1, 3)
        tables.append(table)
    pd.concat(tables).to_parquet(tmp_path / "poses.parquet", index=False)
    told.to_csv(tmp_path / "clips.csv")
    raw = {"type": "msf_kedro.datasets.ClipRowsDataset", "path": str(tmp_path / "poses.parquet")}
    own = {"clips": {"layout": "upper_13"}, "layouts": {"upper_13": fields}}
    conf = conf_of(tmp_path, raw | {"max_bytes": 10**8}, **own)
    params = {"clip_table": str(tmp_path / "clips.csv")}
    run(tmp_path / "data", "skeletons", conf=conf, params=params)
    found = {name: read(files[-1]) for name, files in artifacts(tmp_path / "data").items()}
    assert found[CLIPS].kept.all()
    assert found[SKELETONS]["bodies"].shape[1:] == (2, 15, 16)


@pytest.mark.parametrize(
    ("own", "params", "message"),
    [
        ({"clips": {"layout": "coco_18"}}, {}, "unknown joint layout 'coco_18'; known layouts: k"),
        (
            {"layouts": {"coco_17": {}}},
            {},
            r"layouts: \['coco_17'\] come along already; give your own another name",
        ),
        (
            {"clips": {"layout": "mine"}, "layouts": {"mine": {"joints": {}}}},
            {},
            r"layout mine: fields \['joints'\], expected",
        ),
        ({"clips": {"units": "inches"}}, {}, "clips.units: 'inches', expected units of metres"),
        ({}, {"clip_table": "no.csv"}, r"clip table no\.csv: there is no such file"),
        (
            {"clips": {"layout": "kinect_v2_25"}},
            {},
            r"81 of 81 clips cannot be used .* 17 joints, the layout has 25 .* of 17 joints is"
            " coco_17, human36m_17",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(own, params, message, folder, tmp_path):
    conf = conf_of(tmp_path, arrays(folder), **own)
    table = {"clip_table": str(folder / "clips.csv")} | params
    with pytest.raises(Exception, match=message):
        run(tmp_path / "data", "gzssar", conf=conf, params=table)
    assert not [name for name in artifacts(tmp_path / "data") if "shift_gcn" in name]
