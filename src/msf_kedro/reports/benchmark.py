"""What is compared, and the figures of each cell: method, texts, encoder and class split."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from msf_kedro.reports.evaluation import gzssar_results, zssar_results
from msf_kedro.texts.encoders import EncoderConfig, parse_texts

TEXT_KINDS = ("LB", "AD", "MD", "verb", "noun")
METHODS = ("msf", "ridge", "cada_vae", "synse", "revise", "jpose")
FREE_TEXTS = ("msf", "ridge")  # they take any text combination, the others their papers' texts


@dataclass(frozen=True)
class BenchmarkConfig:
    """What is compared.

    Attributes:
        methods: of `METHODS`.
        texts: text combinations for the methods that take any.
        encoders: name → fields of `EncoderConfig`; the name is the benchmark's `encoder` column.
    """

    methods: list[str]
    texts: list[str]
    encoders: dict

    def __post_init__(self):
        for name, values, known in (
            ("methods", self.methods, METHODS),
            ("texts", self.texts, None),
            ("encoders", list(self.encoders), None),
        ):
            if not values or len(set(values)) < len(values):
                raise ValueError(f"benchmark.{name} is {values}, expected some, each once")
            if known and not set(values) <= set(known):
                raise ValueError(f"benchmark.{name} is {values}, expected some of {known}")
        for texts in self.texts:
            parse_texts(texts)
        for name in self.encoders:
            if not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(
                    f"benchmark.encoders: {name!r} becomes a part of paths; expected letters,"
                    " digits and -"
                )
            self.encoder(name)

    def encoder(self, name: str) -> EncoderConfig:
        return EncoderConfig(**self.encoders[name])


@dataclass(frozen=True)
class Cell:
    """One cell of the benchmark, all seeds together.

    Attributes:
        kinds: the text kinds that its method gets.
    """

    method: str
    split: str
    encoder: str
    kinds: tuple[str, ...]

    @property
    def texts(self) -> str:
        return "+".join(kind for kind in TEXT_KINDS if kind in self.kinds)

    @property
    def keys(self) -> dict[str, str]:
        """The columns that name the cell."""
        keys = ("method", "texts", "encoder", "split")
        return {key: getattr(self, key) for key in keys}

    def __str__(self) -> str:
        return f"{self.method} {self.texts} {self.encoder} {self.split}"


def cell_results(
    cell: Cell,
    unseen_probs: pd.DataFrame,
    roles: pd.DataFrame,
    cycles: pd.DataFrame,
    predictions: pd.DataFrame,
    fit_seconds: float,
) -> pd.DataFrame:
    """The figures of a cell's runs, a row per protocol, gate and seed; accuracies as fractions.

    Args:
        unseen_probs: of the test phase.
        fit_seconds: of one seed, both phases together.
    """
    zssar = zssar_results(unseen_probs, roles, cycles)
    zssar = zssar.rename(
        columns={
            "accuracy": "zssar_accuracy",
            "accuracy_per_class": "zssar_accuracy_per_class",
        }
    ).drop(columns="cycle")
    table = gzssar_results(predictions).merge(zssar, on=["protocol", "seed"])
    return pd.DataFrame(cell.keys, index=table.index).join(table).assign(fit_seconds=fit_seconds)


def cell_outcomes(cell: Cell, predictions: pd.DataFrame) -> pd.DataFrame:
    """What became of each test clip, a row each: `right.<protocol>.<gate>.<seed>` says whether the
    final decision is right, `own.<protocol>.<seed>` whether the classifier of its side is."""
    columns = {}
    for (protocol, gate, seed), run in predictions.groupby(["protocol", "gate", "seed"]):
        own = run.seen_prediction.where(run.side == "seen", run.unseen_prediction)
        columns[f"own.{protocol}.{seed}"] = (own == run.action).to_numpy()
        columns[f"right.{protocol}.{gate}.{seed}"] = (run.predicted == run.action).to_numpy()
        clips = run[["name", "action", "side"]]
    outcomes = pd.DataFrame(columns | cell.keys, index=np.arange(len(clips)))
    outcomes = clips.reset_index(drop=True).join(outcomes)
    keys = list(cell.keys)
    return outcomes[[*keys, *(column for column in outcomes if column not in keys)]]


def summary(results: pd.DataFrame, protocol: str, gate: str) -> str:
    """Means over seeds and splits as text, percent, best ZSSAR first."""
    mine = results[(results.protocol == protocol) & (results.gate == gate)]
    columns = {
        "zssar_accuracy": "ZSSAR",
        "acc_seen": "Acc_s",
        "acc_unseen": "Acc_u",
        "harmonic_mean": "H",
        "harmonic_mean_perfect_gate": "H perfect gate",
        "ausuc": "AUSUC",
    }
    table = mine.groupby(["method", "texts", "encoder"])[[*columns, "fit_seconds"]].mean()
    table[list(columns)] = (100 * table[list(columns)]).round(1)
    table["fit_seconds"] = table.fit_seconds.round(2)
    table = table.sort_values("zssar_accuracy", ascending=False).rename(columns=columns)
    return table.reset_index().to_string(index=False)
