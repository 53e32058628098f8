"""A run's tables as charts, each an SVG that stands alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from msf_kedro.drawings.charts.curve import Curve, curve_chart
from msf_kedro.drawings.charts.histogram import histogram_chart
from msf_kedro.drawings.charts.matrix import matrix_chart
from msf_kedro.drawings.charts.panels import Panel, panels_chart
from msf_kedro.drawings.charts.scatter import Cloud, scatter_chart
from msf_kedro.joins import rows_of
from msf_kedro.methods.contract.fitted import Classifier, Latents
from msf_kedro.reports.shown import Classes, Shown
from msf_kedro.zero_shot.splits import GZSSAR_TEST

DRAWN = 80  # generated latents of a class that are drawn, and clips


def tradeoff(shown: Shown, curves: pd.DataFrame, gzssar: pd.DataFrame) -> str:
    """The seen-unseen curves of all seeds, with the operating points."""
    points = shown.rows(gzssar).set_index("seed")
    drawn = [
        Curve(
            *(100.0 * run[side].to_numpy() for side in ("acc_seen", "acc_unseen")),
            (float(100 * points.acc_seen[seed]), float(100 * points.acc_unseen[seed])),
        )
        for seed, run in shown.rows(curves).groupby("seed")
    ]
    mean = points[["acc_seen", "acc_unseen", "ausuc"]].mean() * 100
    told = (
        f"Accuracy on unseen against accuracy on seen clips, {shown.of()}: at the gate's threshold"
        f" {mean.acc_unseen:.1f} and {mean.acc_seen:.1f} percent, area {mean.ausuc:.1f} percent"
    )
    return curve_chart(drawn, told)


def gate_scores(shown: Shown, predictions: pd.DataFrame, gates: pd.DataFrame) -> str:
    """Histograms of the gate's score, all seeds together."""
    mine, fitted = shown.rows(predictions), shown.rows(gates)
    seen = mine.side == "seen"
    told = (
        f"Histograms of the gate's score, {shown.of()}: the median of seen clips is"
        f" {mine.score[seen].median():.2f}, of unseen ones {mine.score[~seen].median():.2f},"
        f" the threshold {fitted.threshold.mean():.2f}"
    )
    return histogram_chart(
        mine.score[seen].tolist(), mine.score[~seen].tolist(), fitted.threshold.tolist(), told
    )


def confusion(shown: Shown, table: pd.DataFrame, classes: Classes) -> str:
    """What the clips of every class were taken for, percent of the class's clips."""
    mine = shown.rows(table).pivot_table(
        index="class_id", columns="predicted", values="clips", aggfunc="sum", fill_value=0
    )
    order = [*classes.seen, *classes.unseen]
    mine = mine.reindex(index=[n for n in order if n in mine.index], columns=order, fill_value=0)
    shares = 100 * mine.to_numpy() / mine.to_numpy().sum(axis=1, keepdims=True)
    names = [[classes.labels[n] for n in axis] for axis in (mine.index, mine.columns)]
    seen = sum(n in classes.seen for n in mine.index), len(classes.seen)
    told = (
        f"Confusion matrix, {shown.of()}: {len(mine)} true classes in rows, what their test clips"
        " were taken for in columns; the table of classes has the accuracies"
    )
    return matrix_chart(shares, *names, seen, told)


def latent_map(
    shown: Shown,
    latents: Latents,
    classifier: Classifier,
    candidates: pd.DataFrame,
    features: pd.DataFrame,
    roles: pd.DataFrame,
    classes: Classes,
) -> str:
    """Latents of the unseen classes' texts and of their test clips, in two principal axes.

    By the model of the first seed.
    """
    chosen = shown.first(candidates[candidates.phase == "test"]).iloc[0]
    place = int(chosen.candidate) - 1, classifier.seeds.index(int(chosen.seed))
    clips = roles[(roles.side == "unseen") & roles.part.isin(GZSSAR_TEST)]
    rows = torch.tensor(
        rows_of(classifier.fitted.reads(features), clips.name, "features").to_numpy(dtype="float32")
    )
    real = classifier.fitted.project(rows, place[0])[place[1]].numpy()
    drawn = latents.values[place].numpy()[:, :DRAWN]
    flat = principal(np.concatenate([drawn.reshape(-1, drawn.shape[-1]), real]))
    generated = flat[: len(drawn) * drawn.shape[1]].reshape(*drawn.shape[:2], 2)
    recorded = flat[len(drawn) * drawn.shape[1] :]
    clouds = []
    for n, class_id in enumerate(latents.class_ids):
        own = recorded[clips.class_id.to_numpy() == class_id][:DRAWN]
        clouds.append(Cloud(classes.unseen.get(class_id, str(class_id)), generated[n], own))
    told = (
        f"Map of the latent space: {len(clouds)} unseen classes' latents from texts beside"
        f" {len(clips)} test clips', in two principal axes"
    )
    return scatter_chart(clouds, told)


def principal(points: np.ndarray) -> np.ndarray:
    """Points in their two principal axes, `(n, 2)`; the larger loading of each axis is positive."""
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = np.pad(axes[:2], ((0, max(0, 2 - len(axes))), (0, 0)))
    largest = np.abs(axes).argmax(axis=1)
    signs = np.sign(axes[np.arange(2), largest])
    return centred @ (axes * np.where(signs == 0, 1, signs)[:, None]).T


def trainings(phase: str, histories: Mapping[str, pd.DataFrame]) -> str:
    """How the trainings of a phase went: accuracy where it was watched, else the loss.

    Args:
        histories: name → a row an epoch; a training without epochs is left out.
    """
    drawn = {name: table for name, table in histories.items() if "loss" in table and len(table)}
    panels = [_training(name, table) for name, table in drawn.items()]
    ends = [
        f"{name}: {100 * table.accuracy.iloc[-1]:.0f} percent right"
        for name, table in drawn.items()
        if "accuracy" in table
    ]
    told = f"Trainings of the {phase} phase, at their ends {', '.join(ends) or 'losses only'}"
    return panels_chart(panels, told)


def _training(name: str, table: pd.DataFrame) -> Panel:
    epochs = table.epoch.tolist()
    if "accuracy" not in table:
        return Panel(name, "cycle", "loss", {"seen": ("loss", epochs, table.loss.tolist())})
    lines: dict[str, Any] = {"seen": ("training", epochs, (100 * table.accuracy).tolist())}
    if "held_out_accuracy" in table:
        held_out = (100 * table.held_out_accuracy).tolist()
        lines["unseen"] = ("held-out", epochs, held_out)
    return Panel(name, "epoch", "accuracy, %", lines, 100)
