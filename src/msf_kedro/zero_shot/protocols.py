"""What a protocol may look at: which candidate counts, and which clips fit a gate.

`strict` chooses nothing with test labels or test subjects. `paper` is the released code's, and
selects on test: it takes the candidate that is best on the unseen test clips, and fits the gate on
test subjects' clips. Published tables can only be compared under it.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from msf_kedro.joins import rows_of
from msf_kedro.zero_shot.classifier import UnseenClassifier
from msf_kedro.zero_shot.splits import PHASES, ZSSAR_TEST, scored_clips, unseen_classes

PROTOCOLS = ("strict", "paper")
TRAINING_SUBJECTS = ("train", "held_out")
# Calibration clips that gates are fitted on. The Shift-GCN was trained on none of them. The paper
# protocol takes its unseen clips from test subjects, as the release does: they come back in the
# test phase as seen ones.
GATE_CLIPS = {
    "strict": {"seen": ("held_out",), "unseen": TRAINING_SUBJECTS},
    "paper": {"seen": ("held_out",), "unseen": ("test",)},
}


def gate_clips(
    roles: pd.DataFrame, protocol: str
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Which clips of the calibration phase a protocol fits gates on: seen ones, unseen ones."""
    seen, unseen = (
        (roles.side.eq(side) & roles.part.isin(parts)).to_numpy(dtype=bool)
        for side, parts in GATE_CLIPS[protocol].items()
    )
    return seen, unseen


def count_right(
    classifier: UnseenClassifier, features: pd.DataFrame, roles: pd.DataFrame, phase: str
) -> pd.DataFrame:
    """How many unseen clips of each part every candidate and seed classifies right.

    In the calibration phase each candidate's soft-max temperature is chosen too, on the unseen
    clips of training subjects if there are some; it holds in both phases.

    Args:
        classifier: of the phase's unseen classes.
        features: of all clips, indexed by name.
        roles: of the phase.

    Returns:
        `candidate` (from 1), `candidate_name`, `seed`, `part`, `clips`, `right`, and, in the
        calibration phase, `temperature`.

    Raises:
        ValueError: the phase's unseen classes are not those of the classifier.
    """
    clips = roles[roles.side == "unseen"].sort_values("name", ignore_index=True)
    if unseen_classes(roles) != sorted(classifier.class_ids):
        raise ValueError(
            f"the {phase} phase has unseen classes {unseen_classes(roles)}, but the classifier is"
            f" of {sorted(classifier.class_ids)}: the split has changed; rerun the alignment"
        )
    values = torch.tensor(rows_of(features, clips.name, "features").to_numpy())
    targets = torch.tensor(pd.Index(classifier.class_ids).get_indexer(clips.class_id))
    judged = clips.part.isin(TRAINING_SUBJECTS).to_numpy()
    judged = torch.tensor(judged if judged.any() else ~judged)
    tables = []
    for place, name in enumerate(classifier.candidates):
        for replica, seed in enumerate(classifier.seeds):
            logits = classifier.pick(place, replica).logits(values)[0, 0]
            right = (logits.argmax(1) == targets).numpy()
            counts = pd.Series(right).groupby(clips.part).agg(clips="size", right="sum")
            found = {"candidate": place + 1, "candidate_name": name, "seed": seed}
            if phase == "calibration":
                found["temperature"] = choose_temperature(
                    logits[judged], targets[judged], classifier.temperatures
                )
            tables.append(counts.reset_index().assign(**found))
    return pd.concat(tables, ignore_index=True)


def choose_temperature(
    logits: Float[Tensor, "m K"], labels: Int[Tensor, " m"], temperatures: Iterable[float]
) -> float:
    """The temperature of smallest negative log-likelihood, averaged over clips; ties: the first.

    Probabilities are `softmax(logits / temperature)`.
    """
    losses = {t: F.cross_entropy(logits / t, labels).item() for t in temperatures}
    return float(min(losses, key=losses.__getitem__))


def choose_candidates(calibration: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """The candidate of every protocol, phase and seed.

    `strict` takes the candidate that does best in the calibration phase, on its unseen classes'
    clips of training subjects, in both phases; where there are no such clips, there is no `strict`.
    `paper` takes in each phase the one that does best on the phase's unseen test clips: it selects
    on test labels, as the release does. Ties go to the first candidate.

    Args:
        calibration: what `count_right` gave for the calibration phase.
        test: what it gave for the test phase.

    Returns:
        `protocol`, `phase`, `seed`, `candidate`, its `temperature`, and the `accuracy` that chose
        it.

    Raises:
        ValueError: the phases have other candidates or seeds.
    """
    models = ["candidate", "candidate_name", "seed"]
    first, second = (
        counts[models].drop_duplicates().sort_values(models).reset_index(drop=True)
        for counts in (calibration, test)
    )
    if not first.equals(second):
        raise ValueError(
            f"the calibration phase has {len(first)} models (candidates and seeds), the test phase"
            f" {len(second)} or others: they were fitted with different parameters; rerun the"
            " alignment of both"
        )
    strict = _best(calibration, TRAINING_SUBJECTS)  # nothing where there are no such clips
    chosen = [strict.assign(protocol="strict", phase=phase) for phase in PHASES]
    for phase, counts in zip(PHASES, (calibration, test), strict=True):
        chosen.append(_best(counts, ZSSAR_TEST).assign(protocol="paper", phase=phase))
    temperatures = calibration.groupby(["seed", "candidate"]).temperature.first()
    table = pd.concat(chosen, ignore_index=True).join(temperatures, on=["seed", "candidate"])
    return table[["protocol", "phase", "seed", "candidate", "temperature", "accuracy"]]


def _best(counts: pd.DataFrame, parts: tuple[str, ...]) -> pd.DataFrame:
    """Per seed the candidate of largest accuracy over some parts together."""
    mine = counts[counts.part.isin(parts)].groupby(["seed", "candidate"])[["right", "clips"]].sum()
    accuracy = (mine.right / mine.clips).rename("accuracy").reset_index()
    return accuracy.loc[accuracy.groupby("seed").accuracy.idxmax()]


def unseen_probs(
    classifier: UnseenClassifier,
    features: pd.DataFrame,
    roles: pd.DataFrame,
    candidates: pd.DataFrame,
    phase: str,
) -> pd.DataFrame:
    """Probabilities over the unseen classes of every clip that methods were not trained on.

    Returns:
        A column per class; a row per candidate and seed that some protocol chose, and clip.
    """
    names = scored_clips(roles)
    values = torch.tensor(rows_of(features, names, "features").to_numpy())
    runs = candidates.loc[candidates.phase == phase, ["candidate", "seed", "temperature"]]
    tables = {
        (run.candidate, run.seed): pd.DataFrame(
            classifier.probs(values, run.candidate, run.seed, run.temperature).numpy(),
            index=names,
            columns=pd.Index(classifier.class_ids, name="class_id"),
        )
        for run in runs.drop_duplicates().sort_values(["candidate", "seed"]).itertuples()
    }
    return pd.concat(tables, names=["candidate", "seed"])


def chosen_probs(
    probs: pd.DataFrame, candidates: pd.DataFrame, phase: str
) -> Iterable[tuple[str, int, pd.DataFrame]]:
    """Protocol, seed, and that seed's probabilities by the candidate that the protocol chose."""
    for row in candidates[candidates.phase == phase].itertuples():
        yield row.protocol, row.seed, probs.loc[row.candidate, row.seed]


def best_class(table: pd.DataFrame) -> Int[np.ndarray, " n"]:
    """The class of the largest column of each row."""
    return table.columns.to_numpy()[table.to_numpy().argmax(axis=1)]
