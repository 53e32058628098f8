"""Which cycle a protocol uses: by hand, and what the strict protocol must not look at."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msf_kedro.zero_shot.protocols import (
    PROTOCOLS,
    best_class,
    choose_cycles,
    class_columns,
    count_right,
)
from msf_kedro.zero_shot.splits import PHASES

SEEDS = (0, 5)
CYCLES = (1, 2, 3)
PARTS = ("train", "held_out", "test")
UNSEEN = {"calibration": (3, 4), "test": (10, 20)}


def roles_of(phase: str) -> pd.DataFrame:
    """Two clips of each class and part; clips are called after them."""
    rows = []
    for side, action in [("seen", 1), ("seen", 2), *(("unseen", a) for a in UNSEEN[phase])]:
        for part, number in itertools.product(PARTS, (1, 2)):
            rows.append((f"{phase}-{action}-{part}-{number}", action, side, part))
    return pd.DataFrame(rows, columns=["name", "action", "side", "part"])


def probs_of(phase: str, right: dict) -> pd.DataFrame:
    """Probabilities in which, per (seed, cycle, part), so many of 4 unseen clips are right."""
    first, second = (f"class_{action}" for action in UNSEEN[phase])
    tables = []
    for seed, cycle in itertools.product(SEEDS, CYCLES):
        clips = roles_of(phase).query("side == 'unseen' or part != 'train'")
        place = clips[clips.side == "unseen"].groupby("part").cumcount().reindex(clips.index)
        wanted = clips.part.map(lambda part, s=seed, c=cycle: right.get((s, c, part), 0))
        is_first = clips.action == UNSEEN[phase][0]
        call_first = is_first == (place < wanted)
        table = pd.DataFrame({"cycle": cycle, "seed": seed, "name": clips.name})
        tables.append(
            table.assign(**{first: call_first * 0.8 + 0.1, second: 0.9 - call_first * 0.8})
        )
    return pd.concat(tables, ignore_index=True)


def counts_of(probs: pd.DataFrame, roles: pd.DataFrame) -> pd.DataFrame:
    """What the alignment stage counts: right unseen clips by cycle, seed and part."""
    unseen = roles[roles.side == "unseen"].set_index("name")
    tables = []
    for (cycle, seed), run in probs[probs.name.isin(unseen.index)].groupby(["cycle", "seed"]):
        columns = class_columns(run)
        classes = [int(column.removeprefix("class_")) for column in columns]
        counts = count_right(run[columns].to_numpy(), classes, unseen.loc[run.name])
        tables.append(counts.assign(cycle=cycle, seed=seed))
    return pd.concat(tables, ignore_index=True)


def choose_from(phases: dict) -> pd.DataFrame:
    return choose_cycles({phase: counts_of(*tables) for phase, tables in phases.items()})


def choose(calibration: dict, test: dict) -> dict:
    """(protocol, phase, seed) → (cycle, accuracy)."""
    phases = {
        phase: (probs_of(phase, right), roles_of(phase))
        for phase, right in zip(PHASES, (calibration, test), strict=True)
    }
    table = choose_from(phases)
    assert table.columns.tolist() == ["protocol", "phase", "seed", "cycle", "accuracy"]
    keys = table[["protocol", "phase", "seed"]].itertuples(index=False, name=None)
    return dict(zip(keys, zip(table.cycle, table.accuracy, strict=True), strict=True))


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


def test_ties_go_to_the_earliest_cycle():
    tied = {(seed, cycle, part): 2 for seed in SEEDS for cycle in (2, 3) for part in PARTS}
    assert {cycle for cycle, _ in choose(tied, tied).values()} == {2}
    assert {cycle for cycle, _ in choose({}, {}).values()} == {1}


@given(st.integers(0, 2**32 - 1))
def test_strict_never_looks_at_test_clips(seed):
    """Other probabilities and labels of all test clips leave its choice, and all its figures."""
    rng = np.random.default_rng(seed)
    runs = list(itertools.product(SEEDS, CYCLES, PARTS))
    right = {phase: {run: int(rng.integers(5)) for run in runs} for phase in PHASES}
    phases = {phase: (probs_of(phase, right[phase]), roles_of(phase)) for phase in PHASES}
    chosen = choose_from(phases)

    other = {}
    for phase, (probs, roles) in phases.items():
        probs, roles = probs.copy(), roles.copy()
        tested = (roles.part == "test").to_numpy()
        swapped = rng.permutation(np.flatnonzero(tested))
        roles.loc[tested, ["action", "side"]] = roles.loc[swapped, ["action", "side"]].to_numpy()
        blind = probs.name.isin(roles.name[tested]) if phase == "calibration" else probs.index >= 0
        columns = class_columns(probs)
        probs.loc[blind, columns] = rng.dirichlet([1, 1], int(np.sum(blind)))
        other[phase] = (probs, roles)
    again = choose_from(other)
    pd.testing.assert_frame_equal(
        again[again.protocol == "strict"], chosen[chosen.protocol == "strict"]
    )
    assert set(chosen.protocol) == set(PROTOCOLS)


def test_paper_does_look_at_test_clips():
    """The same probabilities, with the labels of two test clips changed, choose another cycle."""
    right = {(seed, cycle, "test"): cycle for seed in SEEDS for cycle in CYCLES}
    roles = {phase: roles_of(phase) for phase in PHASES}
    before = choose_from({p: (probs_of(p, right), roles[p]) for p in PHASES})
    for table in roles.values():
        unseen = table.index[(table.side == "unseen") & (table.part == "test")]
        table.loc[unseen, "action"] = table.loc[unseen, "action"].to_numpy()[::-1]
    after = choose_from({p: (probs_of(p, right), roles[p]) for p in PHASES})
    paper = [table[table.protocol == "paper"].cycle.tolist() for table in (before, after)]
    assert paper == [[3] * 4, [1] * 4]


def test_right_clips_are_counted_by_part():
    clips = pd.DataFrame({"action": [3, 7, 7, 3], "part": ["test", "train", "test", "test"]})
    probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
    counts = count_right(probs, [3, 7], clips)
    assert counts.to_dict("records") == [
        {"part": "test", "clips": 3, "right": 2},
        {"part": "train", "clips": 1, "right": 1},
    ]


def test_without_calibration_clips_of_training_subjects_there_is_no_strict_protocol():
    tested = {p: (probs_of(p, {}), roles_of(p).query("part == 'test'")) for p in PHASES}
    assert set(choose_from(tested).protocol) == {"paper"}


def test_paper_takes_the_test_clips_that_are_for_zssar():
    """Released features may have others for GZSSAR."""
    counts = pd.DataFrame(
        [(0, 1, "zssar_test", 4, 3), (0, 2, "zssar_test", 4, 2), (0, 2, "gzssar_test", 4, 4)],
        columns=["seed", "cycle", "part", "clips", "right"],
    )
    chosen = choose_cycles(dict.fromkeys(PHASES, counts))
    assert chosen.cycle.tolist() == [1, 1]
    assert chosen.accuracy.tolist() == [0.75, 0.75]


def test_best_class_reads_numbers_off_the_columns():
    table = pd.DataFrame(
        {"name": ["a", "b"], "class_20": [0.1, 0.6], "seed": 9, "class_3": [0.9, 0.4]}, index=[5, 2]
    )
    assert class_columns(table) == ["class_20", "class_3"]
    assert best_class(table).to_dict() == {5: 3, 2: 20}
