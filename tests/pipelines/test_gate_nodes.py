"""The gate's nodes: which clips they look at, and what they make of them."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from msf_kedro.pipelines.gate.nodes import apply_gates, fit_gates
from msf_kedro.zero_shot.gate import KINDS, GateConfig
from msf_kedro.zero_shot.protocols import PROTOCOLS
from msf_kedro.zero_shot.splits import PHASES

CONFIG = GateConfig(
    kind="threshold",
    temperatures=[1.0, 2.0],
    thresholds=[0.25, 0.5, 0.75],
    folds=2,
    paper_temperature=2.0,
    paper_threshold=0.5,
    paper_fit_part=1.0,
    outputs="seen",
)
CLASSES = {"calibration": ([1, 2, 3, 4], [5, 6]), "test": ([1, 2, 3, 4, 5, 6], [7, 8])}
SEEDS = (0, 1)
PARTS = ("train", "held_out", "test")


class Study:
    """Tables as the stages before the gate leave them, with a signal and noise."""

    def __init__(self, seed: int = 0):
        rng = np.random.default_rng(seed)
        self.roles, self.logits, self.probs = {}, {}, {}
        for phase, (seen, unseen) in CLASSES.items():
            actions = np.repeat([*seen, *unseen], 4 * len(PARTS))
            self.roles[phase] = roles = pd.DataFrame(
                {
                    "name": [f"clip{n:03d}" for n in range(len(actions))],
                    "action": actions,
                    "side": np.where(np.isin(actions, seen), "seen", "unseen"),
                    "part": np.resize(PARTS, len(actions)),
                }
            )
            self.logits[phase] = self._scores(rng, roles[["name"]], actions, seen)
            scored = roles[(roles.side == "unseen") | (roles.part != "train")]
            self.probs[phase] = pd.concat(
                [
                    self._scores(
                        rng, scored[["name"]], scored.action, unseen, soft_max=True
                    ).assign(seed=seed, cycle=cycle)
                    for cycle in (1, 2)
                    for seed in SEEDS
                ],
                ignore_index=True,
            )
        keys = [(p, phase, s) for p in PROTOCOLS for phase in PHASES for s in SEEDS]
        self.cycles = pd.DataFrame(keys, columns=["protocol", "phase", "seed"])
        self.cycles["cycle"] = np.where(self.cycles.protocol == "strict", 1, 2)

    @staticmethod
    def _scores(rng, names, actions, classes, soft_max=False) -> pd.DataFrame:
        scores = 2.0 * (np.asarray(actions)[:, None] == classes) + rng.normal(
            size=(len(names), len(classes))
        )
        if soft_max:
            scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        columns = [f"class_{c}" for c in classes]
        table = pd.DataFrame(scores.astype(np.float32), columns=columns, index=names.index)
        return pd.concat([names, table], axis=1).reset_index(drop=True)

    def fit(self) -> pd.DataFrame:
        return fit_gates(
            self.logits["calibration"],
            self.probs["calibration"],
            self.roles["calibration"],
            self.roles["test"],
            self.cycles,
            CONFIG,
        )

    def apply(self, gates: pd.DataFrame) -> pd.DataFrame:
        tables = (self.logits["test"], self.probs["test"], self.roles["test"])
        return apply_gates(*tables, self.cycles, gates, CONFIG)


def same(gates: pd.DataFrame, others: pd.DataFrame, protocol: str) -> bool:
    """Whether all gates of a protocol are equal to the bit."""
    pairs = [table[table.protocol == protocol].to_dict("records") for table in (gates, others)]
    return all(
        np.array_equal(one[key], two[key]) for one, two in zip(*pairs, strict=True) for key in one
    )


def test_there_is_a_gate_for_every_protocol_seed_and_kind():
    gates = Study().fit()
    keys = gates[["protocol", "seed", "kind"]].to_records(index=False).tolist()
    assert sorted(keys) == sorted((p, s, k) for p in PROTOCOLS for s in SEEDS for k in KINDS)
    assert set(gates.width) == {2}, "as many probabilities as both phases' classifiers have"
    assert set(gates[gates.protocol == "paper"].temperature) == {CONFIG.paper_temperature}


def shuffled_labels(study: Study, part: str) -> Study:
    rng = np.random.default_rng(1)
    for roles in study.roles.values():
        chosen = roles.index[roles.part == part]
        labels = roles.loc[rng.permutation(chosen), ["action", "side"]].to_numpy()
        roles.loc[chosen, ["action", "side"]] = labels
        roles["action"] = roles.action.astype("int64")
    return study


def other_scores(study: Study, part: str) -> Study:
    rng = np.random.default_rng(1)
    for phase, roles in study.roles.items():
        for table in (study.logits[phase], study.probs[phase]):
            rows = table.name.isin(roles.name[roles.part == part])
            columns = [column for column in table.columns if column.startswith("class_")]
            table.loc[rows, columns] = rng.random((rows.sum(), len(columns)), dtype=np.float32)
    return study


@pytest.mark.parametrize("change", [shuffled_labels, other_scores])
def test_strict_gates_see_no_test_clip_and_paper_gates_do(change):
    gates = Study().fit()
    tested, held_out = change(Study(), "test").fit(), change(Study(), "held_out").fit()
    assert same(gates, tested, "strict")
    assert not same(gates, tested, "paper")
    assert not same(gates, held_out, "paper")
    assert not same(gates, held_out, "strict")


def test_nothing_of_the_test_phase_reaches_a_gate_but_how_many_classes_it_has():
    study, other = Study(), Study()
    other.logits["test"] = other.probs["test"] = None
    other.roles["test"] = other.roles["test"].sample(frac=1, random_state=0)
    assert all(same(study.fit(), other.fit(), protocol) for protocol in PROTOCOLS)


def test_gates_use_the_cycle_that_the_protocol_chose():
    study = Study()
    gates = study.fit()
    probs = study.probs["calibration"]
    study.probs["calibration"] = probs[probs.cycle == 1]
    study.cycles["cycle"] = 1
    again = study.fit()
    assert same(gates, again, "strict")
    assert not same(gates, again, "paper")


def test_predictions_by_hand():
    """Every test clip once for every gate, with the class of the classifier that it chose."""
    study = Study()
    gates = study.fit()
    predictions = study.apply(gates)
    clips = study.roles["test"].query("part == 'test'")
    logits = study.logits["test"].set_index("name")
    probs = study.probs["test"].set_index(["seed", "cycle", "name"])
    assert len(predictions) == len(PROTOCOLS) * len(KINDS) * len(SEEDS) * len(clips)
    for (protocol, gate, seed), rows in predictions.groupby(["protocol", "gate", "seed"]):
        assert rows.name.tolist() == clips.name.tolist()
        (fitted,) = gates.query(
            "protocol == @protocol and kind == @gate and seed == @seed"
        ).itertuples()
        cycle = 1 if protocol == "strict" else 2
        for row in rows.itertuples():
            seen = logits.loc[row.name].astype(float)
            unseen = probs.loc[(seed, cycle, row.name)].astype(float)
            assert f"class_{row.seen_prediction}" == seen.idxmax()
            assert f"class_{row.unseen_prediction}" == unseen.idxmax()
            if gate == "threshold":
                soft = np.exp(seen / fitted.temperature)
                assert row.score == pytest.approx(soft.max() / soft.sum())
            assert row.called_seen == (row.score >= fitted.threshold)
            own = row.seen_prediction if row.called_seen else row.unseen_prediction
            assert row.predicted == own
    assert 0.6 < (predictions.called_seen == (predictions.side == "seen")).mean() < 1


def test_gate_clips_of_the_paper_are_held_out_seen_and_tested_unseen_ones():
    """As the release: other calibration clips may say what they like."""
    study, other = Study(), Study()
    roles = other.roles["calibration"]
    used = (roles.side.eq("seen") & roles.part.eq("held_out")) | (
        roles.side.eq("unseen") & roles.part.eq("test")
    )
    unused = roles.name[~used]
    for table in (other.logits["calibration"], other.probs["calibration"]):
        columns = [column for column in table.columns if column.startswith("class_")]
        table.loc[table.name.isin(unused), columns] = 0.5
    assert same(study.fit(), other.fit(), "paper")
    assert not same(study.fit(), other.fit(), "strict")


def with_unseen_outputs(study: Study, high: float) -> Study:
    """Logits as a released classifier has them: of unseen classes too, which it never learnt."""
    for phase, (_, unseen) in CLASSES.items():
        for n in unseen:
            study.logits[phase].insert(1, f"class_{n}", np.float32(high))
    return study


def test_outputs_of_unseen_classes_are_never_predicted_as_seen_ones():
    study = with_unseen_outputs(Study(), high=9.0)
    plain = Study()
    assert study.apply(study.fit()).equals(plain.apply(plain.fit()))


def test_the_soft_max_of_the_release_runs_over_all_outputs(monkeypatch):
    study = with_unseen_outputs(Study(), high=-30.0)  # as good as none
    seen = study.fit()
    monkeypatch.setattr(f"{__name__}.CONFIG", dataclasses.replace(CONFIG, outputs="all"))
    everything = study.fit()
    for one, two in zip(seen.weights, everything.weights, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-6)
    shifted = with_unseen_outputs(Study(), high=1.0).fit()
    assert not np.allclose(shifted.weights[1], seen.weights[1], rtol=1e-2)
