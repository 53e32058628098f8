"""Made-up benchmarks: outcomes drawn at random, and the figures that follow from them."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from msf_kedro.reports.comparisons import CELL

TEXTS = ("LB", "AD", "MD", "AD+MD", "LB+AD+MD")
BASELINES = (("revise", "LB"), ("jpose", "verb+noun"), ("cada_vae", "LB"), ("synse", "verb+noun"))
ALL = [(method, texts) for method in ("msf", "ridge") for texts in TEXTS] + list(BASELINES)
PROTOCOLS, GATES = ("strict", "paper"), ("threshold", "logistic")


def outcomes(
    skill, cells=ALL, encoders=("MiniLM",), splits=1, seeds=3, clips=(40, 60), root=0
) -> pd.DataFrame:
    """Outcomes of test clips; `skill(method, texts, split)` is the chance that a clip is right.

    Clips differ in difficulty, so that cells agree about clips more often than by chance.

    Args:
        splits: how many, or their names.
        clips: how many are unseen, how many seen.
    """
    generator = np.random.default_rng(root)
    parts = []
    names = [f"split_{n}" for n in range(1, splits + 1)] if isinstance(splits, int) else splits
    for split, split_name in enumerate(names):
        count = sum(clips)
        table = pd.DataFrame({"name": [f"clip_{split}_{place}" for place in range(count)]})
        table["side"] = np.repeat(["unseen", "seen"], clips)
        table["class_id"] = 1 + np.arange(count) % 5 + np.where(table.side == "seen", 5, 0)
        table["label"] = "act " + table.class_id.astype(str)
        difficulty = generator.normal(scale=0.2, size=count)
        for (method, texts), encoder in product(cells, encoders):
            own = {}
            for protocol, seed in product(PROTOCOLS, range(seeds)):
                chance = skill(method, texts, split) + difficulty
                own[f"own.{protocol}.{seed}"] = generator.random(count) < chance
                for gate in GATES:
                    passed = generator.random(count) < 0.8
                    right = own[f"own.{protocol}.{seed}"] & passed
                    own[f"right.{protocol}.{gate}.{seed}"] = right
            keys = {"method": method, "texts": texts, "encoder": encoder}
            parts.append(table.assign(**keys, split=split_name, **own))
    return pd.concat(parts, ignore_index=True)


def benchmark(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The benchmark table that belongs to outcomes; what they do not determine is made up."""
    rows = []
    for key, table in outcomes.groupby([*CELL, "split"], sort=False):
        unseen, seen = (table[table.side == side] for side in ("unseen", "seen"))
        for name in (n for n in table if n.startswith("right.")):
            _, protocol, gate, seed = name.split(".")
            own = f"own.{protocol}.{seed}"
            s, u = seen[name].mean(), unseen[name].mean()
            perfect = [part[own].mean() for part in (seen, unseen)]
            row = dict(zip([*CELL, "split"], key, strict=True))
            row |= {"seed": int(seed), "protocol": protocol, "gate": gate}
            row |= {"zssar_accuracy": unseen[own].mean(), "acc_seen": s, "acc_unseen": u}
            row |= {"harmonic_mean": harmonic(s, u)}
            row |= {"harmonic_mean_perfect_gate": harmonic(*perfect)}
            row |= {"seen_classifier_accuracy": perfect[0]}
            row |= {"ausuc": s * u, "gate_accuracy": 0.8, "chance": 0.2}
            per_class = ("zssar_accuracy", "acc_seen", "acc_unseen", "harmonic_mean")
            row |= {f"{figure}_per_class": row[figure] - 0.01 for figure in per_class}
            rows.append(row | {"fit_seconds": 1.0 + len(key[0]) + int(seed)})
    return pd.DataFrame(rows)


def harmonic(seen: float, unseen: float) -> float:
    return 2 * seen * unseen / (seen + unseen) if seen + unseen else 0.0


def better_with_more_texts(method: str, texts: str, split: int) -> float:
    """A plausible order of methods and texts."""
    skill = {"LB": 0.45, "AD": 0.5, "MD": 0.6, "AD+MD": 0.62, "LB+AD+MD": 0.65}
    base = {"msf": 0.0, "ridge": 0.05, "revise": -0.1, "jpose": 0.0, "cada_vae": 0.05}
    return skill.get(texts, 0.5) + base.get(method, 0.0) + 0.05 * (split % 3 - 1)


def save(root: Path, study: str, tables: dict, version: str) -> None:
    """Write a study's tables as a run of its benchmark would."""
    for name, table in tables.items():
        file = root / "08_reporting" / study / f"{name}.parquet" / version / f"{name}.parquet"
        file.parent.mkdir(parents=True)
        table.to_parquet(file, index=False)
