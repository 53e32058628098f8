"""What each score of the evidence gate is worth, from one set of classes to another.

The gate is fitted on the clips that fit gates in one calibration phase, and decides on those of
another one, where other classes are unseen: no test subject and no test phase is looked at. Reads
the features, roles and texts that runs have left in a data root. Prints, in percent, means over all
pairs of phases: the area under the ROC curve, the parts of seen and unseen clips that are called
so, and the harmonic mean of these two.

    python benchmarks/gate.py --env=utd_mhad --splits=final_01,final_02,final_03

With `--folds=8` it asks instead what more calibration folds would be worth that cost no training of
networks: in each, as many seen classes as are unseen, drawn at random, are left out of all that the
scores are computed with, and play the unseen ones. The network has seen them, though.
"""

import argparse
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import CatalogProtocol
from sklearn.metrics import roc_auc_score

from msf_kedro.evidence import Witness
from msf_kedro.joins import rows_of
from msf_kedro.pipelines.training_task import training_task
from msf_kedro.texts.fusion import Texts, parse_texts
from msf_kedro.zero_shot.gate import Evidence, GateConfig, fit_gate, score
from msf_kedro.zero_shot.protocols import gate_clips
from msf_kedro.zero_shot.splits import seen_classes, unseen_classes

Phase = tuple[Float[np.ndarray, "n F"], Bool[np.ndarray, " n"]]
CHOICES = {
    "all": ["nearest", "gap", "movement_gap"],
    "without nearest": ["gap", "movement_gap"],
    "without gap": ["nearest", "movement_gap"],
    "without movement_gap": ["nearest", "gap"],
}


def measured(
    catalog: CatalogProtocol, split: str, folds: int = 0, seed: int = 0
) -> tuple[list[str], list[Phase]]:
    """The scores' names, and of the clips that fit gates the scores and whether they are seen.

    Args:
        folds: how many more of them there are, with other classes left out.
        seed: of the draws of these classes.
    """
    texts, encoder = (catalog.load(f"params:{name}") for name in ("texts", "encoder"))
    features, roles = (
        catalog.load(f"{split}.calibration_{name}") for name in ("features", "roles")
    )
    words = catalog.load("text_features")
    config = catalog.load("params:clips")
    held_out, others = gate_clips(roles, "strict")
    rng, phases = np.random.default_rng(seed), []
    for fold in range(folds + 1):
        trained, left_out, unseen, kept = roles, others, unseen_classes(roles), held_out
        if fold:
            unseen = sorted(rng.choice(seen_classes(roles), len(unseen), replace=False).tolist())
            out = roles.class_id.isin(unseen).to_numpy()
            trained, left_out, kept = roles[~out], held_out & out, held_out & ~out
        witness = Witness.fit(training_task(features, trained, words, texts, encoder, config))
        described = Texts.of_table(words, parse_texts(texts), unseen, encoder)
        chosen = kept | left_out
        clips = torch.tensor(rows_of(features, roles.name[chosen], "features").to_numpy())
        phases.append((witness.measure(clips, described), kept[chosen]))
    return witness.scores, phases


def transfer(kind: str, fitted_on: Phase, applied_to: Phase, config: GateConfig) -> list[float]:
    """A gate of one phase in another one."""
    scores, is_seen = fitted_on
    nothing, right = np.zeros((len(is_seen), 2)), np.ones(len(is_seen), dtype=bool)
    evidence = Evidence(nothing, nothing, is_seen, right, right, scores)
    gate = fit_gate(kind, evidence, config, "strict", 2, 0)
    scores, is_seen = applied_to
    nothing = np.zeros((len(is_seen), 2))
    sure = score(gate, nothing, nothing, scores)
    kept, let_go = (
        (sure >= gate.threshold)[is_seen].mean(),
        (sure < gate.threshold)[~is_seen].mean(),
    )
    harmonic = 2 * kept * let_go / max(kept + let_go, 1e-12)
    return [100 * value for value in (roc_auc_score(is_seen, sure), kept, let_go, harmonic)]


def by_scores(found: list[list[Phase]], names: list[str], config: GateConfig) -> dict:
    """Means over all pairs of phases, with one score left out at a time."""
    rows = {}
    for kind in ("evidence", "conformal"):
        for choice, chosen in CHOICES.items():
            columns = [names.index(name) for name in chosen]
            phases = [(scores[:, columns], is_seen) for (scores, is_seen), *_ in found]
            pairs = [transfer(kind, *pair, config) for pair in permutations(phases, 2)]
            rows[kind, choice] = np.mean(pairs, axis=0)
    return rows


def by_folds(found: list[list[Phase]], config: GateConfig) -> dict:
    """The same of gates that are fitted on more and more folds of one phase."""
    rows = {}
    folds = len(found[0]) - 1
    for count in dict.fromkeys((0, *(2**n for n in range(folds.bit_length())), folds)):
        pairs = []
        for fitted_on, (applied_to, *_) in permutations(found, 2):
            parts = zip(*fitted_on[: count + 1], strict=True)
            scores, is_seen = map(np.concatenate, parts)
            pairs.append(transfer("evidence", (scores, is_seen), applied_to, config))
        rows["evidence", f"and {count} folds"] = np.mean(pairs, axis=0)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--env", default="utd_mhad")
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--splits", required=True, help="joined by commas")
    parser.add_argument("--folds", type=int, default=0, help="more calibration folds")
    given = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    bootstrap_project(root)
    params = {"data_root": given.data_root}
    with KedroSession.create(root, env=given.env, runtime_params=params) as session:
        catalog = session.load_context().catalog
        config = catalog.load("params:gate")
        splits = given.splits.split(",")
        each = [measured(catalog, split, given.folds, n) for n, split in enumerate(splits)]
    names, found = each[0][0], [phases for _, phases in each]
    rows = by_folds(found, config) if given.folds else by_scores(found, names, config)
    columns = ["AUROC", "seen", "unseen", "harmonic mean"]
    print(pd.DataFrame(rows, columns).T.round(1).to_string())
    print(f"{len(splits) * (len(splits) - 1)} pairs of phases")
    if given.folds:
        for what, chosen in (("phases themselves", slice(1)), ("other folds", slice(1, None))):
            scores = [s[~seen].mean(0) for phases in found for s, seen in phases[chosen]]
            said = zip(names, np.mean(scores, axis=0), strict=True)
            told = ", ".join(f"{name} {value:.2f}" for name, value in said)
            print(f"clips that play the unseen ones, {what}: {told}")
