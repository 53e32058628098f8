"""A small recogniser, whose networks were never trained and whose encoder counts words."""

import zlib

import numpy as np
import torch

from msf_kedro import runtime
from msf_kedro.clips.kinematics import width
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.limits import Limits
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.evidence import Witness
from msf_kedro.methods import get_method
from msf_kedro.methods.contract.task import Task
from msf_kedro.networks.shift_gcn import ShiftGCN, ShiftGCNConfig
from msf_kedro.recognizer.model import SEEN, UNSEEN, KnownClass, Model, Stream
from msf_kedro.sample import generate_clip
from msf_kedro.texts.encoders import EncoderConfig
from msf_kedro.texts.fusion import Texts
from msf_kedro.zero_shot.gate import Gate
from support.toy import CPU, make

WIDTH, WINDOW = 6, 8
KINDS = ["LB", "AD", "MD"]
WORDS = {
    "throw": ("To send a thing flying.", "The right arm swings over the shoulder once."),
    "hop": ("To jump on one foot.", "The body jumps up and down on one foot."),
    "clap": ("To strike the palms together.", "Both hands meet in front of the chest and part."),
    "kick": ("To strike with the foot.", "The right foot swings forward and up once."),
    "squat": ("To sit low on the heels.", "Both knees bend far and the hips lower."),
}
UNSEEN_LABELS = ("kick", "squat")


def embed(texts: list[str], config: EncoderConfig) -> np.ndarray:
    """A vector for each text, the sum of one for each of its words."""
    return np.stack([sum(map(_vector, text.lower().split())) for text in texts])


def _vector(word: str) -> np.ndarray:
    seed = zlib.crc32(word.strip(".,").encode())
    return np.random.default_rng(seed).normal(size=16).astype(np.float32)


def model(method: str = "msf", gate: str = "threshold", layout: str = "kinect_v2_25") -> Model:
    """Three seen and two unseen classes, one stream."""
    encoder = EncoderConfig("sentence_transformers", "counts words", "")
    classes = []
    for number, (label, (action, motion)) in enumerate(WORDS.items(), 11):
        words = {"LB": label, "AD": action, "MD": motion}
        rows = torch.from_numpy(embed(list(words.values()), encoder))
        side = UNSEEN if label in UNSEEN_LABELS else SEEN
        features = dict(zip(words, rows, strict=True))
        classes.append(KnownClass(number, label, side, words, features))
    seen, unseen = ([k for k in classes if k.side == side] for side in (SEEN, UNSEEN))
    layout = get_layout(layout)
    with runtime.seeded(0, "network"):
        shape = len(layout.joints), len(seen), layout.dimensions
        network = ShiftGCN(ShiftGCNConfig([4, WIDTH], []), *shape)
    generator = torch.Generator().manual_seed(0)
    moved = width(len(layout.joints), layout.dimensions)
    clips = torch.rand(12, WIDTH + moved, generator=generator)
    labels, words = torch.arange(12) % 3, _texts(seen)
    task = Task(clips, labels, words, layout.name, moved)
    witness = Witness.fit(task)
    if not get_method(method).KINEMATICS:
        task = Task(clips[:, :WIDTH], labels, words, layout.name)
    config = make(method, latent=4, steps=4, latents_per_class=10, classifier_steps=20)
    fitted, _ = get_method(method).fit(task, [3, 5], config, CPU)
    classifier, _ = fitted.classifier(fitted.latents(_texts(unseen)), CPU)
    gates = {
        "threshold": Gate("threshold", 2.0, 0.4, 2, np.empty(0), "seen"),
        "logistic": Gate("logistic", 1.0, 0.5, 2, np.array([-1, 0.5, 2, 0.1, 0.2]), "seen"),
    }
    strong = np.linspace(-1, 1, len(witness.scores) + 1)
    for kind in ("evidence", "conformal"):
        gates[kind] = Gate(kind, 1.0, 0.5, 2, strong, "seen")
    return Model(
        layout=layout,
        normalise=NormaliseConfig(WINDOW, True),
        limits=Limits(200, 4, 300_000),
        frames=40,
        streams=[Stream("bone", 0.6, network)],
        fitted=fitted.pick(1, 1),
        classifier=classifier.pick(1, 1),
        temperature=0.5,
        witness=witness,
        gates=gates,
        gate=gate,
        encoder=encoder,
        classes=classes,
        facts={"study": "toy"},
    )


def clips(number: int = 3) -> list[np.ndarray]:
    """Generated ones; the last but one of two people."""
    return [generate_clip((7, 51, 80)[n % 3], 1 + n, 1, 0) for n in range(number)]


def _texts(classes: list[KnownClass]) -> Texts:
    kinds = {kind: torch.stack([known.features[kind] for known in classes]) for kind in KINDS}
    return Texts([known.class_id for known in classes], "counts words", kinds)
