"""From both classifiers to predictions: which clips fit a gate, and what it makes of others."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from support.toy import CPU, UNSEEN_IDS, make

from msf_kedro.methods import get_method
from msf_kedro.zero_shot.decision import apply_gates, decide, fit_gates, predict
from msf_kedro.zero_shot.gate import KINDS, ON_EVIDENCE, Gate, GateConfig
from msf_kedro.zero_shot.protocols import PROTOCOLS, unseen_probs
from msf_kedro.zero_shot.splits import PHASES

BARE = [kind for kind in KINDS if kind not in ON_EVIDENCE]
CONFIG = GateConfig(
    kind="threshold",
    temperatures=[1.0, 2.0],
    thresholds=[0.25, 0.5, 0.75],
    folds=2,
    paper_temperature=2.0,
    paper_threshold=0.5,
    paper_fit_part=1.0,
    outputs="seen",
    evidence_strength=0.1,
    kept_seen=0.9,
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
            class_ids = np.repeat([*seen, *unseen], 4 * len(PARTS))
            self.roles[phase] = roles = pd.DataFrame(
                {
                    "name": [f"clip{n:03d}" for n in range(len(class_ids))],
                    "class_id": class_ids,
                    "side": np.where(np.isin(class_ids, seen), "seen", "unseen"),
                    "part": np.resize(PARTS, len(class_ids)),
                }
            )
            self.logits[phase] = self._scores(rng, roles, seen)
            scored = roles[(roles.side == "unseen") | (roles.part != "train")]
            probs = {
                (candidate, seed): self._scores(rng, scored, unseen, soft_max=True)
                for candidate in (1, 2)
                for seed in SEEDS
            }
            self.probs[phase] = pd.concat(probs, names=["candidate", "seed"])
        keys = [(p, phase, s) for p in PROTOCOLS for phase in PHASES for s in SEEDS]
        self.candidates = pd.DataFrame(keys, columns=["protocol", "phase", "seed"])
        self.candidates["candidate"] = np.where(self.candidates.protocol == "strict", 1, 2)

    @staticmethod
    def _scores(rng, clips, classes, soft_max=False) -> pd.DataFrame:
        noise = rng.normal(size=(len(clips), len(classes)))
        scores = 2.0 * (clips.class_id.to_numpy()[:, None] == classes) + noise
        if soft_max:
            scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return pd.DataFrame(
            scores.astype(np.float32),
            index=pd.Index(clips.name, name="name"),
            columns=pd.Index(classes, name="class_id"),
        )

    def fit(self, config: GateConfig = CONFIG) -> pd.DataFrame:
        logits, probs = self.logits["calibration"], self.probs["calibration"]
        return fit_gates(logits, probs, self.roles, self.candidates, config)

    def apply(self, gates: pd.DataFrame) -> pd.DataFrame:
        tables = (self.logits["test"], self.probs["test"], self.roles["test"])
        return apply_gates(gates, *tables, self.candidates)


def same(gates: pd.DataFrame, others: pd.DataFrame, protocol: str) -> bool:
    """Whether all gates of a protocol are equal to the bit."""
    pairs = [table[table.protocol == protocol].to_dict("records") for table in (gates, others)]
    return all(
        np.array_equal(one[key], two[key]) for one, two in zip(*pairs, strict=True) for key in one
    )


# --- which clips fit a gate ---


def test_there_is_a_gate_for_every_protocol_seed_and_kind():
    gates = Study().fit()
    keys = gates[["protocol", "seed", "kind"]].to_records(index=False).tolist()
    assert sorted(keys) == sorted((p, s, k) for p in PROTOCOLS for s in SEEDS for k in BARE)
    assert set(gates.width) == {2}, "as many probabilities as both phases' classifiers have"
    assert set(gates[gates.protocol == "paper"].temperature) == {CONFIG.paper_temperature}
    assert set(gates.outputs) == {"seen"}


def test_evidence_has_a_gate_of_its_own():
    """It calls the clips seen whose scores say so, whatever the classifiers say."""
    study = Study()
    scores = {}
    for phase, roles in study.roles.items():
        sure = np.where(roles.side == "seen", 1.0, -1.0)
        scores[phase] = pd.DataFrame({"gap": sure}, pd.Index(roles.name, name="name"))
    tables = study.logits["calibration"], study.probs["calibration"]
    config = dataclasses.replace(CONFIG, evidence_strength=100.0)
    shuffled = scores["calibration"].sample(frac=1, random_state=0)
    gates = fit_gates(*tables, study.roles, study.candidates, config, shuffled)
    assert set(gates.kind) == set(KINDS)
    tables = study.logits["test"], study.probs["test"], study.roles["test"], study.candidates
    predictions = apply_gates(gates, *tables, scores["test"][::-1])
    mine = predictions[predictions.gate == "evidence"]
    assert len(mine) > 0
    assert (mine.called_seen == (mine.side == "seen")).all()
    with pytest.raises(ValueError, match="evidence: no row for 1 of"):
        apply_gates(gates, *tables, scores["test"].drop(index=mine.name.iloc[0]))


def test_the_conformal_gate_is_fitted_on_seen_clips_that_are_held_out():
    study = Study()
    roles = study.roles["calibration"]
    names = pd.Index(roles.name, name="name")
    values = np.random.default_rng(0).normal(size=(len(roles), 2))
    scores = pd.DataFrame(values, names, ["nearest", "gap"])
    config = dataclasses.replace(CONFIG, kept_seen=0.93)
    gates = fit_gates(
        *(study.logits["calibration"], study.probs["calibration"], study.roles),
        *(study.candidates, config, scores),
    )
    gates = gates[gates.kind == "conformal"]
    assert len(gates) == len(PROTOCOLS) * len(SEEDS)
    held_out = roles.name[roles.side.eq("seen") & roles.part.eq("held_out")]
    assert len(held_out) == 16
    lowest = 1 / (1 + np.exp(-scores.sum(axis=1)[held_out].min()))
    np.testing.assert_allclose(gates.threshold, lowest)


@pytest.mark.parametrize(
    ("phase", "side", "few"), [("calibration", "unseen", 1), ("test", "seen", 1)]
)
def test_a_gate_is_as_wide_as_the_smallest_classifier(phase, side, few):
    study = Study()
    roles = study.roles[phase]
    of_side = sorted(roles.class_id[roles.side == side].unique())
    dropped = roles.class_id.isin(of_side[few:]) & (roles.side == side)
    study.roles[phase] = roles[~dropped]
    assert set(study.fit().width) == {few}


def shuffled_labels(study: Study, part: str) -> Study:
    rng = np.random.default_rng(1)
    for roles in study.roles.values():
        chosen = roles.index[roles.part == part]
        labels = roles.loc[rng.permutation(chosen), ["class_id", "side"]].to_numpy()
        roles.loc[chosen, ["class_id", "side"]] = labels
        roles["class_id"] = roles.class_id.astype("int64")
    return study


def other_scores(study: Study, part: str) -> Study:
    rng = np.random.default_rng(1)
    for phase, roles in study.roles.items():
        for table in (study.logits[phase], study.probs[phase]):
            rows = table.index.isin(roles.name[roles.part == part], level="name")
            table.loc[rows] = rng.random((rows.sum(), table.shape[1]), dtype=np.float32)
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


def test_gates_use_the_candidate_that_the_protocol_chose():
    study = Study()
    gates = study.fit()
    study.probs["calibration"] = study.probs["calibration"].loc[[1]]
    study.candidates["candidate"] = 1
    again = study.fit()
    assert same(gates, again, "strict")
    assert not same(gates, again, "paper")


def test_gate_clips_of_the_paper_are_held_out_seen_and_tested_unseen_ones():
    """As the release: other calibration clips may say what they like."""
    study, other = Study(), Study()
    roles = other.roles["calibration"]
    used = (roles.side.eq("seen") & roles.part.eq("held_out")) | (
        roles.side.eq("unseen") & roles.part.eq("test")
    )
    for table in (other.logits["calibration"], other.probs["calibration"]):
        table.loc[table.index.isin(roles.name[~used], level="name")] = 0.5
    assert same(study.fit(), other.fit(), "paper")
    assert not same(study.fit(), other.fit(), "strict")


def test_seeds_draw_clips_of_their_own():
    study = Study()
    for candidate in (1, 2):  # so that only the draw differs
        study.probs["calibration"].loc[candidate, 1] = (
            study.probs["calibration"].loc[(candidate, 0)].to_numpy()
        )
    whole = study.fit().query("protocol == 'paper' and kind == 'logistic'").weights
    assert np.array_equal(*whole)
    part = study.fit(dataclasses.replace(CONFIG, paper_fit_part=0.8))
    assert not np.array_equal(*part.query("protocol == 'paper' and kind == 'logistic'").weights)


# --- decisions ---


def test_predictions_by_hand():
    """Every test clip once for every gate, with the class of the classifier that it chose."""
    study = Study()
    gates = study.fit()
    predictions = study.apply(gates)
    clips = study.roles["test"].query("part == 'test'")
    logits, probs = study.logits["test"], study.probs["test"]
    assert len(predictions) == len(PROTOCOLS) * len(BARE) * len(SEEDS) * len(clips)
    for (protocol, gate, seed), rows in predictions.groupby(["protocol", "gate", "seed"]):
        expected = clips.reset_index(drop=True)
        pd.testing.assert_frame_equal(rows[clips.columns].reset_index(drop=True), expected)
        (fitted,) = gates.query(
            "protocol == @protocol and kind == @gate and seed == @seed"
        ).itertuples()
        candidate = 1 if protocol == "strict" else 2
        for row in rows.itertuples():
            seen = logits.loc[row.name].astype(float)
            unseen = probs.loc[(candidate, seed, row.name)].astype(float)
            assert row.seen_prediction == seen.idxmax()
            assert row.unseen_prediction == unseen.idxmax()
            soft = np.exp(seen / fitted.temperature)
            soft = soft / soft.sum()
            if gate == "threshold":
                assert row.score == pytest.approx(soft.max())
            else:
                inputs = [p.nlargest(2).to_numpy() for p in (unseen, soft)]
                value = fitted.weights @ [*np.concatenate(inputs), 1]
                assert row.score == pytest.approx(1 / (1 + np.exp(-value)))
            assert row.called_seen == (row.score >= fitted.threshold)
            own = row.seen_prediction if row.called_seen else row.unseen_prediction
            assert row.predicted == own
    assert 0.6 < (predictions.called_seen == (predictions.side == "seen")).mean() < 1


@pytest.mark.parametrize("phase", PHASES)
def test_rows_are_found_by_name(phase):
    """Shuffled tables give the same gates and predictions to the bit."""
    study, mixed = Study(), Study()
    for tables in (mixed.logits, mixed.probs):
        tables[phase] = tables[phase].sample(frac=1, random_state=0)
    mixed.probs[phase] = mixed.probs[phase].sort_index(
        level=["candidate", "seed"], sort_remaining=False
    )
    gates, again = study.fit(), mixed.fit()
    assert all(same(gates, again, protocol) for protocol in PROTOCOLS)
    pd.testing.assert_frame_equal(mixed.apply(again), study.apply(gates), check_exact=True)


def test_the_order_of_roles_decides_the_order_of_predictions_only():
    study, mixed = Study(), Study()
    gates = study.fit()
    mixed.roles["test"] = mixed.roles["test"].sample(frac=1, random_state=0)
    keys = ["protocol", "gate", "seed", "name"]
    found, expected = (s.apply(gates).sort_values(keys, ignore_index=True) for s in (mixed, study))
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(
    ("table", "called"), [("logits", "seen logits"), ("probs", "unseen probabilities")]
)
def test_a_missing_clip_is_named(phase, table, called):
    """Where a table lacks a clip that fits or meets a gate, nothing is left out in silence."""
    study = Study()
    gates = study.fit()
    roles, tables = study.roles[phase], getattr(study, table)
    name = roles.name[(roles.side == "unseen") & (roles.part == "test")].iloc[0]
    tables[phase] = tables[phase][tables[phase].index.get_level_values("name") != name]
    with pytest.raises(ValueError, match=f"^{called}: no row for 1 of .* clips, such as {name};"):
        study.fit() if phase == "calibration" else study.apply(gates)


def test_a_decision_is_made_of_the_clips_that_the_seen_logits_are_of():
    study = Study()
    logits = study.logits["test"].iloc[[70, 40]]
    gate = Gate("threshold", 1.0, 0.6, 2, np.empty(0), "seen")
    probs = study.probs["test"].loc[(1, 0)]
    found = decide(gate, logits, probs, CLASSES["test"][0])
    assert found.index.tolist() == logits.index.tolist()
    assert found.unseen_prediction.tolist() == probs.loc[logits.index].idxmax(axis=1).tolist()
    assert found.seen_prediction.tolist() == logits.idxmax(axis=1).tolist()


def test_a_score_at_the_threshold_is_seen():
    names = pd.Index(["a", "b"], name="name")
    logits = pd.DataFrame([[0.0, 0.0], [0.0, 0.1]], names, [1, 2])
    probs = pd.DataFrame([[0.0, 1.0]] * 2, names, [3, 4])
    for threshold, called in ((0.5, [True, True]), (0.5001, [False, True])):
        gate = Gate("threshold", 1.0, threshold, 2, np.empty(0), "seen")
        found = decide(gate, logits, probs, [1, 2])
        assert found.called_seen.tolist() == called
        assert found.predicted.tolist() == [1 if called[0] else 4, 2]


# --- outputs of a released classifier ---


def with_unseen_outputs(study: Study, high: float) -> Study:
    """Logits as a released classifier has them: of unseen classes too, which it never learnt."""
    for phase, (_, unseen) in CLASSES.items():
        for n in unseen:
            study.logits[phase].insert(1, n, np.float32(high))
    return study


def test_outputs_of_unseen_classes_are_never_predicted_as_seen_ones():
    study = with_unseen_outputs(Study(), high=9.0)
    plain = Study()
    assert study.apply(study.fit()).equals(plain.apply(plain.fit()))
    everything = study.apply(study.fit(dataclasses.replace(CONFIG, outputs="all")))
    assert set(everything.seen_prediction) <= set(CLASSES["test"][0])


def test_the_soft_max_of_the_release_runs_over_all_outputs():
    everything = dataclasses.replace(CONFIG, outputs="all")
    faint = with_unseen_outputs(Study(), high=-30.0)  # as good as none
    seen, found = faint.fit(), faint.fit(everything)
    for one, two in zip(seen.weights, found.weights, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-6)
    shifted = with_unseen_outputs(Study(), high=1.0)
    assert not np.allclose(shifted.fit(everything).weights[1], seen.weights[1], rtol=1e-2)
    scores = shifted.apply(shifted.fit(everything)).score
    assert not np.allclose(scores, shifted.apply(shifted.fit()).score, rtol=1e-2)


# --- from features ---


@pytest.mark.parametrize("method", ["msf", "ridge"])
def test_features_of_any_clips_give_the_predictions_of_the_stages(method, toy):
    """In one step from a fitted classifier, in other order and among other clips."""
    fitted, _ = get_method(method).fit(toy.task("LB"), [1, 3], make(method, steps=20), CPU)
    classifier, _ = fitted.classifier(fitted.latents(toy.texts("LB")), CPU)
    names = pd.Index([f"clip{n:03d}" for n in range(len(toy.features))], name="name")
    features = pd.DataFrame(toy.features.numpy(), names).add_prefix("f")
    seen = list(range(1, 25))
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3, size=(len(names), 24)).astype(np.float32)
    logits = pd.DataFrame(logits, names, seen)
    unseen = toy.class_ids.numpy() > 24
    sides = {"class_id": toy.class_ids.numpy(), "side": np.where(unseen, "unseen", "seen")}
    roles = pd.DataFrame({"name": names, "part": "test"} | sides)
    row = {"protocol": "strict", "phase": "test", "seed": 3, "candidate": 2, "temperature": 0.5}
    candidates = pd.DataFrame([row])
    probs = unseen_probs(classifier, features, roles, candidates, "test")
    logistic = np.array([-2.0, *np.zeros(7), 2.0, *np.zeros(7), 1.0])
    for kind, weights in (("threshold", np.empty(0)), ("logistic", logistic)):
        gate = Gate(kind, 2.0, 0.0, 8, weights, "seen")
        scores = decide(gate, logits, probs.loc[2, 3], seen).score
        gate = dataclasses.replace(gate, threshold=float(scores.median()))
        gates = pd.DataFrame([{"protocol": "strict", "seed": 3} | vars(gate)])
        expected = apply_gates(gates, logits, probs, roles, candidates).set_index("name")
        assert expected.called_seen.mean() == 0.5
        some = names[rng.permutation(len(names))[:50]]
        mine = logits.loc[rng.permutation(some)]
        found = predict(features.loc[some], mine, classifier, 2, 3, 0.5, gate, seen)
        assert found.index.tolist() == some.tolist()
        assert set(found.unseen_prediction) <= set(UNSEEN_IDS)
        # Products of fewer rows round otherwise, which only scores show.
        pd.testing.assert_frame_equal(found, expected.loc[some, found.columns], rtol=1e-4)


@pytest.mark.parametrize("lacking", ["features", "seen logits"])
def test_features_and_logits_must_be_of_the_same_clips(lacking, toy):
    fitted, _ = get_method("ridge").fit(toy.task("LB"), [1], make("ridge"), CPU)
    classifier, _ = fitted.classifier(fitted.latents(toy.texts("LB")), CPU)
    names = pd.Index(["a", "b", "c"], name="name")
    features = pd.DataFrame(toy.features[:3].numpy(), names)
    logits = pd.DataFrame(np.zeros((3, 2), np.float32), names, [1, 2])
    other = "seen logits" if lacking == "features" else "features"
    features, logits = (
        table.drop("b") if lacking == what else table
        for table, what in ((features, "features"), (logits, "seen logits"))
    )
    gate = Gate("threshold", 1.0, 0.5, 2, np.empty(0), "seen")
    message = f"features and seen logits are not of the same clips: 1 clips are in {other} only, "
    with pytest.raises(ValueError, match=f"^{message}such as b"):
        predict(features, logits, classifier, 1, 1, 1.0, gate, [1, 2])
