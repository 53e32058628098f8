"""The node that makes a bundle."""

import logging
from typing import Any

import pandas as pd
import torch
from pydantic import NonNegativeInt

from msf_kedro import __version__
from msf_kedro.clips.clip import ClipsConfig
from msf_kedro.clips.layouts import get_layout
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.configuration import configuration
from msf_kedro.evidence import Witness
from msf_kedro.methods import load_classifier, load_fitted
from msf_kedro.networks.extractor import StreamsConfig
from msf_kedro.networks.shift_gcn import ShiftGCN
from msf_kedro.recognizer.bundle import Bundle
from msf_kedro.recognizer.card import card
from msf_kedro.recognizer.model import SEEN, UNSEEN, KnownClass, Model, Stream
from msf_kedro.reports.benchmark import Cell, cell_outcomes
from msf_kedro.reports.comparisons import TablesConfig, intervals, resample
from msf_kedro.reports.wording import FIGURES, SYNTHETIC
from msf_kedro.texts.class_texts import several_of
from msf_kedro.texts.encoders import get_encoder
from msf_kedro.texts.fusion import NAMES, TEXT_COLUMNS
from msf_kedro.zero_shot.gate import Gate
from msf_kedro.zero_shot.protocols import PROTOCOLS

logger = logging.getLogger(__name__)

# What must have been the same for all that a bundle is made of.
MADE_WITH = ("clips", "layouts", "normalise", "streams", "encoders", "encoder")


@configuration
class BundleConfig:
    """Which of a study's models goes into its bundle.

    Attributes:
        seed: root seed of the method; None takes the first of the study's `seeds`.
    """

    seed: NonNegativeInt | None


def make_bundle(
    joint: dict,
    bone: dict,
    joint_motion: dict,
    bone_motion: dict,
    alignment: dict,
    unseen_classifier: dict,
    witness: dict,
    candidates: pd.DataFrame,
    gates: pd.DataFrame,
    text_features: pd.DataFrame,
    class_texts: pd.DataFrame,
    clips: pd.DataFrame,
    predictions: pd.DataFrame,
    metrics: dict,
    bundle: BundleConfig,
    tables: TablesConfig,
) -> Bundle:
    """One model of the strict protocol, where there is one, else of the paper's, as a bundle.

    What parameters it was made with is taken from the metrics, which have it from the records.
    """
    networks = {n["stream"]: n for n in (joint, bone, joint_motion, bone_motion) if n}
    made = _made_with(metrics)
    chosen = _choose(candidates, bundle)
    fitted, classifier = load_fitted(alignment), load_classifier(unseen_classifier)
    place = chosen["candidate"] - 1, fitted.seeds.index(chosen["seed"])
    seen = next(iter(networks.values()))["class_ids"]
    config = ClipsConfig(**made["clips"])
    mine = (gates.protocol == chosen["protocol"]) & (gates.seed == chosen["seed"])
    fitted_gates = gates[mine].drop(columns=["protocol", "seed"]).to_dict("records")
    streams = StreamsConfig(**made["streams"])
    model = Model(
        layout=get_layout(config.layout, made["layouts"], config.units),
        normalise=NormaliseConfig(**made["normalise"]),
        limits=config.limits,
        frames=int(clips.frames[clips.kept].median()),
        streams=[
            Stream(name, streams.weight(name), _network(networks[name]))
            for name in streams.active()
        ],
        fitted=fitted.pick(*place),
        classifier=classifier.pick(*place),
        temperature=chosen["temperature"],
        witness=Witness.of_state(witness),
        gates={fields["kind"]: Gate(**fields) for fields in fitted_gates},
        gate=metrics["run"]["gate"],
        encoder=get_encoder(made["encoders"], made["encoder"]),
        classes=_classes(
            {SEEN: seen, UNSEEN: classifier.class_ids},
            fitted.about["kinds"],
            class_texts,
            text_features,
        ),
        facts=_facts(metrics, made, chosen, predictions, class_texts, tables),
    )
    values, tensors = model.parts()
    return Bundle(values, tensors, card(values))


def _made_with(metrics: dict) -> dict[str, Any]:
    """The parameters that the study was made with.

    Raises:
        ValueError: the records lack some, or it was made with several values of one.
    """
    made = metrics["run"]["parameters"]
    if lacking := [name for name in MADE_WITH if name not in made]:
        several = [name for name in lacking if name in made.get("several", {})]
        why = "several values of" if several else "no record of"
        raise ValueError(
            f"metrics: there is {why} {', '.join(several or lacking)} among the parameters that"
            " made the predictions; a bundle is made of a whole run from clips: `kedro run"
            " --pipelines=gzssar`"
        )
    # Other class splits are of other models; `several` splits have no one of theirs.
    own = {name: s for name, s in made.get("splits", {}).items() if name == metrics["run"]["split"]}
    return made | {"splits": own}


def _choose(candidates: pd.DataFrame, bundle: BundleConfig) -> dict[str, Any]:
    """The chosen model's row in the candidates of the test phase.

    Raises:
        ValueError: the study has no such seed.
    """
    protocol = next(p for p in PROTOCOLS if p in set(candidates.protocol))
    rows = candidates[(candidates.phase == "test") & (candidates.protocol == protocol)]
    seeds = rows.seed.tolist()
    seed = seeds[0] if bundle.seed is None else bundle.seed
    if seed not in seeds:
        raise ValueError(f"bundle.seed is {seed}, expected one of the study's seeds {seeds}")
    return rows[rows.seed == seed].to_dict("records")[0]


def _network(saved: dict) -> ShiftGCN:
    return ShiftGCN.from_state(saved["architecture"], len(saved["class_ids"]), saved["state"])


def _classes(
    sides: dict[str, list[int]],
    kinds: list[str],
    class_texts: pd.DataFrame,
    text_features: pd.DataFrame,
) -> list[KnownClass]:
    """All classes of the study, with their words.

    Raises:
        ValueError: two have the same label.
    """
    texts = class_texts.set_index("class_id").apply(lambda column: column.str.strip())
    features = text_features.loc[:, ~text_features.columns.str.startswith(NAMES)]
    found = [
        KnownClass(
            class_id,
            texts.label[class_id],
            side,
            {kind: texts.loc[class_id, TEXT_COLUMNS[kind]] for kind in kinds},
            {
                kind: torch.tensor(features.loc[(kind, class_id)].to_numpy("float32"))
                for kind in kinds
            },
        )
        for side, class_ids in sides.items()
        for class_id in class_ids
    ]
    if twice := several_of(class_texts, [known.class_id for known in found]):
        raise ValueError(f"class texts: several classes are called {twice}; give each its label")
    return found


def _facts(
    metrics: dict,
    made_with: dict[str, Any],
    chosen: dict[str, Any],
    predictions: pd.DataFrame,
    class_texts: pd.DataFrame,
    tables: TablesConfig,
) -> dict[str, Any]:
    """What made the model, and its figures with intervals."""
    run, protocol = metrics["run"], chosen["protocol"]
    cell = Cell(run["method"], run["texts"], run["encoder"], run["split"])
    labels = class_texts.set_index("class_id").label
    chance = metrics[protocol]["chance"]["mean"]

    def figures(predictions: pd.DataFrame) -> pd.DataFrame:
        outcomes = cell_outcomes(cell, predictions, labels)
        return intervals(resample(outcomes, tables), tables.level).set_index("figure")

    mine = predictions[(predictions.protocol == protocol) & (predictions.gate == run["gate"])]
    own = figures(mine[mine.seed == chosen["seed"]])["mean"]
    clips = mine[mine.seed == chosen["seed"]].side.value_counts()
    counts = {"acc_seen": clips[SEEN], "harmonic_mean": clips.sum()}
    return {
        **{name: run[name] for name in ("study", "split", "method", "texts", "encoder")},
        **{name: run[name] for name in ("inference",) if name in run},
        "protocol": protocol,
        "seed": chosen["seed"],
        "seeds": sorted(set(mine.seed.tolist())),
        "synthetic": run["study"] in SYNTHETIC,
        "chance": chance,
        "level": tables.level,
        "resamples": tables.resamples,
        "figures": [
            {
                "figure": row.Index,
                "name": FIGURES[row.Index],
                **{name: float(getattr(row, name)) for name in ("mean", "low", "high")},
                "own": float(own[row.Index]),
                "clips": int(counts.get(row.Index, clips[UNSEEN])),
            }
            for row in figures(mine).itertuples()
        ],
        "version": __version__,
        "made_with": made_with,
    }
