"""Figures of whole runs: ZSSAR and GZSSAR tables, curves, confusions and the report."""

import numpy as np
import pandas as pd

from msf_kedro.joins import rows_of
from msf_kedro.reports import wording
from msf_kedro.reports.published import FIGURES, SOURCES, published_figures, same_texts
from msf_kedro.zero_shot import metrics
from msf_kedro.zero_shot.protocols import best_class
from msf_kedro.zero_shot.splits import ZSSAR_TEST

RUN = ["protocol", "gate", "seed"]
# What is shown of a run, in this order.
RESULTS = (
    *("zssar_accuracy", "seen_classifier_accuracy", *FIGURES[1:]),
    *("harmonic_mean_perfect_gate", "gate_accuracy", "ausuc"),
)


def zssar_results(
    probs: pd.DataFrame, roles: pd.DataFrame, candidates: pd.DataFrame
) -> pd.DataFrame:
    """ZSSAR figures, a row per protocol and seed: unseen test clips among unseen classes.

    Args:
        probs: probabilities over the unseen classes, a column each; by candidate, seed and name.
        roles: `name`, `class_id`, `side` and `part` of the test phase's clips.
        candidates: which candidate each protocol, phase and seed chose.

    Raises:
        ValueError: a test clip has no probabilities.
    """
    tested = (roles.side == "unseen") & roles.part.isin(ZSSAR_TEST)
    targets = roles[tested].set_index("name").class_id
    keys = ["protocol", "seed", "candidate"]
    rows = []
    for key in candidates.loc[candidates.phase == "test", keys].itertuples(index=False, name=None):
        _, seed, candidate = key
        mine = probs.xs((candidate, seed), level=("candidate", "seed"))
        mine = rows_of(mine, targets.index, f"probabilities of candidate {candidate}, seed {seed}")
        both = targets.to_numpy(), best_class(mine)
        accuracies = metrics.accuracy(*both), metrics.accuracy_per_class(*both)
        rows.append((*key, *accuracies, 1 / len(mine.columns)))
    return pd.DataFrame(rows, columns=[*keys, "accuracy", "accuracy_per_class", "chance"])


def gzssar_results(predictions: pd.DataFrame) -> pd.DataFrame:
    """GZSSAR figures, a row per protocol, gate and seed."""
    runs = {key: _gzssar_figures(run) for key, run in predictions.groupby(RUN, sort=False)}
    return pd.DataFrame(runs).T.rename_axis(RUN).reset_index()


def tradeoff_curves(predictions: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on seen and on unseen clips at every threshold of every gate."""
    names = ["threshold", "acc_seen", "acc_unseen"]
    runs = predictions.groupby(RUN, sort=False)
    curves = {key: pd.DataFrame(dict(zip(names, _curve(run), strict=True))) for key, run in runs}
    return pd.concat(curves, names=RUN).reset_index(RUN)[[*names, *RUN]].reset_index(drop=True)


def confusion(predictions: pd.DataFrame) -> pd.DataFrame:
    """How many clips of a class were taken for which, summed over seeds; long form, no zeros."""
    keys = ["protocol", "gate", "class_id", "predicted"]
    return predictions.groupby(keys, sort=True).size().rename("clips").reset_index()


def per_class(predictions: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """Accuracy of every class, with and without the gate, averaged over seeds.

    Args:
        labels: of the classes, by class_id.

    Raises:
        ValueError: a class has no label.
    """
    keys = ["protocol", "gate", "side", "class_id"]
    table = _right(predictions).groupby([predictions[key] for key in keys]).mean().reset_index()
    if missing := sorted(set(table.class_id) - set(labels.index)):
        raise ValueError(f"classes {missing} of the predictions have no label in the class texts")
    table.insert(4, "label", table.class_id.map(labels))
    return table


def report(run: dict, zssar: pd.DataFrame, gzssar: pd.DataFrame, gate_kind: str) -> dict:
    """The report: for each protocol means, standard deviations and values over seeds.

    `gzssar` holds the figures of the configured gate, `gates` those of every gate.
    """
    result = {"run": run}
    for protocol, table in zssar.groupby("protocol", sort=False):
        mine = gzssar[gzssar.protocol == protocol]
        gates = {kind: _summaries(rows, RUN) for kind, rows in mine.groupby("gate", sort=False)}
        figures = _summaries(table, ["protocol", "seed", "candidate"])
        result[protocol] = {
            "chance": figures.pop("chance"),
            "zssar": figures,
            "gzssar": gates[gate_kind],
            "gates": gates,
        }
    return result


def comparison(
    zssar: pd.DataFrame, gzssar: pd.DataFrame, published: pd.DataFrame, cell: dict[str, str]
) -> pd.DataFrame:
    """The run's mean figures beside the published ones of the same cell, in percent.

    Args:
        published: as `published.check` wants it.
        cell: study, split, method, texts and encoder.

    Returns:
        A row per protocol, gate and figure: `mean`, `std` (over seeds), then for each source the
        published figure and the run's difference from it; NaN where nothing is published.
    """
    cell = cell | {"texts": same_texts(cell["texts"])}
    known = published_figures(published)
    mine = known[(known[list(cell)] == pd.Series(cell)).all(axis=1)]
    accuracies = zssar[["protocol", "seed", "accuracy"]].rename(columns={"accuracy": FIGURES[0]})
    runs = gzssar.merge(accuracies, how="left").groupby(RUN[:2], sort=False)
    table = runs[list(FIGURES)].agg(["mean", "std"]).mul(100).stack(0, future_stack=True)
    table = table.rename_axis([*RUN[:2], "figure"]).fillna({"std": 0.0}).reset_index()
    for source in SOURCES:
        figures = mine[mine.source == source].set_index("figure").value
        table[source] = table.figure.map(figures).astype(float)
        table[f"minus {source}"] = table["mean"] - table[source]
    return table


def results_table(runs: dict[str, tuple[pd.DataFrame, ...]]) -> str:
    """Figures as text, in percent, mean ± standard deviation over seeds.

    Args:
        runs: method → figures, see `zssar_results` and, where there is a gate, `gzssar_results`.
    """
    tables = pd.concat({method: _results(*figures) for method, figures in runs.items()})
    table = tables.reset_index(level=0, names="method").reset_index(drop=True)
    return (table if len(runs) > 1 else table.drop(columns="method")).to_string(index=False)


def _results(zssar: pd.DataFrame, gzssar: pd.DataFrame | None = None) -> pd.DataFrame:
    """A row per protocol and gate."""
    table = zssar.groupby("protocol", sort=False)[["accuracy", "chance"]].agg(_spread)
    table.columns = ["ZSSAR", "chance"]
    if gzssar is not None:
        names = {figure: wording.FIGURES[figure] for figure in RESULTS[1:]}
        figures = gzssar.groupby(["protocol", "gate"], sort=False)[list(names)].agg(_spread)
        table = table.join(figures.rename(columns=names), how="right")
    return table.reset_index()


def _spread(values: pd.Series) -> str:
    found = metrics.summarise((100 * values).tolist())
    return "{mean:.1f} ± {std:.1f}".format(**found)


def _right(predictions: pd.DataFrame) -> pd.DataFrame:
    """Whether each clip's final decision, gate and own side's classifier are right."""
    is_seen = predictions.side == "seen"
    own = predictions.seen_prediction.where(is_seen, predictions.unseen_prediction)
    return pd.DataFrame(
        {
            "gzssar_accuracy": predictions.predicted == predictions.class_id,
            "gate_accuracy": predictions.called_seen == is_seen,
            "classifier_accuracy": own == predictions.class_id,
        }
    )


def _gzssar_figures(run: pd.DataFrame) -> dict[str, float]:
    """Figures of one protocol, gate and seed; accuracies per sample and, so named, per class."""
    right, sides = _right(run), ["seen", "unseen"]
    by_side = right.groupby(run.side).mean().reindex(sides)
    by_class = right.groupby([run.side, run.class_id]).mean().groupby("side").mean().reindex(sides)
    figures = {}
    for suffix, table in (("", by_side), ("_per_class", by_class)):
        accuracy = table.gzssar_accuracy
        figures |= {f"acc_{side}{suffix}": accuracy[side] for side in sides}
        figures[f"harmonic_mean{suffix}"] = metrics.harmonic_mean(*accuracy)
    _, acc_seen, acc_unseen = _curve(run)
    return figures | {
        "gate_accuracy": right.gate_accuracy.mean(),
        "seen_classifier_accuracy": by_side.classifier_accuracy["seen"],
        "harmonic_mean_perfect_gate": metrics.harmonic_mean(*by_side.classifier_accuracy),
        "ausuc": metrics.ausuc(acc_seen, acc_unseen),
    }


def _curve(run: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return metrics.tradeoff_curve(
        run.score.to_numpy(),
        run.side.eq("seen").to_numpy(dtype=bool),
        run.seen_prediction.eq(run.class_id).to_numpy(dtype=bool),
        run.unseen_prediction.eq(run.class_id).to_numpy(dtype=bool),
    )


def _summaries(table: pd.DataFrame, keys: list[str]) -> dict[str, dict]:
    figures = table.drop(columns=keys, errors="ignore")
    return {name: metrics.summarise(figures[name].tolist()) for name in figures}
