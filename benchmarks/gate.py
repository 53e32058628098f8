"""What each score of the evidence gate is worth, from one set of classes to another.

The gate is fitted on the clips that fit gates in one calibration phase, and decides on those of
another one, where other classes are unseen: no test subject and no test phase is looked at. Reads
the features, roles and texts that runs have left in a data root. Prints, in percent, means over all
pairs of phases: the area under the ROC curve, the parts of seen and unseen clips that are called
so, and the harmonic mean of these two.

    python benchmarks/gate.py --env=utd_mhad --splits=final_01,final_02,final_03
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
from msf_kedro.zero_shot.splits import unseen_classes

Phase = tuple[Float[np.ndarray, "n F"], Bool[np.ndarray, " n"]]
CHOICES = {
    "all": ["nearest", "gap", "movement_gap"],
    "without nearest": ["gap", "movement_gap"],
    "without gap": ["nearest", "movement_gap"],
    "without movement_gap": ["nearest", "gap"],
}


def measured(catalog: CatalogProtocol, split: str) -> tuple[list[str], Phase]:
    """The scores' names, and of the clips that fit gates the scores and whether they are seen."""
    texts, encoder = (catalog.load(f"params:{name}") for name in ("texts", "encoder"))
    features, roles = (
        catalog.load(f"{split}.calibration_{name}") for name in ("features", "roles")
    )
    words = catalog.load("text_features")
    config = catalog.load("params:clips")
    witness = Witness.fit(training_task(features, roles, words, texts, encoder, config))
    unseen = Texts.of_table(words, parse_texts(texts), unseen_classes(roles), encoder)
    seen, others = gate_clips(roles, "strict")
    chosen = roles[seen | others]
    clips = torch.tensor(rows_of(features, chosen.name, "features").to_numpy())
    return witness.scores, (witness.measure(clips, unseen), chosen.side.eq("seen").to_numpy())


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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--env", default="utd_mhad")
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--splits", required=True, help="joined by commas")
    given = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    bootstrap_project(root)
    params = {"data_root": given.data_root}
    with KedroSession.create(root, env=given.env, runtime_params=params) as session:
        catalog = session.load_context().catalog
        config = catalog.load("params:gate")
        found = [measured(catalog, split) for split in given.splits.split(",")]
    names, rows = found[0][0], {}
    for kind in ("evidence", "conformal"):
        for choice, chosen in CHOICES.items():
            columns = [names.index(name) for name in chosen]
            phases = [(scores[:, columns], is_seen) for _, (scores, is_seen) in found]
            pairs = [transfer(kind, *pair, config) for pair in permutations(phases, 2)]
            rows[kind, choice] = np.mean(pairs, axis=0)
    columns = ["AUROC", "seen", "unseen", "harmonic mean"]
    print(pd.DataFrame(rows, columns).T.round(1).to_string())
    print(f"{len(pairs)} pairs of phases")
