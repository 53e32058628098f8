"""Nodes of the benchmark: what `alignment` does for MSF, for every method behind one contract."""

import logging
import time

import pandas as pd
import torch

from msf_kedro import runtime
from msf_kedro.methods import cada_vae, jpose, msf, revise, ridge, synse
from msf_kedro.methods.cada_vae import CadaVaeConfig
from msf_kedro.methods.contract.task import Scores, Task, choose_temperature
from msf_kedro.methods.jpose import JposeConfig
from msf_kedro.methods.msf import AlignmentConfig, UnseenClassifierConfig
from msf_kedro.methods.revise import ReviseConfig
from msf_kedro.methods.ridge import RidgeConfig
from msf_kedro.reports import benchmark
from msf_kedro.reports.benchmark import BenchmarkConfig, Cell
from msf_kedro.tables import to_matrix, to_table
from msf_kedro.texts.encoders import TEXT_COLUMNS, check_class_texts, embed
from msf_kedro.zero_shot.gate import GateConfig
from msf_kedro.zero_shot.protocols import TRAINING_SUBJECTS, choose_cycles, chosen_runs, count_right
from msf_kedro.zero_shot.splits import scored_clips, seen_classes, trained_clips, unseen_classes

logger = logging.getLogger(__name__)
METHODS = {
    "msf": msf,
    "ridge": ridge,
    "cada_vae": cada_vae,
    "synse": synse,
    "revise": revise,
    "jpose": jpose,
}


def embed_all_texts(class_texts: pd.DataFrame, config: BenchmarkConfig) -> dict:
    """Every encoder's raw outputs for every text kind, and the classes of their rows."""
    check_class_texts(class_texts)
    columns = TEXT_COLUMNS | {"verb": "verb", "noun": "noun"}
    texts = [text for column in columns.values() for text in class_texts[column]]
    features = {}
    for name in config.encoders:
        parts = torch.from_numpy(embed(texts, config.encoder(name))).split(len(class_texts))
        features[name] = dict(zip(columns, map(torch.clone, parts), strict=True))
    return {"classes": class_texts.class_id.tolist(), "features": features}


def fit_vaes(
    features: pd.DataFrame,
    roles: pd.DataFrame,
    texts: dict,
    seeds: list,
    device: str,
    alignment: AlignmentConfig,
    unseen_classifier: UnseenClassifierConfig,
    *calibration_right: pd.DataFrame,
    cell: Cell,
) -> tuple:
    """MSF or SynSE on one phase; see `_fit`."""
    configs = (alignment, unseen_classifier)
    return _fit(cell, configs, features, roles, texts, seeds, device, calibration_right)


def fit_cada_vae(
    features: pd.DataFrame,
    roles: pd.DataFrame,
    texts: dict,
    seeds: list,
    device: str,
    alignment: AlignmentConfig,
    unseen_classifier: UnseenClassifierConfig,
    config: CadaVaeConfig,
    *calibration_right: pd.DataFrame,
    cell: Cell,
) -> tuple:
    """CADA-VAE on one phase; see `_fit`."""
    configs = (alignment, unseen_classifier, config)
    return _fit(cell, configs, features, roles, texts, seeds, device, calibration_right)


def fit_revise(
    features: pd.DataFrame,
    roles: pd.DataFrame,
    texts: dict,
    seeds: list,
    device: str,
    config: ReviseConfig,
    *calibration_right: pd.DataFrame,
    cell: Cell,
) -> tuple:
    """ReViSE on one phase; see `_fit`."""
    return _fit(cell, (config,), features, roles, texts, seeds, device, calibration_right)


def fit_jpose(
    features: pd.DataFrame,
    roles: pd.DataFrame,
    texts: dict,
    seeds: list,
    device: str,
    config: JposeConfig,
    *calibration_right: pd.DataFrame,
    cell: Cell,
) -> tuple:
    """JPoSE on one phase; see `_fit`."""
    return _fit(cell, (config,), features, roles, texts, seeds, device, calibration_right)


def fit_ridge(
    features: pd.DataFrame,
    roles: pd.DataFrame,
    texts: dict,
    seeds: list,
    device: str,
    config: RidgeConfig,
    *calibration_right: pd.DataFrame,
    cell: Cell,
) -> tuple:
    """Ridge regression on one phase; see `_fit`."""
    return _fit(cell, (config,), features, roles, texts, seeds, device, calibration_right)


def evaluate_cell(
    test_unseen_probs: pd.DataFrame,
    test_roles: pd.DataFrame,
    cycles: pd.DataFrame,
    predictions: pd.DataFrame,
    calibration_right: pd.DataFrame,
    test_right: pd.DataFrame,
    *,
    cell: Cell,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cell's figures, a row per run, and what became of each test clip."""
    seconds = sum(right.fit_seconds.iloc[0] for right in (calibration_right, test_right))
    results = benchmark.cell_results(
        cell, test_unseen_probs, test_roles, cycles, predictions, seconds
    )
    return results, benchmark.cell_outcomes(cell, predictions)


def join_cells(*tables: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Several figures and outcomes in one table each; first all figures, then all outcomes."""
    half = len(tables) // 2
    results, outcomes = tables[:half], tables[half:]
    return pd.concat(results, ignore_index=True), pd.concat(outcomes, ignore_index=True)


def join_histories(*histories: pd.DataFrame, networks: list[str]) -> pd.DataFrame:
    """The trainings of a split's Shift-GCNs in one table, a row per phase and stream and epoch."""
    named = zip(networks, histories, strict=True)
    tables = [history.assign(network=network) for network, history in named]
    return pd.concat(tables, ignore_index=True)


def collect(gate: GateConfig, *tables: pd.DataFrame) -> tuple:
    """All splits' figures and outcomes in one table each.

    `tables` are first all splits' figures, then all splits' outcomes.
    """
    results, outcomes = join_cells(*tables)
    for protocol in results.protocol.unique():
        logger.info(
            "%s, %s gate: means over %d seeds and %d splits, percent\n%s",
            *(protocol, gate.kind, results.seed.nunique(), results.split.nunique()),
            benchmark.summary(results, protocol, gate.kind),
        )
    return results, outcomes


def _fit(
    cell: Cell,
    configs: tuple,
    features: pd.DataFrame,
    roles: pd.DataFrame,
    texts: dict,
    seeds: list,
    device: str,
    calibration_right: tuple[pd.DataFrame, ...],
) -> tuple:
    """Fit a method on one phase, choose among its candidates, and score clips with the chosen.

    In the test phase `calibration_right` is what this gave first for the calibration phase.

    Returns:
        How many unseen clips of each part every candidate and seed has right, with the soft-max
        temperature and the seconds per seed; probabilities over the unseen classes of every clip
        that was not trained on, of the chosen candidates; in the test phase also the choice.
    """
    task, clips = _task(features, roles, texts, cell.encoder)
    started = time.perf_counter()
    run = METHODS[cell.method].scores
    scores = run(str(cell), task, cell.kinds, seeds, *configs, runtime.pick_device(device))
    seconds = (time.perf_counter() - started) / len(seeds)
    classes = unseen_classes(roles)
    right = _count(scores, seeds, clips, classes, *calibration_right).assign(fit_seconds=seconds)
    if calibration_right:
        cycles = choose_cycles({"calibration": calibration_right[0], "test": right})
        return right, _probs(scores, seeds, clips, classes, cycles, right, "test"), cycles
    cycles = choose_cycles({"calibration": right})
    return right, _probs(scores, seeds, clips, classes, cycles, right, "calibration")


def _task(
    features: pd.DataFrame, roles: pd.DataFrame, texts: dict, encoder: str
) -> tuple[Task, pd.DataFrame]:
    """The method's task and the roles of the clips that it scores."""
    trained, scored = trained_clips(roles), scored_clips(roles)
    seen, unseen = seen_classes(roles), unseen_classes(roles)
    matrix = torch.from_numpy(to_matrix(features, ["name"]))
    actions = torch.tensor(roles.action[trained].to_numpy(dtype="int64"))
    rows = {number: row for row, number in enumerate(texts["classes"])}
    kinds = texts["features"][encoder]
    task = Task(
        features=matrix[torch.tensor(trained)],
        labels=torch.searchsorted(torch.tensor(seen), actions),
        seen={kind: table[[rows[c] for c in seen]] for kind, table in kinds.items()},
        unseen={kind: table[[rows[c] for c in unseen]] for kind, table in kinds.items()},
        clips=matrix[torch.tensor(scored)],
    )
    return task, roles[scored].reset_index(drop=True)


def _count(
    scores: Scores,
    seeds: list,
    clips: pd.DataFrame,
    classes: list[int],
    *calibration_right: pd.DataFrame,
) -> pd.DataFrame:
    """Right unseen clips per candidate, seed and part, and the candidate's temperature.

    The temperature is chosen in the calibration phase, on clips of training subjects if it has
    some, and holds in the test phase.
    """
    unseen = clips[clips.side == "unseen"]
    judged = unseen.part.isin(TRAINING_SUBJECTS)
    judged = unseen[judged] if judged.any() else unseen
    places = {number: place for place, number in enumerate(classes)}
    labels = torch.tensor([places[action] for action in judged.action])
    rows, judged_rows = torch.tensor(unseen.index), torch.tensor(judged.index)
    known = _temperatures(*calibration_right).to_dict() if calibration_right else {}
    tables = []
    for cycle, candidate in enumerate(scores.candidates, 1):
        for replica, seed in enumerate(seeds):
            logits = scores.logits[cycle - 1, replica]
            temperature = known.get((cycle, seed)) or choose_temperature(
                logits[judged_rows], labels, scores.temperatures
            )
            counts = count_right(logits[rows].numpy(), classes, unseen)
            names = {"cycle": cycle, "candidate": candidate, "seed": seed}
            tables.append(counts.assign(**names, temperature=float(temperature)))
    return pd.concat(tables, ignore_index=True)


def _temperatures(right: pd.DataFrame) -> pd.Series:
    """The soft-max temperature of every cycle and seed."""
    return right.groupby(["cycle", "seed"]).temperature.first()


def _probs(
    scores: Scores,
    seeds: list,
    clips: pd.DataFrame,
    classes: list[int],
    cycles: pd.DataFrame,
    right: pd.DataFrame,
    phase: str,
) -> pd.DataFrame:
    """Probabilities of the chosen candidates, a row per cycle, seed and clip."""
    temperatures = _temperatures(right)
    columns = [f"class_{c}" for c in classes]
    tables = []
    for run in chosen_runs(cycles, phase).itertuples():
        logits = scores.logits[run.cycle - 1, seeds.index(run.seed)]
        probs = (logits / temperatures[run.cycle, run.seed]).softmax(-1)
        keys = pd.DataFrame({"cycle": run.cycle, "seed": run.seed, "name": clips.name})
        tables.append(to_table(keys, probs.numpy(), columns))
    return pd.concat(tables, ignore_index=True)
