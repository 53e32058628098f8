"""ONNX graphs, run as their description says, give the recogniser's answers."""

import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from click.testing import CliRunner
from scipy.special import expit, softmax
from support import recognisers

from msf_kedro import cli
from msf_kedro.networks.shift_gcn import ShiftGCN
from msf_kedro.recognizer import Recognizer
from msf_kedro.recognizer.bundle import Bundle, write_bundle
from msf_kedro.recognizer.incoming import prepared
from msf_kedro.recognizer.model import Model, Stream
from msf_kedro.recognizer.onnx import export, use

CLOSE = 2e-5  # of probabilities


def restless(model: Model, reach: float) -> Model:
    """The same with streams whose norms and shifts are those of no fresh network."""
    generator = torch.Generator().manual_seed(1)
    streams = []
    for name, weight in (("joint", 0.6), ("bone_motion", 0.3)):
        old = model.streams[0].network
        state = {key: tensor.clone() for key, tensor in old.state_dict().items()}
        for key, tensor in state.items():
            if "norm" in key and tensor.is_floating_point():
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
            if key.endswith("shift"):
                tensor.copy_(reach * (2 * torch.rand(tensor.shape, generator=generator) - 1))
        streams.append(Stream(name, weight, ShiftGCN.from_state(old.architecture, 3, state).eval()))
    return replace(model, streams=streams)


class Elsewhere:
    """The recogniser of a program that has the graphs and their description only."""

    def __init__(self, files: dict[str, bytes]):
        self.use = json.loads(files["recogniser.json"])
        self.graphs = {
            name: onnxruntime.InferenceSession(files[name], providers=["CPUExecutionProvider"])
            for name in self.use["graphs"]
        }

    def answer(self, clips: list[np.ndarray]) -> dict[str, np.ndarray]:
        """What it says of normalised clips."""
        counts = [len(bodies) for bodies in clips]
        features, logits = self.graphs["skeletons.onnx"].run(
            None,
            {
                "bodies": np.concatenate(clips),
                "person": np.concatenate([np.arange(count) for count in counts]),
                "share": np.repeat(np.eye(len(clips)) / counts, counts, 1).astype(np.float32),
            },
        )
        (unseen,) = self.graphs["unseen.onnx"].run(None, {"features": features})
        gate = self.use["gate"]
        seen = softmax(logits / gate["temperature"], axis=1)
        score = seen.max(1)
        if gate["kind"] == "logistic":
            ranked = [-np.sort(-part, axis=1)[:, : gate["width"]] for part in (unseen, seen)]
            *weights, intercept = gate["weights"]
            score = expit(np.concatenate(ranked, axis=1) @ weights + intercept)
        best = {"seen": seen.argmax(1), "unseen": unseen.argmax(1)}
        sides = np.where(score >= gate["threshold"], "seen", "unseen")
        labels = [self.use[side][best[side][n]] for n, side in enumerate(sides)]
        return {"seen": seen, "unseen": unseen, "score": score, "label": labels}


def assert_same(model: Model, clips: list[np.ndarray]) -> None:
    """Graphs and recogniser agree on clips, alone and together."""
    elsewhere = Elsewhere(export(model))
    expected = Recognizer(model).predict(clips)
    bodies = [prepared(clip, model.layout, model.normalise, model.limits) for clip in clips]
    for start, end in ((0, 1), (1, 3), (0, len(clips))):
        told = elsewhere.answer(bodies[start:end])
        for n, prediction in enumerate(expected[start:end]):
            for side in ("seen", "unseen"):
                found = dict(zip(elsewhere.use[side], told[side][n], strict=True))
                assert found == pytest.approx(getattr(prediction, side), abs=CLOSE)
            assert told["score"][n] == pytest.approx(prediction.score, abs=CLOSE)
            if abs(prediction.score - prediction.threshold) > 10 * CLOSE:
                assert told["label"][n] == prediction.label


@pytest.mark.parametrize("reach", [1.0, 7.0])
def test_the_graphs_answer_as_the_recogniser(clips, reach):
    """Of one and of two bodies; shifts by few and by many frames."""
    assert {len(clip) for clip in clips} == {1, 2}
    assert_same(restless(recognisers.model(), reach), clips)


@pytest.mark.parametrize("method", ["cada_vae", "jpose", "msf_plus", "revise", "ridge"])
def test_every_method_is_exported(clips, method):
    assert_same(recognisers.model(method), clips)


@pytest.mark.parametrize("gate", ["evidence", "conformal"])
def test_where_evidence_decides_the_threshold_gate_is_described(gate):
    model = recognisers.model("msf_plus", gate=gate)
    told = use(model)["gate"]
    assert (told["kind"], told["threshold"]) == ("threshold", model.gates["threshold"].threshold)


def test_the_logistic_gate_is_described(clips):
    assert_same(recognisers.model(gate="logistic"), clips)


def test_poses_in_an_image_are_exported(clips):
    model = recognisers.model(layout="coco_17")
    flat = [clip[:, :, :17, :2] for clip in clips]
    assert_same(model, flat)


def test_the_comparison_would_see_another_network(clips):
    """Persons swapped, other shifts: differences well above the tolerance."""
    one, other = (restless(recognisers.model(), reach) for reach in (1.0, 4.0))
    elsewhere = Elsewhere(export(one))
    pair = next(clip for clip in clips if len(clip) == 2)
    bodies = prepared(pair, one.layout, one.normalise, one.limits)
    (right,) = Recognizer(one).predict([pair])
    (wrong,) = Recognizer(other).predict([pair])
    swapped = elsewhere.answer([bodies[::-1].copy()])["score"][0]
    assert abs(swapped - right.score) > 5 * CLOSE
    assert abs(wrong.score - right.score) > 5 * CLOSE


def test_the_command_writes_a_new_folder(tmp_path, model):
    write_bundle(Bundle(*model.parts(), "# card"), tmp_path / "bundle")
    arguments = ["export-onnx", str(tmp_path / "bundle"), str(tmp_path / "onnx")]
    done = CliRunner().invoke(cli.msf, arguments)
    assert done.exit_code == 0, done.output
    names = {"skeletons.onnx", "unseen.onnx", "recogniser.json"}
    assert {file.name for file in (tmp_path / "onnx").iterdir()} == names
    again = CliRunner().invoke(cli.msf, arguments)
    assert again.exit_code == 1
    assert "is there already; give a new folder's name" in again.output
    gone = CliRunner().invoke(cli.msf, ["export-onnx", str(tmp_path), str(tmp_path / "more")])
    assert "no bundle, as bundle.json cannot be read" in gone.output
    assert not (tmp_path / "more").exists()
