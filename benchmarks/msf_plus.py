"""What each ingredient of MSF+ is worth: accuracy among unseen classes with one left out at a time.

Reads the features, roles and texts that runs have left in a data root, for any number of class
splits, and fits the variants in closed form, in seconds. Prints, in points, the mean accuracy over
the splits, and the differences from MSF+ as it is, with 95 % t-intervals over the splits.

In the calibration phase it counts training subjects' clips of the calibration classes, which no
network of that phase has seen: choices may be made there. `--phase=test` counts test subjects'
clips of the unseen classes, which are looked at when all choices have been made. `--added` asks
instead what further experts would be worth beside MSF+, in the same space and by the same texts:
alone, and added to it with half its weight.

    kedro run --env=utd_mhad --pipelines=skeletons,semantics,splits,features --params=split=final_01
    python benchmarks/msf_plus.py --env=utd_mhad --splits=final_01,final_02
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import CatalogProtocol
from scipy import stats
from torch import Tensor

from msf_kedro.clips.kinematics import width
from msf_kedro.clips.layouts import get_layout
from msf_kedro.joins import rows_of
from msf_kedro.methods import configure, get_method
from msf_kedro.methods.contract.space import COMPONENTS, Space
from msf_kedro.methods.contract.task import Task, apart
from msf_kedro.methods.contract.wording import Wording
from msf_kedro.pipelines.training_task import training_task
from msf_kedro.texts.body_parts import BODY_PARTS
from msf_kedro.texts.fusion import Texts, parse_texts
from msf_kedro.zero_shot.protocols import TRAINING_SUBJECTS
from msf_kedro.zero_shot.splits import unseen_classes

CPU = torch.device("cpu")
COUNTED = {"calibration": TRAINING_SUBJECTS, "test": ("test",)}
Variant = tuple[Task, Texts, Tensor, str, dict]


def whole(task: Task, unseen: Texts, clips: Tensor, config: dict) -> Variant:
    return task, unseen, clips, "msf_plus", config


def without_parts(task: Task, unseen: Texts, clips: Tensor, config: dict) -> Variant:
    return *_without_named(slice(len(BODY_PARTS)), task, unseen), clips, "msf_plus", config


def without_movements(task: Task, unseen: Texts, clips: Tensor, config: dict) -> Variant:
    return *_without_named(slice(len(BODY_PARTS), None), task, unseen), clips, "msf_plus", config


def _without_named(columns: slice, task: Task, unseen: Texts) -> tuple[Task, Texts]:
    def blind(texts: Texts) -> Texts:
        named = {kind: rows.clone() for kind, rows in texts.named.items()}
        for rows in named.values():
            rows[:, columns] = 0
        return replace(texts, named=named)

    return replace(task, seen=blind(task.seen)), blind(unseen)


def with_reach_and_speed(task: Task, unseen: Texts, clips: Tensor, config: dict) -> Variant:
    layout = get_layout(task.layout)
    joints = len(layout.joints)
    assert task.kinematics == width(joints, layout.dimensions)
    kept = 3 * joints * layout.dimensions  # smallest and largest values, speeds: the first ones
    first = task.features.shape[1] - task.kinematics + kept
    narrow = replace(task, features=task.features[:, :first], kinematics=kept)
    return narrow, unseen, clips[:, :first], "msf_plus", config


def without_kinematics(task: Task, unseen: Texts, clips: Tensor, config: dict) -> Variant:
    learned = task.features.shape[1] - task.kinematics
    narrow = replace(task, features=task.features[:, :learned], kinematics=0)
    return narrow, unseen, clips[:, :learned], "msf_plus", config


def kinematics_alone(task: Task, unseen: Texts, clips: Tensor, config: dict) -> Variant:
    return task, unseen, clips, "msf_plus", config | {"weights": [1e6]}


def without_whitening(task: Task, unseen: Texts, clips: Tensor, config: dict) -> Variant:
    return task, unseen, clips, "msf_plus", config | {"shrinkage": 1.0}


def equal_weights(task: Task, unseen: Texts, clips: Tensor, config: dict) -> Variant:
    return task, unseen, clips, "msf_plus", config | {"weights": [1.0]}


def ridge(task: Task, unseen: Texts, clips: Tensor, config: dict) -> Variant:
    task, unseen, clips, _, _ = without_kinematics(task, unseen, clips, config)
    return task, unseen, clips, "ridge", {"regularisations": [1.0], "temperatures": [1.0]}


UNCORRECTED = "without crowding"
VARIANTS: dict[str, Callable[..., Variant]] = {
    "MSF+": whole,
    "without the parts of the body that texts name": without_parts,
    "without the movements that texts name": without_movements,
    UNCORRECTED: whole,
    "without repetition and distances": with_reach_and_speed,
    "without kinematics": without_kinematics,
    "kinematics alone": kinematics_alone,
    "without whitening": without_whitening,
    "both spaces with the same weight": equal_weights,
    "ridge regression from features to texts": ridge,
}


def to_texts(x: Tensor, labels: Tensor, seen: Tensor, clips: Tensor, unseen: Tensor) -> Tensor:
    """Ridge regression in the other direction: from clips to their class's texts."""
    weights = torch.linalg.solve(x.mT @ x + torch.eye(x.shape[1]), x.mT @ seen[labels])
    return F.normalize(clips @ weights, dim=1) @ unseen.mT


def conse(x: Tensor, labels: Tensor, seen: Tensor, clips: Tensor, unseen: Tensor) -> Tensor:
    """A clip's texts are those of its ten likeliest seen classes, mixed (Norouzi et al., 2014)."""
    means = F.normalize(torch.stack([x[labels == n].mean(0) for n in range(len(seen))]), dim=1)
    likeliest = torch.topk(torch.softmax(5 * clips @ means.mT, 1), min(10, len(seen)), 1)
    mixed = (likeliest.values[:, :, None] * seen[likeliest.indices]).sum(1)
    return F.normalize(mixed, dim=1) @ unseen.mT


def eszsl(x: Tensor, labels: Tensor, seen: Tensor, clips: Tensor, unseen: Tensor) -> Tensor:
    """A bilinear form between clips and texts (Romera-Paredes and Torr, 2015)."""
    targets = 2 * F.one_hot(labels, len(seen)).double() - 1
    left = x.mT @ x + 10 * torch.eye(x.shape[1])
    right = seen.mT @ seen + torch.eye(seen.shape[1])
    form = torch.linalg.solve(left, x.mT @ targets @ seen) @ torch.linalg.inv(right)
    return clips @ form @ unseen.mT


ADDED = {"from clips to texts": to_texts, "ConSE": conse, "ESZSL": eszsl}


def with_added(task: Task, unseen: Texts, clips: Tensor, own: dict) -> dict[str, Tensor]:
    """The scores of MSF+, of each added expert, and of both."""
    fitted, _ = get_method("msf_plus").fit(task, [0], configure("msf_plus", own), CPU)
    classifier, _ = fitted.classifier(fitted.latents(unseen), CPU)
    whole = classifier.logits(clips)[0, 0].double()
    wording = Wording.fit(task.seen)
    seen, words = (wording.vectors(texts) for texts in (task.seen, unseen.of(task.seen.kinds)))
    spaces = (None, 1.0), (COMPONENTS, own["weights"][0])
    placed: list[list[Tensor]] = [[], []]
    parts = (apart(values.double(), task.kinematics) for values in (task.features, clips))
    for (components, weight), *of_both in zip(spaces, *parts, strict=True):
        space = Space.fit(of_both[0], task.labels, len(seen), components=components)
        for places, values in zip(placed, of_both, strict=True):
            places.append(weight * space.place(values))
    x, z = (torch.cat(places, 1) for places in placed)
    found = {"MSF+": whole}
    for name, expert in ADDED.items():
        scores = expert(x, task.labels, seen, z, F.normalize(words, dim=1))
        both = whole / whole.std() + scores / scores.std() / 2
        found |= {f"{name}, alone": scores, f"{name}, added": both}
    return found


def accuracies(
    catalog: CatalogProtocol, split: str, phase: str, added: bool = False
) -> dict[str, float]:
    """Of every variant, in percent, on the clips of a phase's unseen classes that count."""
    texts, encoder = (catalog.load(f"params:{name}") for name in ("texts", "encoder"))
    features, roles, words = (
        catalog.load(f"{split}.{phase}_features"),
        catalog.load(f"{split}.{phase}_roles"),
        catalog.load("text_features"),
    )
    config = catalog.load("params:clips")
    task = training_task(features, roles, words, texts, encoder, config)
    unseen = Texts.of_table(words, parse_texts(texts), unseen_classes(roles), encoder)
    counted = roles[roles.side.eq("unseen") & roles.part.isin(COUNTED[phase])]
    clips = torch.tensor(rows_of(features, counted.name, "features").to_numpy())
    own = catalog.load("params:msf_plus")
    if added:
        found = with_added(task, unseen, clips, own)
    else:
        found = {}
        for name, variant in VARIANTS.items():
            fitted_to, described, of_clips, method, fields = variant(task, unseen, clips, own)
            fitted, _ = get_method(method).fit(fitted_to, [0], configure(method, fields), CPU)
            classifier, _ = fitted.classifier(fitted.latents(described), CPU)
            if name == UNCORRECTED:
                classifier = replace(classifier, bias=torch.zeros_like(classifier.bias))
            found[name] = classifier.logits(of_clips)[0, 0]
    ids, true = np.array(unseen.class_ids), counted.class_id.to_numpy()
    return {
        name: 100 * float((ids[scores.argmax(1)] == true).mean()) for name, scores in found.items()
    }


def table(found: pd.DataFrame) -> pd.DataFrame:
    """A row a variant: mean and standard deviation, difference from the first and its interval."""
    rows = {}
    for name, values in found.items():
        less = values - found.iloc[:, 0]
        half = stats.t.ppf(0.975, len(less) - 1) * stats.sem(less) if len(less) > 1 else np.nan
        mean = less.mean()
        rows[name] = {
            "accuracy": f"{values.mean():.1f} ± {values.std():.1f}",
            "difference": f"{mean:+.1f} [{mean - half:+.1f}, {mean + half:+.1f}]",
        }
    return pd.DataFrame(rows).T


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--env", default="utd_mhad")
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--splits", required=True, help="joined by commas")
    parser.add_argument("--phase", choices=COUNTED, default="calibration")
    parser.add_argument("--added", action="store_true", help="further experts beside MSF+")
    given = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    bootstrap_project(root)
    params = {"data_root": given.data_root}
    with KedroSession.create(root, env=given.env, runtime_params=params) as session:
        catalog = session.load_context().catalog
        splits = given.splits.split(",")
        each = [accuracies(catalog, split, given.phase, given.added) for split in splits]
    found = pd.DataFrame(each, splits)
    print(found.round(1).T.to_string())
    print(f"\n{len(found)} splits, {given.phase} phase\n\n{table(found).to_string()}")
