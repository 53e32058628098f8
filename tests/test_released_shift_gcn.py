"""The pipeline `released_shift_gcn`: from raw clips and a checkpoint to features and logits."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click import ClickException
from support.released_states import released_state
from support.sessions import ROOT, Log, artifacts, link_copy, read, run

from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import NormaliseConfig, normalise
from msf_kedro.clips.streams import to_stream
from msf_kedro.networks.shift_gcn import ShiftGCN
from msf_kedro.sample import clip_names, generate_clip

LAYOUT = get_layout("kinect_v2_25")
JOB = "released_shift_gcn"
RELEASE = {"window": 40, "resample": False}
STATES = {
    "joint": released_state([4, 6, 6], {2, 3}, classes=60),
    "bone_motion": released_state([5, 8], {2}, classes=120, seed=1),
}
for stream, size in (("joint", 20), ("bone_motion", 500)):
    STATES[stream]["data_bn.weight"] *= size  # for normalised metres, and metres a frame
ACTIONS = (1, 24, 51)
NAMES = sorted(clip_names(performers=4, repetitions=2, actions=ACTIONS))


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("checkpoints")
    for stream, state in STATES.items():
        torch.save(state, folder / f"{stream}.pt")
    return {stream: str(folder / f"{stream}.pt") for stream in STATES}


def params(checkpoint: str | None, stream: str = "joint", **others) -> dict:
    """Three classes: too few for any split, which must not matter."""
    given = {"checkpoint_stream": stream, "normalise": RELEASE, "classes": "1, 24, 51"}
    return given | ({"checkpoint": checkpoint} if checkpoint else {}) | others


@pytest.fixture(scope="module")
def done(checkpoints, tmp_path_factory) -> tuple[Path, Log]:
    """Both streams, one after the other, in one data root."""
    root = tmp_path_factory.mktemp("data")
    with Log() as log:
        for stream, file in checkpoints.items():
            run(root, JOB, params=params(file, stream))
    return root, log


def dense(stream: str) -> torch.Tensor:
    """The clips in the release's layout, made without the pipeline."""
    config = NormaliseConfig(**RELEASE)
    clips = torch.zeros(len(NAMES), 3, RELEASE["window"], 25, 2)
    for n, name in enumerate(NAMES):
        performer, repetition, action = (int(name[place : place + 3]) for place in (9, 13, 17))
        bodies = normalise(generate_clip(action, performer, repetition, seed=0), LAYOUT, config)
        for m, body in enumerate(to_stream(torch.from_numpy(bodies), stream, LAYOUT)):
            clips[n, ..., m] = body.transpose(1, 2)
    return clips


@pytest.mark.parametrize("stream", STATES)
def test_features_and_logits_are_those_of_the_network_on_dense_clips(stream, done):
    found = artifacts(done[0])
    x = dense(stream)
    assert set((x != 0).flatten(1, 3).any(dim=1)[:, 1].tolist()) == {False, True}
    logits, features = ShiftGCN.from_released(STATES[stream])(x)
    for kind, expected, columns in (
        ("features", features, [f"f{i}" for i in range(features.shape[1])]),
        ("logits", logits, list(range(1, logits.shape[1] + 1))),
    ):
        table = read(*found[f"04_feature/test/released/{stream}/{kind}.parquet"])
        assert table.index.name == "name"
        assert table.index.tolist() == NAMES
        assert table.columns.tolist() == columns
        values = table.to_numpy()
        assert values.dtype == np.float32
        assert np.ptp(values, axis=0).max() > 0.01
        # The same network in other batches: its sums may be rounded in another order.
        tolerance = 10 * np.finfo(np.float32).eps * expected.abs().max().item()
        np.testing.assert_allclose(values, expected.numpy(), rtol=0, atol=tolerance)


@pytest.mark.parametrize("stream", STATES)
def test_the_network_is_saved_in_the_projects_own_form(stream, done):
    saved = read(*artifacts(done[0])[f"06_models/test/released/{stream}/shift_gcn.pt"])
    assert saved.keys() == {"architecture", "class_ids", "layout", "stream", "state"}
    assert (saved["layout"], saved["stream"]) == ("kinect_v2_25", stream)
    assert saved["class_ids"] == list(range(1, len(STATES[stream]["fc.bias"]) + 1))
    network = ShiftGCN.from_state(saved["architecture"], len(saved["class_ids"]), saved["state"])
    assert torch.equal(network.classifier.bias.data, STATES[stream]["fc.bias"])


def test_streams_keep_apart_and_nothing_else_is_written(done):
    tables = {f"04_feature/test/released/{stream}/{kind}.parquet"
              for stream in STATES for kind in ("features", "logits")}  # fmt: skip
    weights = {f"06_models/test/released/{stream}/shift_gcn.pt" for stream in STATES}
    clips = {f"02_intermediate/test/{name}" for name in ("clips.parquet", "skeletons.pt")}
    clips.add("04_feature/test/kinematics.parquet")
    assert set(artifacts(done[0])) == tables | weights | clips


def test_another_window_is_warned_of_once_a_run(done):
    warned = [text for text in done[1].messages() if "normalise.window is 40" in text]
    assert len(warned) == len(STATES)
    assert "--params=normalise.window=300" in warned[0]


def fails(root: Path, message: str, given: dict, **selection) -> None:
    with pytest.raises(Exception, match=f"(?s){message}"):
        run(root, JOB, params=given, **selection)
    assert artifacts(root) == {}, "before any clip is read"


def test_without_a_checkpoint_it_says_what_to_do(tmp_path):
    fails(tmp_path, r"needs a released checkpoint: give .*--params=checkpoint=FILE", params(None))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"normalise": {"window": 300, "resample": True}},
            r"resample is true.*--params=normalise\.window=300,normalise\.resample=false",
        ),
        ({"stream": "bones"}, r"checkpoint_stream is 'bones', expected one of joint, bone,"),
        ({"clips": {"layout": "kinect_v1_20"}}, r"layout is 'kinect_v1_20', but .*kinect_v2_25"),
        ({"checkpoint_file": "x.pt"}, r"unknown parameters \['checkpoint_file'\]"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_clip_is_read(given, message, checkpoints, tmp_path):
    fails(tmp_path, message, params(checkpoints["joint"], **given))


def test_a_node_alone_refuses_resampled_clips_too(tmp_path):
    given = params(None, normalise={"window": 40, "resample": True})
    fails(tmp_path, "resample is true", given, node_names=["released.extract_features"])


def test_skeletons_of_another_window_are_refused(done, checkpoints, tmp_path):
    root = link_copy(done[0], tmp_path / "data")
    given = params(checkpoints["joint"], normalise={"window": 300, "resample": False})
    with pytest.raises(ValueError, match=r"skeletons have 40 frames, normalise\.window is 300"):
        run(root, JOB, params=given, from_nodes=["released.import_shift_gcn"])


def test_a_checkpoint_of_something_else_is_refused_by_file_and_key(tmp_path):
    file = tmp_path / "other.pt"
    torch.save({k: v for k, v in STATES["joint"].items() if k != "fc.bias"}, file)
    message = rf"checkpoint {re.escape(str(file))}: .*fc\.bias: missing, expected shape \(60,\)"
    fails(tmp_path / "data", message, params(str(file)))


def test_the_benchmark_runs_and_its_ways_agree():
    script = ROOT / "benchmarks" / "released_shift_gcn.py"
    command = [sys.executable, str(script), "--clips=2", "--frames=8", "--rounds=1"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    apart = re.findall(r"clips/s .* by at most (\S+)$", ran.stdout, re.MULTILINE)
    assert len(apart) == 2
    assert max(map(float, apart)) < 1e-4


@pytest.mark.parametrize("pipelines", [["skeletons"], ["gzssar", JOB]])
def test_other_runs_still_check_their_split(pipelines, checkpoints, tmp_path):
    with pytest.raises(ClickException, match="not among the study's classes"):
        run(tmp_path, *pipelines, params=params(checkpoints["joint"]))
