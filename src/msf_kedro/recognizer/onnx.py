"""A model's networks as ONNX graphs, with all that a program without PyTorch needs to use them.

`skeletons.onnx` takes normalised bodies to the fused features and seen logits of clips,
`unseen.onnx` takes features to probabilities of the study's unseen classes, and `recogniser.json`
says what goes in, how clips are normalised, and how both answers become one.
"""

import io
import json
import warnings
from dataclasses import asdict
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from msf_kedro.clips.kinematics import figures
from msf_kedro.clips.layouts import plain
from msf_kedro.clips.streams import to_stream
from msf_kedro.methods.contract.fitted import Classifier
from msf_kedro.networks.plain_shift_gcn import PlainShiftGCN
from msf_kedro.recognizer.model import SEEN, UNSEEN, Model
from msf_kedro.zero_shot.gate import ON_EVIDENCE, Gate

FORMAT = 1
OPSET = 17
SKELETONS, UNSEEN_CLASSES, USE = "skeletons.onnx", "unseen.onnx", "recogniser.json"


def export(model: Model) -> dict[str, bytes]:
    """Files by name: the two graphs and what says how to use them.

    Numbers of bodies and clips are free in the graphs; frames are those of a normalised clip.

    Raises:
        ValueError: the packages of the extra `onnx` are not installed.
    """
    channels, joints = model.layout.dimensions, len(model.layout.joints)
    bodies = torch.zeros(3, channels, joints, model.normalise.window)
    person = torch.tensor([0, 1, 0])
    share = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    features = torch.zeros(2, model.fitted.about["widths"]["skeleton"])
    axes = {name: {0: "bodies"} for name in ("bodies", "person")}
    axes |= {name: {0: "clips"} for name in ("features", "seen_logits", "unseen_probabilities")}
    axes["share"] = {0: "clips", 1: "bodies"}
    skeletons = _graph(
        _Skeletons(model),
        {"bodies": bodies, "person": person, "share": share},
        ["features", "seen_logits"],
        axes,
    )
    unseen = _Unseen(model.classifier, model.temperature)
    return {
        SKELETONS: skeletons,
        UNSEEN_CLASSES: _graph(unseen, {"features": features}, ["unseen_probabilities"], axes),
        USE: f"{json.dumps(use(model), indent=1, ensure_ascii=False)}\n".encode(),
    }


def use(model: Model) -> dict[str, Any]:
    """How the graphs are used, as plain values and sentences."""
    layout, window = model.layout, model.normalise.window
    # What measures evidence is in no graph: the gate on the seen classes takes its place.
    gate = model.gates["threshold" if model.gate in ON_EVIDENCE else model.gate]
    return {
        "format": FORMAT,
        "layout": {"name": layout.name} | plain(layout),
        "normalise": asdict(model.normalise),
        "graphs": {
            SKELETONS: {
                "inputs": {
                    "bodies": ["bodies", layout.dimensions, len(layout.joints), window],
                    "person": ["bodies"],
                    "share": ["clips", "bodies"],
                },
                "outputs": {
                    "features": ["clips", model.fitted.about["widths"]["skeleton"]],
                    "seen_logits": ["clips", len(model.of(SEEN))],
                },
                "meaning": {
                    "bodies": "float32; one or two normalised bodies of each clip, clip after"
                    " clip: coordinates, joints as in `layout` with the derived ones last, frames",
                    "person": "int64; 0 for a clip's first body, 1 for its second",
                    "share": "float32; 1 / number of a clip's bodies where the body is the"
                    " clip's, else 0",
                },
                "streams": {stream.name: stream.weight for stream in model.streams},
            },
            UNSEEN_CLASSES: {
                "inputs": {"features": ["clips", model.fitted.about["widths"]["skeleton"]]},
                "outputs": {"unseen_probabilities": ["clips", len(model.of(UNSEEN))]},
            },
        },
        "seen": [known.label for known in model.of(SEEN)],
        "unseen": [known.label for known in model.of(UNSEEN)],
        "gate": vars(gate) | {"weights": gate.weights.tolist()},
        "combine": [
            "normalise each clip as `msf_kedro.clips.normalise.normalise` does: `normalise` and"
            " `layout` are its settings",
            f"{SKELETONS} gives features and seen_logits, {UNSEEN_CLASSES} of these features"
            " unseen_probabilities",
            "seen_probabilities = softmax(seen_logits / gate.temperature), in the order of `seen`",
            _score(gate),
            "where score >= gate.threshold, the answer is the class of the largest of"
            " seen_probabilities, elsewhere that of the largest of unseen_probabilities, in the"
            " order of `unseen`",
        ],
    }


def _score(gate: Gate) -> str:
    if gate.kind == "threshold":
        return "score = the largest of seen_probabilities"
    return (
        f"score = 1 / (1 + exp(-(x . gate.weights without the last + the last))), where x are the"
        f" {gate.width} largest of unseen_probabilities, then of seen_probabilities, each in"
        " descending order (all where there are fewer)"
    )


class _Skeletons(nn.Module):
    """All streams, fused as `Model.look` fuses them, and kinematics if the method reads them."""

    def __init__(self, model: Model):
        super().__init__()
        self.layout = model.layout
        self.kinematics = model.fitted.KINEMATICS
        self.streams = [(stream.name, stream.weight) for stream in model.streams]
        frames = model.normalise.window
        self.networks = nn.ModuleList(PlainShiftGCN(s.network, frames) for s in model.streams)

    def forward(self, bodies: Tensor, person: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
        total = sum(weight for _, weight in self.streams)
        features, logits = 0.0, 0.0
        for (name, weight), network in zip(self.streams, self.networks, strict=True):
            of_bodies = network(to_stream(bodies, name, self.layout), person)
            of_stream = share @ of_bodies
            features = features + weight / total * of_stream
            logits = logits + weight * network.classify(of_stream)
        if self.kinematics:
            features = torch.cat([features, share @ figures(bodies)], 1)
        return features, logits


class _Unseen(nn.Module):
    """Probabilities of the classifier's classes by its one model."""

    def __init__(self, classifier: Classifier, temperature: float):
        super().__init__()
        self.classify, self.temperature = classifier, temperature

    def forward(self, features: Float[Tensor, "n D"]) -> Float[Tensor, "n K"]:
        return (self.classify.logits(features)[0, 0] / self.temperature).softmax(-1)


def _graph(
    network: nn.Module,
    inputs: dict[str, Tensor],
    outputs: list[str],
    axes: dict[str, dict[int, str]],
) -> bytes:
    """An ONNX graph, traced."""
    content = io.BytesIO()
    names = [*inputs, *outputs]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of tracing, and that this exporter is the older one
        network.eval()(
            *inputs.values()
        )  # so that what is made on first use is no part of the graph
        try:
            torch.onnx.export(
                network,
                tuple(inputs.values()),
                content,
                input_names=list(inputs),
                output_names=outputs,
                dynamic_axes={name: axes[name] for name in names},
                opset_version=OPSET,
                dynamo=False,
            )
        except ModuleNotFoundError as error:
            raise ValueError(
                f"{error.name} is not installed; install the extra: `pip install -e '.[onnx]'`"
            ) from error
    return content.getvalue()
