"""Small trainings that keep their state in a file; as a script, they kill themselves in the middle.

python killed.py FOLDER TRAINING step|save
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from msf_kedro.clips.augment import AugmentConfig
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import NormaliseConfig, normalise
from msf_kedro.clips.store import Skeletons
from msf_kedro.datasets import training_state
from msf_kedro.datasets.training_state import TrainingState
from msf_kedro.methods import configure, get_method
from msf_kedro.methods.contract.task import Task
from msf_kedro.networks.extractor import LabelledClips, ShiftGCNTraining, train
from msf_kedro.networks.shift_gcn import ShiftGCN, ShiftGCNConfig
from msf_kedro.sample import generate_clip
from msf_kedro.texts.fusion import Texts

LAYOUT = get_layout("kinect_v2_25")
KEY = "what this is made from"


def shift_gcn(state: TrainingState) -> tuple[dict, list]:
    """Four epochs of a Shift-GCN on eight clips."""
    config = NormaliseConfig(window=8, resample=True)
    clips = [normalise(generate_clip(a, p, 1, seed=0), LAYOUT, config) for a in (8, 23)
             for p in (1, 2, 3, 4)]  # fmt: skip
    first = torch.tensor([0, *map(len, clips)]).cumsum(0)
    skeletons = Skeletons([*map(str, range(8))], torch.from_numpy(np.concatenate(clips)), first)
    torch.manual_seed(0)
    network = ShiftGCN(ShiftGCNConfig((8, 8), (2,)), 25, 2)
    places = torch.arange(8)
    labelled = LabelledClips(places, places // 4)
    history = train(
        *("toy", network, skeletons, "joint", LAYOUT, labelled, labelled),
        ShiftGCNTraining(4, 3, 0.1, 1, [], 1e-4, 1e-3),
        AugmentConfig(0.3, 0.1, 0.1, 0.1),
        torch.Generator().manual_seed(0),
        state,
    )
    return dict(network.state_dict()), history


def revise(state: TrainingState) -> tuple[dict, list]:
    """Four checkpoints of ReViSE on random numbers."""
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(30, 6, generator=generator)
    texts = Texts([1, 2, 3], "toy", {"LB": torch.randn(3, 5, generator=generator)})
    task = Task(features, torch.arange(30) % 3, texts, "any")
    sizes = {"code": 4, "embedding": 3, "text_hidden": 4, "batch_size": 8}
    steps = {"steps": 12, "checkpoints": 4, "learning_rate": 0.01, "temperatures": [1.0]}
    terms = {"margin": 0.3, "contractive_weight": 1e-4, "discrepancy_weight": 1.0}
    config = configure("revise", sizes | steps | terms | {"kernel_sharpness": 32.0})
    cpu = torch.device("cpu")
    fitted, history = get_method("revise").fit(task, [0, 1], config, cpu, "toy", state)
    return fitted.models, history


TRAININGS = {"shift_gcn": shift_gcn, "revise": revise}
# Losses up to the middle of the third epoch; a Shift-GCN's held-out clips have one an epoch too.
LOSSES = {"shift_gcn": 10, "revise": 8}


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Killed(TrainingState):
    """A state whose third save ends the process, as half of a file is written."""

    saved = 0

    def save(self, state: dict[str, Any]) -> None:
        self.saved += 1
        if self.saved == 3:
            with training_state.whole_or_nothing(self._file("state")) as path:
                path.write_bytes(b"half")
                kill()
        super().save(state)


def kill_in_a_step(number: int) -> None:
    """Let the process end as this loss is computed, counted over the training."""
    cross_entropy, steps = torch.nn.functional.cross_entropy, iter(range(1, number + 1))

    def counted(forward):
        def step(*args, **kwargs):
            if next(steps) == number:
                kill()
            return forward(*args, **kwargs)

        return step

    torch.nn.functional.cross_entropy = counted(cross_entropy)
    from msf_kedro.methods.revise import Revise

    Revise.loss = staticmethod(counted(Revise.loss))


if __name__ == "__main__":
    folder, training, moment = sys.argv[1:]
    torch.set_num_threads(1)
    if moment == "step":
        kill_in_a_step(LOSSES[training])
    kind = Killed if moment == "save" else TrainingState
    state = kind()
    state.belongs_to(KEY, Path(folder))
    TRAININGS[training](state)
