"""A recogniser that is made in a few seconds and yet goes by words.

An untrained Shift-GCN gives features, ridge regression maps them to words, which are counted: a
word has the same random vector wherever it stands. It recognises what shares words with seen
classes that move alike; the label is not read.
"""

import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from msf_kedro import runtime
from msf_kedro.clips.kinematics import kinematics
from msf_kedro.clips.layouts import Layout, get_layout
from msf_kedro.clips.limits import Limits
from msf_kedro.clips.normalise import NormaliseConfig, normalise
from msf_kedro.clips.store import Skeletons
from msf_kedro.evidence import Witness
from msf_kedro.methods import get_method
from msf_kedro.methods.contract.task import Task
from msf_kedro.methods.ridge import RidgeConfig
from msf_kedro.networks.extractor import extract
from msf_kedro.networks.shift_gcn import ShiftGCN, ShiftGCNConfig
from msf_kedro.recognizer.model import SEEN, UNSEEN, KnownClass, Model, Stream
from msf_kedro.sample import generate_clip
from msf_kedro.texts.encoders import EncoderConfig
from msf_kedro.texts.fusion import Texts
from msf_kedro.zero_shot.gate import Gate
from support.toy import CPU

WIDTH, WINDOW, PERFORMERS, STREAM = 64, 16, 3, "joint"
SEEN_IDS = [1, 2, 3, 6, 7, 8, 9, 10, 23, 28, 31, 33, 34, 40, 59, 95, 97, 98, 99]
UNSEEN_IDS = [22, 24, 27, 80]
CHEER_UP = 22
VAGUE = "Nothing is said of it."  # in the place of how one cheers up


def embed(texts: list[str], config: EncoderConfig) -> np.ndarray:
    """A vector for each text, the sum of one for each of its words."""
    return np.stack([sum(map(_vector, text.lower().split())) for text in texts])


def _vector(word: str) -> np.ndarray:
    seed = zlib.crc32(word.strip(".,").encode())
    return np.random.default_rng(seed).normal(size=WIDTH).astype(np.float32)


def words() -> dict[int, tuple[str, str]]:
    """Class number → label, and how the body moves."""
    folder = Path(__file__).parents[2] / "data" / "01_raw" / "class_texts"
    table = pd.read_csv(folder / "ntu_120.csv")
    rows = table.set_index("class_id").loc[[*SEEN_IDS, *UNSEEN_IDS]]
    return {row.Index: (row.label, row.motion_description) for row in rows.itertuples()}


def clip(action: int, performer: int = PERFORMERS + 1) -> np.ndarray:
    """A generated clip; of performers whose clips are not trained on, unless told."""
    return generate_clip(action, performer, 1, 0)


def model(seed: int = 1) -> Model:
    """19 seen classes and 4 unseen ones, of which one is described by `VAGUE`."""
    encoder = EncoderConfig("sentence_transformers", "counts words", "")
    texts = words() | {CHEER_UP: ("cheer up", VAGUE)}
    rows = torch.from_numpy(embed([motion for _, motion in texts.values()], encoder))
    classes = [
        KnownClass(
            number, label, SEEN if number in SEEN_IDS else UNSEEN, {"MD": motion}, {"MD": row}
        )
        for (number, (label, motion)), row in zip(texts.items(), rows, strict=True)
    ]
    seen, unseen = classes[: len(SEEN_IDS)], classes[len(SEEN_IDS) :]
    layout, how = get_layout("kinect_v2_25"), NormaliseConfig(WINDOW, True)
    with runtime.seeded(seed, "network"):
        network = ShiftGCN(ShiftGCNConfig([16, 32], []), 25, len(seen), 3).eval()
    features, figures, labels = _training(network, layout, how)
    seen_texts = _texts(seen)
    both = torch.cat([features, figures], 1)
    witness = Witness.fit(Task(both, labels, seen_texts, layout.name, figures.shape[1]))
    task = Task(features, labels, seen_texts, layout.name)
    fitted, _ = get_method("ridge").fit(task, [0], RidgeConfig([0.01], [0.1]), CPU)
    classifier, _ = fitted.classifier(fitted.latents(_texts(unseen)), CPU)
    return Model(
        layout=layout,
        normalise=how,
        limits=Limits(300, 4, 500_000),
        frames=60,
        streams=[Stream(STREAM, 1.0, network)],
        fitted=fitted,
        classifier=classifier,
        temperature=0.1,
        witness=witness,
        gates={"threshold": Gate("threshold", 2.0, 0.99, 2, np.empty(0), "seen")},
        gate="threshold",
        encoder=encoder,
        classes=classes,
        facts={"study": "playable"},
    )


def _training(
    network: ShiftGCN, layout: Layout, how: NormaliseConfig
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features and kinematics of the training clips, and the rows of their classes."""
    clips = [
        normalise(clip(action, performer), layout, how)
        for action in SEEN_IDS
        for performer in range(1, PERFORMERS + 1)
    ]
    first = torch.tensor([0, *map(len, clips)]).cumsum(0)
    names = [str(number) for number in range(len(clips))]
    skeletons = Skeletons(names, torch.from_numpy(np.concatenate(clips)), first)
    everything = torch.arange(len(clips))
    _, features = extract(network, skeletons, STREAM, layout, everything, 32)
    return features, kinematics(skeletons), everything // PERFORMERS


def _texts(classes: list[KnownClass]) -> Texts:
    rows = torch.stack([known.features["MD"] for known in classes])
    return Texts([known.class_id for known in classes], "counts words", {"MD": rows})
