"""Which candidate a protocol uses: by hand, and what the strict protocol must not look at."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.written import written

from msf_kedro.methods.contract.fitted import Classifier
from msf_kedro.zero_shot.protocols import (
    PROTOCOLS,
    best_class,
    choose_candidates,
    choose_temperature,
    chosen_probs,
    count_right,
    unseen_probs,
)
from msf_kedro.zero_shot.splits import PHASES

SEEDS = (0, 5)
CANDIDATES = (1, 2, 3)
RUNS = list(itertools.product(CANDIDATES, SEEDS))
PARTS = ("train", "held_out", "test")
UNSEEN = {"calibration": (3, 4), "test": (20, 10)}
COLUMNS = ["protocol", "phase", "seed", "candidate", "temperature", "accuracy"]


def roles_of(phase: str) -> pd.DataFrame:
    """Two clips of each class and part; clips are called after them."""
    rows = []
    for side, class_id in [("seen", 1), ("seen", 2), *(("unseen", c) for c in UNSEEN[phase])]:
        for part, number in itertools.product(PARTS, (1, 2)):
            rows.append((f"{phase}-{class_id}-{part}-{number}", class_id, side, part))
    return pd.DataFrame(rows, columns=["name", "class_id", "side", "part"])


def scored_of(phase: str, right: dict) -> tuple[Classifier, pd.DataFrame]:
    """A classifier that, per (seed, candidate, part), has so many of 4 unseen clips right."""
    clips = roles_of(phase)
    place = clips[clips.side == "unseen"].groupby("part").cumcount().reindex(clips.index)
    is_first = (clips.class_id == UNSEEN[phase][0]).to_numpy()
    logits = {}
    for candidate, seed in RUNS:
        wanted = [right.get((seed, candidate, part), 0) for part in clips.part]
        call_first = is_first == (place < wanted).to_numpy()
        logits[candidate, seed] = np.stack([call_first, ~call_first], axis=1).astype(float)
    return written(logits, clips.name, UNSEEN[phase], temperatures=[0.5, 1.0, 2.0])


def choose_from(phases: dict) -> pd.DataFrame:
    """Candidates from each phase's classifier, features and roles."""
    return choose_candidates(*(count_right(*phases[phase], phase) for phase in PHASES))


def choose(calibration: dict, test: dict) -> dict:
    """(protocol, phase, seed) → (candidate, accuracy)."""
    table = choose_from(
        {
            phase: (*scored_of(phase, right), roles_of(phase))
            for phase, right in zip(PHASES, (calibration, test), strict=True)
        }
    )
    assert table.columns.tolist() == COLUMNS
    keys = table[["protocol", "phase", "seed"]].itertuples(index=False, name=None)
    return dict(zip(keys, zip(table.candidate, table.accuracy, strict=True), strict=True))


# --- the choice of a candidate ---


def test_by_hand():
    """Strict: calibration clips of training subjects choose for both phases; paper: test clips."""
    calibration = {(0, 1, "train"): 1, (0, 2, "train"): 4, (0, 2, "held_out"): 2}
    calibration |= {(5, 3, "held_out"): 3, (5, 1, "held_out"): 2, (0, 3, "test"): 4}
    test = {(0, 1, "test"): 3, (0, 2, "train"): 4, (5, 2, "test"): 1, (5, 3, "test"): 4}
    found = choose(calibration, test)
    assert found == {
        ("strict", "calibration", 0): (2, pytest.approx(6 / 8)),
        ("strict", "calibration", 5): (3, pytest.approx(3 / 8)),
        ("strict", "test", 0): (2, pytest.approx(6 / 8)),
        ("strict", "test", 5): (3, pytest.approx(3 / 8)),
        ("paper", "calibration", 0): (3, pytest.approx(4 / 4)),
        ("paper", "calibration", 5): (1, pytest.approx(0)),
        ("paper", "test", 0): (1, pytest.approx(3 / 4)),
        ("paper", "test", 5): (3, pytest.approx(4 / 4)),
    }


def test_ties_go_to_the_earliest_candidate():
    tied = {(seed, c, part): 2 for seed in SEEDS for c in (2, 3) for part in PARTS}
    assert {candidate for candidate, _ in choose(tied, tied).values()} == {2}
    assert {candidate for candidate, _ in choose({}, {}).values()} == {1}


def with_other_test_clips(phases: dict, rng: np.random.Generator) -> dict:
    """Other features of all test subjects' clips, and of the whole test phase; other labels."""
    other = {}
    for phase, (classifier, features, roles) in phases.items():
        features, roles = features.copy(), roles.copy()
        tested = (roles.part == "test").to_numpy()
        swapped = rng.permutation(np.flatnonzero(tested))
        columns = ["class_id", "side"]
        roles.loc[tested, columns] = roles.loc[swapped, columns].to_numpy()
        blind = tested if phase == "calibration" else np.full(len(roles), True)
        features.loc[blind] = rng.random((blind.sum(), features.shape[1]), dtype=np.float32)
        other[phase] = (classifier, features, roles.astype({"class_id": "int64"}))
    return other


@given(st.integers(0, 2**32 - 1))
def test_strict_never_looks_at_test_clips(seed):
    """Other answers and labels of all test clips leave its choice, and all its figures."""
    rng = np.random.default_rng(seed)
    right = {
        phase: {(s, c, part): int(rng.integers(5)) for c, s in RUNS for part in PARTS}
        for phase in PHASES
    }
    phases = {phase: (*scored_of(phase, right[phase]), roles_of(phase)) for phase in PHASES}
    chosen, again = choose_from(phases), choose_from(with_other_test_clips(phases, rng))
    pd.testing.assert_frame_equal(
        again[again.protocol == "strict"], chosen[chosen.protocol == "strict"]
    )
    assert set(chosen.protocol) == set(PROTOCOLS)


def test_paper_does_look_at_test_clips():
    """The same answers, with the labels of the test clips changed, choose another candidate."""
    right = {(seed, c, "test"): c for seed in SEEDS for c in CANDIDATES}
    phases = {phase: (*scored_of(phase, right), roles_of(phase)) for phase in PHASES}
    before = choose_from(phases)
    for _, _, roles in phases.values():
        unseen = roles.index[(roles.side == "unseen") & (roles.part == "test")]
        roles.loc[unseen, "class_id"] = roles.loc[unseen, "class_id"].to_numpy()[::-1]
    after = choose_from(phases)
    paper = [table[table.protocol == "paper"].candidate.tolist() for table in (before, after)]
    assert paper == [[3] * 4, [1] * 4]


def test_without_calibration_clips_of_training_subjects_there_is_no_strict_protocol():
    tested = {p: (*scored_of(p, {}), roles_of(p).query("part == 'test'")) for p in PHASES}
    assert set(choose_from(tested).protocol) == {"paper"}


def test_paper_takes_the_test_clips_that_are_for_zssar():
    """Released features may have others for GZSSAR."""
    counts = pd.DataFrame(
        [(0, 1, "zssar_test", 4, 3), (0, 2, "zssar_test", 4, 2), (0, 2, "gzssar_test", 4, 4)],
        columns=["seed", "candidate", "part", "clips", "right"],
    )
    counts = counts.assign(candidate_name="model", temperature=1.0)
    chosen = choose_candidates(counts, counts)
    assert chosen.candidate.tolist() == [1, 1]
    assert chosen.accuracy.tolist() == [0.75, 0.75]


@pytest.mark.parametrize("change", [{"seed": 7}, {"candidate_name": "other"}, {"candidate": 9}])
def test_phases_of_other_models_are_refused(change):
    calibration, test = (
        count_right(*scored_of(phase, {}), roles_of(phase), phase) for phase in PHASES
    )
    message = "the calibration phase has 6 models .* they were fitted with different parameters"
    with pytest.raises(ValueError, match=message):
        choose_candidates(calibration, test.assign(**change))
    with pytest.raises(ValueError, match=message):
        choose_candidates(calibration, test[test.candidate < 3])
    order = np.random.default_rng(0).permutation(len(test))
    assert len(choose_candidates(calibration, test.iloc[order])) == 8


# --- right answers and temperatures ---


def test_right_clips_are_counted_by_candidate_seed_and_part():
    right = {(0, 1, "train"): 3, (5, 2, "test"): 4, (0, 2, "held_out"): 1}
    for phase in PHASES:
        counts = count_right(*scored_of(phase, right), roles_of(phase), phase)
        assert len(counts) == len(RUNS) * len(PARTS)
        assert set(counts.clips) == {4}
        assert counts.candidate_name.tolist() == [f"model {c}" for c in counts.candidate]
        found = counts.set_index(["seed", "candidate", "part"]).right
        assert found[found > 0].to_dict() == right
        assert ("temperature" in counts) == (phase == "calibration")


def test_rows_are_found_by_name():
    classifier, features = scored_of("test", {(0, 1, "train"): 3, (5, 2, "test"): 4})
    roles = roles_of("test")
    expected = count_right(classifier, features, roles, "test")
    order = np.random.default_rng(0).permutation(len(roles))
    for mixed, clips in ((features.iloc[order], roles), (features, roles.iloc[order])):
        pd.testing.assert_frame_equal(count_right(classifier, mixed, clips, "test"), expected)
    name = roles.name[roles.side == "unseen"].iloc[3]
    with pytest.raises(ValueError, match=f"^features: no row for 1 of 12 clips, such as {name};"):
        count_right(classifier, features.drop(name), roles, "test")


def test_a_classifier_of_other_classes_is_refused():
    """The split has changed, and the alignment has not been run again."""
    classifier, features = scored_of("calibration", {})
    roles = roles_of("calibration")
    roles["class_id"] = roles.class_id.replace(4, 5)
    message = r"calibration phase has unseen classes \[3, 5\], but the classifier is of \[3, 4\]"
    with pytest.raises(ValueError, match=message):
        count_right(classifier, features, roles, "calibration")


def test_each_candidates_temperature_is_chosen_on_clips_of_training_subjects():
    """Sure and right asks for a cold one, sure and wrong for a warm one."""
    right = {(0, 1, part): 4 for part in ("train", "held_out")}
    classifier, features = scored_of("calibration", right | {(0, 2, "test"): 4})
    counts = count_right(classifier, features, roles_of("calibration"), "calibration")
    found = counts.groupby(["candidate", "seed"]).temperature.unique().to_dict()
    assert found == {run: [0.5 if run == (1, 0) else 2.0] for run in RUNS}
    tested = roles_of("calibration").query("part == 'test'")  # as in released features
    counts = count_right(classifier, features, tested, "calibration")
    found = counts.groupby(["candidate", "seed"]).temperature.unique().to_dict()
    assert found == {run: [0.5 if run == (2, 0) else 2.0] for run in RUNS}


def test_the_calibration_phases_temperature_holds_in_both():
    calibration, test = (
        count_right(*scored_of(phase, {}), roles_of(phase), phase) for phase in PHASES
    )
    calibration["temperature"] = 10.0 * calibration.candidate + calibration.seed
    chosen = choose_candidates(calibration, test)
    assert (chosen.temperature == 10.0 * chosen.candidate + chosen.seed).all()


@pytest.mark.parametrize("true", [0.1, 0.5, 2.0])
def test_the_temperature_that_made_the_labels_is_found(true):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20000, 4, generator=generator)
    probs = (logits / true).softmax(-1)
    labels = torch.multinomial(probs, 1, generator=generator)[:, 0]
    assert choose_temperature(logits, labels, [0.05, 0.1, 0.5, 2.0, 10.0]) == true


def test_temperature_by_hand():
    """Sure and wrong: the warmest; sure and right: the coldest; ties: the first."""
    logits, labels = torch.tensor([[5.0, 0.0]]), torch.tensor([0])
    assert choose_temperature(logits, labels, [2.0, 1.0, 3.0]) == 1.0
    assert choose_temperature(logits, 1 - labels, [2.0, 1.0, 3.0]) == 3.0
    assert choose_temperature(0 * logits, labels, [2.0, 1.0, 3.0]) == 2.0


# --- probabilities ---


def choices(*rows: tuple) -> pd.DataFrame:
    """A table of candidates from protocol, phase, seed, candidate and temperature."""
    return pd.DataFrame([(*row, 0.5) for row in rows], columns=COLUMNS)


def test_probabilities_are_those_of_the_chosen_models():
    """Of every clip that is not trained on, at the chosen temperature, once for each model."""
    classifier, features = scored_of("test", {(0, 1, "train"): 3, (5, 2, "test"): 2})
    roles = roles_of("test")
    roles.loc[roles.name.str.contains("-2-"), "side"] = "excluded"
    order = np.random.default_rng(0).permutation(len(roles))
    candidates = choices(
        ("strict", "test", 5, 2, 0.5),
        ("strict", "test", 0, 1, 2.0),
        ("paper", "test", 5, 2, 0.5),
        ("paper", "calibration", 0, 3, 1.0),
    )
    found = unseen_probs(classifier, features.iloc[order], roles, candidates, "test")
    names = roles.query("side == 'unseen' or (side == 'seen' and part != 'train')").name
    names = sorted(names)
    assert found.index.names == ["candidate", "seed", "name"]
    assert found.columns.tolist() == list(UNSEEN["test"])
    assert found.columns.name == "class_id"
    assert found.index.tolist() == [(*run, name) for run in ((1, 0), (2, 5)) for name in names]
    assert found.dtypes.unique().tolist() == [np.float32]
    for (candidate, seed), temperature in {(1, 0): 2.0, (2, 5): 0.5}.items():
        place = RUNS.index((candidate, seed))
        logits = features.loc[names].to_numpy()[:, 2 * place : 2 * place + 2]
        powers = np.exp(logits / temperature)
        expected = powers / powers.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(found.loc[candidate, seed], expected, rtol=1e-6)
    with pytest.raises(ValueError, match=f"^features: no row for 1 of .* such as {names[4]};"):
        unseen_probs(classifier, features.drop(names[4]), roles, candidates, "test")


def test_every_protocol_gets_its_own_models_probabilities():
    rows = [(1, 0, "a", 0.1), (1, 5, "a", 0.2), (2, 5, "a", 0.3)]
    probs = pd.DataFrame(rows, columns=["candidate", "seed", "name", 20])
    candidates = choices(
        ("strict", "test", 0, 1, 1.0),
        ("strict", "test", 5, 2, 1.0),
        ("paper", "test", 5, 1, 1.0),
        ("paper", "calibration", 5, 2, 1.0),
    )
    indexed = probs.set_index(["candidate", "seed", "name"])
    found = [(p, s, mine[20].to_dict()) for p, s, mine in chosen_probs(indexed, candidates, "test")]
    assert found == [("strict", 0, {"a": 0.1}), ("strict", 5, {"a": 0.3}), ("paper", 5, {"a": 0.2})]


def test_the_best_class_is_that_of_the_largest_column():
    table = pd.DataFrame({20: [0.1, 0.6, 0.5], 3: [0.9, 0.4, 0.5]}, index=["a", "b", "c"])
    assert best_class(table).tolist() == [3, 20, 20]
