"""What is compared, and the figures of each cell: method, texts, encoder and class split."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from msf_kedro.methods import METHODS
from msf_kedro.reports.evaluation import RESULTS
from msf_kedro.reports.wording import FIGURES
from msf_kedro.texts.fusion import parse_texts

KEYS = ("method", "texts", "encoder", "split")
FEATURES = ("clips", "released")
SEPARATORS = {"methods": "+", "texts": "/", "encoders": "+", "splits": "+"}


@dataclass(frozen=True)
class BenchmarkConfig:
    """What is compared; every field may be one string too: `msf+ridge`, texts `LB/LB+AD+MD`.

    Attributes:
        methods: names of methods.
        texts: text combinations, for the methods whose papers do not say which.
        encoders: names of text encoders.
        splits: names of class splits; all of the study if empty.
        features: `clips` trains Shift-GCNs, `released` reads released features.
    """

    methods: list[str] | str
    texts: list[str] | str
    encoders: list[str] | str
    splits: list[str] | str | int  # an int is what the command line makes of 48_12
    features: str

    def __post_init__(self):
        for name, separator in SEPARATORS.items():
            values = getattr(self, name)
            if not isinstance(values, list):
                values = str(values).split(separator) if values else []
                object.__setattr__(self, name, values)
            if (not values and name != "splits") or len(set(values)) < len(values):
                raise ValueError(f"benchmark.{name} is {values}, expected some, each once")
        for texts in self.texts:
            parse_texts(texts)
        if self.features not in FEATURES:
            raise ValueError(f"benchmark.features is {self.features!r}, expected {FEATURES}")


@dataclass(frozen=True)
class Cell:
    """One cell of the benchmark, all seeds together."""

    method: str
    texts: str
    encoder: str
    split: str

    def __str__(self) -> str:
        return f"{self.split}.{self.method}.{self.encoder}.{self.texts}"


def cells(
    config: BenchmarkConfig, splits: list[str], encoders: list[str], method_texts: dict[str, str]
) -> list[Cell]:
    """All cells of a benchmark.

    Args:
        splits: the study's.
        encoders: the known ones.
        method_texts: the texts of methods whose papers say which.

    Raises:
        ValueError: a method, encoder or split is unknown.
    """
    for name, known in (("methods", METHODS), ("encoders", encoders), ("splits", splits)):
        unknown = sorted(set(getattr(config, name)) - set(known))
        if unknown:
            raise ValueError(f"benchmark.{name}: unknown {unknown}; known are {list(known)}")
    return [
        Cell(method, texts, encoder, split)
        for split in config.splits or splits
        for method in config.methods
        for encoder in config.encoders
        for texts in ([method_texts[method]] if method in method_texts else config.texts)
    ]


def cell_results(
    cell: Cell, zssar: pd.DataFrame, gzssar: pd.DataFrame, histories: list[pd.DataFrame]
) -> pd.DataFrame:
    """The figures of a cell's runs, a row per protocol, gate and seed; accuracies as fractions.

    Args:
        zssar: figures per protocol and seed.
        gzssar: figures per protocol, gate and seed.
        histories: of all trainings of the cell; `fit_seconds` is their time for one seed.
    """
    seconds = sum(history.seconds.sum() for history in histories) / zssar.seed.nunique()
    names = {name: f"zssar_{name}" for name in ("accuracy", "accuracy_per_class")}
    zssar = zssar.rename(columns=names).drop(columns="candidate")
    table = gzssar.merge(zssar, on=["protocol", "seed"], validate="many_to_one")
    return table.assign(**vars(cell), fit_seconds=seconds)


def cell_outcomes(cell: Cell, predictions: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """What became of each test clip, a row each.

    Args:
        labels: of classes, by class id.

    Returns:
        `KEYS`, `name`, `class_id`, `label`, `side`; `right.<protocol>.<gate>.<seed>` says whether
        the final decision is right, `own.<protocol>.<seed>` whether the classifier of the clip's
        own side is.
    """
    columns = {}
    for (protocol, gate, seed), run in predictions.groupby(["protocol", "gate", "seed"]):
        run = run.set_index("name")
        own = np.where(run.side == "seen", run.seen_prediction, run.unseen_prediction)
        columns[f"own.{protocol}.{seed}"] = own == run.class_id
        columns[f"right.{protocol}.{gate}.{seed}"] = run.predicted == run.class_id
    clips = predictions[["name", "class_id", "side"]].drop_duplicates()
    clips = clips.assign(**vars(cell), label=clips.class_id.map(labels))
    ordered = clips[[*KEYS, "name", "class_id", "label", "side"]]
    return ordered.join(pd.DataFrame(columns), on="name")


def summary(results: pd.DataFrame, protocol: str, gate: str) -> str:
    """Means over seeds and splits as text, percent, best ZSSAR first."""
    mine = results[(results.protocol == protocol) & (results.gate == gate)]
    figures = list(RESULTS)
    table = mine.groupby(["method", "texts", "encoder"])[[*figures, "fit_seconds"]].mean()
    table[figures] = (100 * table[figures]).round(1)
    table["fit_seconds"] = table.fit_seconds.round(2)
    table = table.sort_values("zssar_accuracy", ascending=False).reset_index()
    names = {figure: FIGURES[figure] for figure in RESULTS}
    return table.rename(columns=names).to_string(index=False)
