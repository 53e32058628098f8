"""Figures of whole runs: ZSSAR and GZSSAR tables, curves, confusions and the report."""

import numpy as np
import pandas as pd

from msf_kedro.zero_shot import metrics
from msf_kedro.zero_shot.protocols import best_class, class_columns
from msf_kedro.zero_shot.splits import ZSSAR_TEST

RUN = ["protocol", "gate", "seed"]
FIGURES = ("zssar_accuracy", "acc_seen", "acc_unseen", "harmonic_mean")
SOURCES = ("paper", "released log")


def zssar_results(probs: pd.DataFrame, roles: pd.DataFrame, cycles: pd.DataFrame) -> pd.DataFrame:
    """ZSSAR figures, a row per protocol and seed: unseen test clips among unseen classes."""
    tested = (roles.side == "unseen") & roles.part.isin(ZSSAR_TEST)
    clips = roles[tested].set_index("name").action
    rows = []
    for choice in cycles[cycles.phase == "test"].itertuples():
        mine = probs[(probs.seed == choice.seed) & (probs.cycle == choice.cycle)]
        mine = mine[mine.name.isin(clips.index)]
        target, predicted = mine.name.map(clips).to_numpy(), best_class(mine).to_numpy()
        rows.append(
            {
                "protocol": choice.protocol,
                "seed": choice.seed,
                "cycle": choice.cycle,
                "accuracy": metrics.accuracy(target, predicted),
                "accuracy_per_class": metrics.accuracy_per_class(target, predicted),
                "chance": 1 / len(class_columns(mine)),
            }
        )
    return pd.DataFrame(rows)


def gzssar_results(predictions: pd.DataFrame) -> pd.DataFrame:
    """GZSSAR figures, a row per protocol, gate and seed."""
    rows = [
        dict(zip(RUN, key, strict=True)) | _gzssar_figures(run)
        for key, run in predictions.groupby(RUN, sort=False)
    ]
    return pd.DataFrame(rows)


def tradeoff_curves(predictions: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on seen and on unseen clips at every threshold of every gate."""
    curves = []
    for key, run in predictions.groupby(RUN, sort=False):
        names = ("threshold", "acc_seen", "acc_unseen")
        curve = pd.DataFrame(dict(zip(names, _curve(run), strict=True)))
        curves.append(curve.assign(**dict(zip(RUN, key, strict=True))))
    return pd.concat(curves, ignore_index=True)


def confusion(predictions: pd.DataFrame) -> pd.DataFrame:
    """How many clips of a class were taken for which, summed over seeds; long form, no zeros."""
    keys = ["protocol", "gate", "action", "predicted"]
    return predictions.groupby(keys, sort=True).size().rename("clips").reset_index()


def per_class(predictions: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """Accuracy of every class, with and without the gate, averaged over seeds."""
    right = predictions.assign(
        gzssar_accuracy=predictions.predicted == predictions.action,
        gate_accuracy=predictions.called_seen == (predictions.side == "seen"),
        classifier_accuracy=_own_prediction(predictions) == predictions.action,
    )
    figures = ["gzssar_accuracy", "gate_accuracy", "classifier_accuracy"]
    table = right.groupby(["protocol", "gate", "side", "action"])[figures].mean().reset_index()
    table.insert(4, "label", table.action.map(labels))
    return table


def report(run: dict, zssar: pd.DataFrame, gzssar: pd.DataFrame, gate_kind: str) -> dict:
    """The report: for each protocol means, standard deviations and values over seeds.

    `gzssar` holds the figures of the configured gate, `gates` those of every gate.
    """
    result = {"run": run}
    for protocol, table in zssar.groupby("protocol", sort=False):
        mine = gzssar[gzssar.protocol == protocol]
        gates = {kind: _summaries(rows, RUN) for kind, rows in mine.groupby("gate", sort=False)}
        figures = _summaries(table, ["protocol", "seed", "cycle"])
        result[protocol] = {
            "chance": figures.pop("chance"),
            "zssar": figures,
            "gzssar": gates[gate_kind],
            "gates": gates,
        }
    return result


def comparison(
    zssar: pd.DataFrame, gzssar: pd.DataFrame, published: dict, texts: str, encoder: str
) -> pd.DataFrame:
    """The run's mean figures beside the published ones of the same texts and encoder, in percent.

    Args:
        published: source (`paper`, `released log`) → method → encoder → texts → `FIGURES`.

    Returns:
        A row per protocol, gate and figure: `mean`, `std` (over seeds), then for each source the
        published figure and the run's difference from it; NaN where nothing is published.
    """
    unknown = [float("nan")] * len(FIGURES)
    anchors = {
        source: published.get(source, {}).get("msf", {}).get(encoder, {}).get(texts, unknown)
        for source in SOURCES
    }
    rows = []
    for (protocol, gate), run in gzssar.groupby(["protocol", "gate"], sort=False):
        run = run.assign(zssar_accuracy=zssar.accuracy[zssar.protocol == protocol].to_numpy())
        for place, name in enumerate(FIGURES):
            spread = metrics.summarise((100 * run[name]).tolist())
            row = {"protocol": protocol, "gate": gate, "figure": name}
            row |= {"mean": spread["mean"], "std": spread["std"]}
            for source, figures in anchors.items():
                row |= {source: figures[place], f"minus {source}": row["mean"] - figures[place]}
            rows.append(row)
    return pd.DataFrame(rows)


def results_table(zssar: pd.DataFrame, gzssar: pd.DataFrame | None = None) -> str:
    """The run's figures as text, in percent, mean ± standard deviation over seeds."""
    table = zssar.groupby("protocol", sort=False)[["accuracy", "chance"]].agg(_spread)
    table.columns = ["ZSSAR", "chance"]
    if gzssar is not None:
        columns = {
            "acc_seen": "Acc_s",
            "acc_unseen": "Acc_u",
            "harmonic_mean": "H",
            "harmonic_mean_perfect_gate": "H perfect gate",
            "gate_accuracy": "gate accuracy",
            "ausuc": "AUSUC",
        }
        figures = gzssar.groupby(["protocol", "gate"], sort=False)[list(columns)].agg(_spread)
        table = table.join(figures.rename(columns=columns), how="right")
    return table.reset_index().to_string(index=False)


def _spread(values: pd.Series) -> str:
    return "{mean:.1%} ± {std:.1%}".format(**metrics.summarise(values.tolist()))


def _gzssar_figures(run: pd.DataFrame) -> dict[str, float]:
    """Figures of one protocol, gate and seed; accuracies per sample and, so named, per class."""
    seen, unseen = run[run.side == "seen"], run[run.side == "unseen"]
    figures = {}
    for suffix, measure in (
        ("", metrics.accuracy),
        ("_per_class", metrics.accuracy_per_class),
    ):
        acc_seen, acc_unseen = (
            measure(part.action.to_numpy(), part.predicted.to_numpy()) for part in (seen, unseen)
        )
        figures[f"acc_seen{suffix}"] = acc_seen
        figures[f"acc_unseen{suffix}"] = acc_unseen
        figures[f"harmonic_mean{suffix}"] = float(metrics.harmonic_mean(acc_seen, acc_unseen))
    seen_classifier = metrics.accuracy(seen.action.to_numpy(), seen.seen_prediction.to_numpy())
    unseen_classifier = metrics.accuracy(
        unseen.action.to_numpy(), unseen.unseen_prediction.to_numpy()
    )
    _, acc_seen, acc_unseen = _curve(run)
    return figures | {
        "gate_accuracy": float((run.called_seen == (run.side == "seen")).mean()),
        "seen_classifier_accuracy": seen_classifier,
        "harmonic_mean_perfect_gate": float(
            metrics.harmonic_mean(seen_classifier, unseen_classifier)
        ),
        "ausuc": metrics.ausuc(acc_seen, acc_unseen),
    }


def _curve(run: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return metrics.tradeoff_curve(
        run.score.to_numpy(),
        run.side.eq("seen").to_numpy(dtype=bool),
        run.seen_prediction.eq(run.action).to_numpy(dtype=bool),
        run.unseen_prediction.eq(run.action).to_numpy(dtype=bool),
    )


def _own_prediction(predictions: pd.DataFrame) -> pd.Series:
    """What the classifier of the clip's own side said, as under a perfect gate."""
    return predictions.seen_prediction.where(
        predictions.side == "seen", predictions.unseen_prediction
    )


def _summaries(table: pd.DataFrame, keys: list[str]) -> dict[str, dict]:
    figures = table.drop(columns=[key for key in keys if key in table])
    return {name: metrics.summarise(figures[name].tolist()) for name in figures}
