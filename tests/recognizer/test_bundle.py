"""Bundles: written whole, moved anywhere, refused where they do not fit."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from support import recognisers

from msf_kedro.recognizer import Recognizer
from msf_kedro.recognizer.bundle import FORMAT, Bundle, read_bundle, write_bundle
from msf_kedro.recognizer.model import Model


@pytest.fixture(scope="session")
def folder(model, tmp_path_factory):
    """A bundle on disk, never to be written to."""
    folder = tmp_path_factory.mktemp("bundles") / "mine"
    write_bundle(Bundle(*model.parts(), "# My card\n"), folder)
    return folder


@pytest.fixture
def copied(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "elsewhere" / "bundle")


def test_a_moved_bundle_gives_the_same_answers(recognizer, clips, copied):
    loaded = Recognizer.load(copied)
    assert loaded.predict(clips) == recognizer.predict(clips)
    words = {"bow": "To bend the spine.", "hop": None}
    assert loaded.predict(clips, words) == recognizer.predict(clips, words)
    assert loaded.describe({"bow": "To bend."}) == recognizer.describe({"bow": "To bend."})
    assert loaded.card == "# My card\n"
    assert loaded.facts == recognizer.facts
    shutil.rmtree(copied)
    loaded.predict(clips, {"nod": "To tilt the head.", "hop": None})  # all is in memory


def test_poses_in_an_image_have_bundles_too(tmp_path):
    """With confidences, joints that are missing, and joints that are derived from others."""
    write_bundle(Bundle(*recognisers.model(layout="coco_17").parts(), ""), tmp_path / "mine")
    recognizer = Recognizer.load(tmp_path / "mine")
    poses = np.random.default_rng(0).uniform(100, 400, (30, 17, 3)).astype(np.float32)
    poses[..., 2] = 0.9
    lacking = poses.copy()
    lacking[3, 5] = (0, 0, 0.1)
    whole, two, some = recognizer.predict([poses, poses[..., :2], lacking])
    assert whole.seen == pytest.approx(two.seen, abs=1e-5)
    assert some.label
    assert "25 joints, the layout has 17" in recognizer.predict(recognisers.clips(1))[0].refused


def test_it_holds_nothing_but_json_safetensors_and_text(folder):
    files = {file.name: file for file in folder.iterdir()}
    assert set(files) == {"bundle.json", "tensors.safetensors", "SHA256SUMS", "README.md"}
    for line in files["SHA256SUMS"].read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(files[name].read_bytes()).hexdigest() == digest
    assert json.loads(files["bundle.json"].read_text())["format"] == FORMAT
    size = int.from_bytes(files["tensors.safetensors"].read_bytes()[:8], "little")
    assert json.loads(files["tensors.safetensors"].read_bytes()[8 : 8 + size])


def test_equal_models_make_equal_files(model, folder, tmp_path):
    again = Model.of_parts(*(lambda b: (b.values, b.tensors))(read_bundle(folder)))
    write_bundle(Bundle(*again.parts(), "# My card\n"), tmp_path / "again")
    for file in folder.iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes(), file.name


def test_nothing_is_left_of_a_bundle_that_could_not_be_written(model, tmp_path):
    values, tensors = model.parts()
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_bundle(Bundle(values | {"frames": float("nan")}, tensors, ""), tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(model, folder):
    before = (folder / "README.md").read_bytes()
    with pytest.raises(ValueError, match="is there already"):
        write_bundle(Bundle(*model.parts(), "other"), folder)
    assert (folder / "README.md").read_bytes() == before


def test_the_card_may_be_edited_and_lost(copied):
    (copied / "README.md").write_text("Mine.")
    assert Recognizer.load(copied).card == "Mine."
    (copied / "README.md").unlink()
    assert Recognizer.load(copied).card == ""


def test_a_folder_that_is_no_bundle_is_named(tmp_path):
    with pytest.raises(ValueError, match=f"^bundle {tmp_path}: no bundle, as bundle.json"):
        Recognizer.load(tmp_path)


@pytest.mark.parametrize("name", ["bundle.json", "tensors.safetensors"])
@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:900] + b"?" + b[901:]])
def test_damage_is_noticed(copied, name, damage):
    file = copied / name
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match="its files are not those that SHA256SUMS names; copy the"):
        Recognizer.load(copied)


@pytest.mark.parametrize("name", ["bundle.json", "tensors.safetensors", "SHA256SUMS"])
def test_a_missing_file_is_named(copied, name):
    (copied / name).unlink()
    with pytest.raises(ValueError, match=f"no bundle, as {name} cannot be read"):
        Recognizer.load(copied)


def resummed(folder, values=None, tensors=None):
    """A bundle with other content and sums that fit it."""
    bundle = read_bundle(folder)
    shutil.rmtree(folder)
    changed = bundle.values | (values or {}), bundle.tensors | (tensors or {})
    write_bundle(Bundle(*changed, bundle.card), folder)


def test_another_format_is_refused(copied):
    resummed(copied, {"format": 1})
    with pytest.raises(
        ValueError, match=rf"a bundle of format 1, but .* reads format {FORMAT}; install"
    ):
        Recognizer.load(copied)


@pytest.mark.parametrize(
    ("values", "tensors"),
    [
        ({"streams": []}, {}),
        ({"classes": []}, {}),
        ({"normalise": {"window": 16}}, {}),
        ({"layout": {"name": "odd"}}, {}),
        ({"gate": "mine"}, {}),
        ({"method": {"method": "unknown"}}, {}),
        ({}, {"classifier.weight": torch.zeros(1, 1, 4, 3)}),
        ({}, {"shift_gcn.bone.classifier.weight": torch.zeros(7, 6)}),
        ({}, {"texts.MD": torch.zeros(2, 16)}),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(copied, values, tensors):
    resummed(copied, values, tensors)
    with pytest.raises(ValueError, match=f"^bundle {copied}: "):
        Recognizer.load(copied)
