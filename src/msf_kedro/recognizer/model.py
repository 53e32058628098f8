"""All that recognises clips: networks, a fitted method, gates, words; to and from a bundle."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from msf_kedro.clips.kinematics import kinematics
from msf_kedro.clips.layouts import Layout, parse_layout, plain
from msf_kedro.clips.limits import Limits
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.clips.store import Skeletons
from msf_kedro.evidence import Witness
from msf_kedro.methods import load_fitted
from msf_kedro.methods.contract.fitted import Classifier, Fitted
from msf_kedro.networks.extractor import extract
from msf_kedro.networks.shift_gcn import ShiftGCN
from msf_kedro.texts.encoders import EncoderConfig
from msf_kedro.zero_shot.gate import Gate

SEEN, UNSEEN, DESCRIBED = "seen", "unseen", "described"


@dataclass(frozen=True)
class Stream:
    """A Shift-GCN of one stream.

    Attributes:
        name: of the stream.
        weight: in the fused features and logits.
        network: its outputs are the seen classes.
    """

    name: str
    weight: float
    network: ShiftGCN


@dataclass(frozen=True, eq=False)
class KnownClass:
    """A class that clips can be recognised as.

    Attributes:
        class_id: its number in the study.
        label: its name.
        side: `seen` where its clips trained the networks, `unseen` where only its words are known,
            as the study's unseen classes, `described` where a user has added them.
        words: text kind → text.
        features: text kind → what the encoder makes of it.
    """

    class_id: int
    label: str
    side: str
    words: dict[str, str]
    features: dict[str, Float[Tensor, " E"]]


@dataclass(frozen=True)
class Model:
    """One model of a study: of one protocol, candidate and seed.

    Attributes:
        layout: of the clips.
        normalise: how clips become tensors.
        limits: what a clip's file may be.
        frames: of a usual clip, the median of the study's.
        streams: the Shift-GCNs of the streams that are on.
        fitted: the method, this one model alone.
        classifier: of the study's unseen classes, this one model alone.
        temperature: of its soft-max.
        witness: what measures the evidence that a gate of that kind looks at.
        gates: by kind.
        gate: the kind that the study decides by.
        encoder: of texts.
        classes: seen ones in the order of the networks' outputs, then the study's unseen ones in
            the order of the classifier's.
        facts: what made it and what it can do, plain values for people.
    """

    layout: Layout
    normalise: NormaliseConfig
    limits: Limits
    frames: int
    streams: list[Stream]
    fitted: Fitted
    classifier: Classifier
    temperature: float
    witness: Witness
    gates: dict[str, Gate]
    gate: str
    encoder: EncoderConfig
    classes: list[KnownClass]
    facts: dict[str, Any]

    def of(self, side: str) -> list[KnownClass]:
        """The classes of a side."""
        return [known for known in self.classes if known.side == side]

    def to(self, device: torch.device) -> "Model":
        """The same with its Shift-GCNs on a device; all else stays on the CPU."""
        streams = [replace(s, network=s.network.to(device).eval()) for s in self.streams]
        return replace(self, streams=streams)

    def look(
        self, clips: list[Float[np.ndarray, "_ C V W"]]
    ) -> tuple[Float[Tensor, "n D"], Float[Tensor, "n S"]]:
        """Features and seen logits of normalised clips, as the study fuses them.

        Kinematics are the last of the features.
        """
        first = torch.tensor([0, *(len(bodies) for bodies in clips)]).cumsum(0)
        bodies = torch.from_numpy(np.concatenate(clips))
        skeletons = Skeletons([str(place) for place in range(len(clips))], bodies, first)
        everything = torch.arange(len(clips))
        total = sum(stream.weight for stream in self.streams)
        features, logits = 0.0, 0.0
        for stream in self.streams:
            of_stream, of_clips = extract(
                stream.network, skeletons, stream.name, self.layout, everything
            )
            features = features + stream.weight / total * of_clips
            logits = logits + stream.weight * of_stream
        return torch.cat([features, kinematics(skeletons)], 1), logits

    def read(self, features: Float[Tensor, "n D"]) -> Float[Tensor, "n _"]:
        """Those of the features that the method reads."""
        return features if self.fitted.KINEMATICS else features[:, : -self.witness.kinematics]

    def parts(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Plain values and tensors, which `of_parts` reads."""
        values = {
            "facts": self.facts,
            "layout": {"name": self.layout.name} | plain(self.layout),
            "normalise": asdict(self.normalise),
            "limits": asdict(self.limits),
            "frames": self.frames,
            "streams": [
                {"name": s.name, "weight": s.weight, "architecture": s.network.architecture}
                for s in self.streams
            ],
            "method": self.fitted.about,
            "classifier": {
                "class_ids": self.classifier.class_ids,
                "relu": self.classifier.relu,
                "temperatures": self.classifier.temperatures,
                "temperature": self.temperature,
            },
            "witness": self.witness.values(),
            "gate": self.gate,
            "gates": [vars(g) | {"weights": g.weights.tolist()} for g in self.gates.values()],
            "encoder": asdict(self.encoder),
            "classes": [
                {"class_id": k.class_id, "label": k.label, "side": k.side, "words": k.words}
                for k in self.classes
            ],
        }
        return values, dict(self._tensors())

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        for stream in self.streams:
            for name, tensor in stream.network.state_dict().items():
                yield f"shift_gcn.{stream.name}.{name}", tensor.cpu()
        yield from ((f"shared.{name}", tensor) for name, tensor in self.fitted.shared.items())
        yield from ((f"models.{name}", tensor) for name, tensor in self.fitted.models.items())
        yield from ((f"witness.{k}", tensor) for k, tensor in self.witness.tensors().items())
        yield "classifier.weight", self.classifier.weight
        yield "classifier.bias", self.classifier.bias
        for kind in self.fitted.about["kinds"]:
            yield f"texts.{kind}", torch.stack([known.features[kind] for known in self.classes])

    @classmethod
    def of_parts(cls, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "Model":
        """The model that `parts` gave.

        Raises:
            ValueError: they do not belong together.
        """
        try:
            return cls._of_parts(values, tensors)
        except (LookupError, ArithmeticError, TypeError, AttributeError, RuntimeError) as error:
            raise ValueError(
                f"values and tensors do not fit together: {type(error).__name__} {error}"
            ) from error

    @classmethod
    def _of_parts(cls, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "Model":
        def below(start: str) -> dict[str, Tensor]:
            return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}

        layout = dict(values["layout"])
        fitted = load_fitted(
            {"about": values["method"], "shared": below("shared."), "models": below("models.")}
        )
        classes = [
            KnownClass(
                **fields, features={kind: rows[place] for kind, rows in below("texts.").items()}
            )
            for place, fields in enumerate(values["classes"])
        ]
        seen = sum(known.side == SEEN for known in classes)
        classifier = dict(values["classifier"])
        temperature = classifier.pop("temperature")
        if not seen or not values["streams"]:
            raise ValueError("there is no seen class or no stream")
        gates = [Gate(**g | {"weights": np.array(g["weights"], float)}) for g in values["gates"]]
        model = cls(
            layout=parse_layout(layout.pop("name"), layout),
            normalise=NormaliseConfig(**values["normalise"]),
            limits=Limits(**values["limits"]),
            frames=values["frames"],
            streams=[
                Stream(
                    s["name"],
                    s["weight"],
                    ShiftGCN.from_state(s["architecture"], seen, below(f"shift_gcn.{s['name']}.")),
                )
                for s in values["streams"]
            ],
            fitted=fitted,
            classifier=Classifier(
                fitted.skeleton_side(),
                weight=tensors["classifier.weight"],
                bias=tensors["classifier.bias"],
                **classifier,
            ),
            temperature=temperature,
            witness=Witness.of_state(values["witness"] | below("witness.")),
            gates={gate.kind: gate for gate in gates},
            gate=values["gate"],
            encoder=EncoderConfig(**values["encoder"]),
            classes=classes,
            facts=values["facts"],
        )
        if model.gate not in model.gates or "threshold" not in model.gates:
            raise ValueError(f"gate is {model.gate!r}, but there are gates {list(model.gates)}")
        if [known.class_id for known in model.of(UNSEEN)] != model.classifier.class_ids:
            raise ValueError("the classifier is not of the unseen classes")
        return model
