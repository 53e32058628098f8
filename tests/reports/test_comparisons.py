"""Bootstrap and tests: against slow loops, known distributions, and what must come out."""

import dataclasses
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp
from support.made_up import ALL, benchmark, better_with_more_texts, harmonic, outcomes

from msf_kedro.reports import comparisons
from msf_kedro.reports.comparisons import CELL, Cell, TablesConfig, sign_flip_test

CONFIG = TablesConfig(resamples=400, level=0.95, seed=0)
MSF, RIDGE = Cell("msf", "LB", "MiniLM"), Cell("ridge", "LB", "MiniLM")
KEYS = [*CELL, "protocol", "gate", "figure", "split", "seeds"]


def two(chance: float, other: float, **sizes) -> pd.DataFrame:
    """Outcomes of MSF and ridge regression with labels, of given chances to be right."""
    cells = [("msf", "LB"), ("ridge", "LB")]
    return outcomes(lambda method, *_: chance if method == "msf" else other, cells, **sizes)


def zssar(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table.figure == "zssar_accuracy") & (table.protocol == "strict")]


def interval(table: pd.DataFrame, config=CONFIG) -> pd.Series:
    """MSF's interval of ZSSAR, strict."""
    rows = comparisons.intervals(comparisons.resample(table, config), config.level)
    return zssar(rows[rows.method == "msf"]).iloc[0]


def difference(table: pd.DataFrame, config=CONFIG) -> pd.Series:
    """ZSSAR of MSF minus that of ridge regression, strict."""
    resamples = comparisons.resample(table, config)
    return zssar(comparisons.differences(resamples, [(MSF, RIDGE)], config)).iloc[0]


# --- the resampling ---


def test_figures_are_those_of_the_benchmark():
    table = outcomes(better_with_more_texts, splits=2)
    resamples = comparisons.resample(table, CONFIG)
    comparisons.check_same_run(benchmark(table), resamples)
    assert resamples.index.names == KEYS
    found = resamples[0].droplevel("seeds")
    assert len(found) == len(ALL) * 2 * 2 * (1 + 3 * 2)  # splits, protocols, ZSSAR and gates
    rows = table[(table.method == "synse") & (table.split == "split_2")]
    seen, unseen = (rows[rows.side == side] for side in ("seen", "unseen"))
    of = ("synse", "verb+noun", "MiniLM", "paper")
    own = [unseen[f"own.paper.{seed}"].mean() for seed in range(3)]
    assert found[(*of, "", "zssar_accuracy", "split_2")] == pytest.approx(np.mean(own))
    names = [f"right.paper.logistic.{seed}" for seed in range(3)]
    by_seed = [harmonic(seen[name].mean(), unseen[name].mean()) for name in names]
    assert found[(*of, "logistic", "harmonic_mean", "split_2")] == pytest.approx(np.mean(by_seed))


def test_draws_are_those_of_a_slow_loop():
    """Clip by clip and seed by seed, from the same random numbers."""
    table = two(0.6, 0.4, clips=(7, 9), seeds=3)
    config = dataclasses.replace(CONFIG, resamples=20)
    resamples = comparisons.resample(table, config)
    places = {"unseen, alone": "own.strict", "unseen": "right.strict.logistic"}
    places |= {"seen": "right.strict.logistic"}
    drawn = {}
    for purpose in places:
        clips = 9 if purpose == "seen" else 7
        key = comparisons.derive_seed(config.seed, "clips", purpose, "split_1")
        drawn[purpose] = np.random.default_rng(key).integers(clips, size=(20, clips))
    for cell in (MSF, RIDGE):
        rows = table[table.method == cell.method].sort_values("name")
        key = comparisons.derive_seed(config.seed, "seeds", "split_1", *cell)
        seeds = np.random.default_rng(key).multinomial(3, [1 / 3] * 3, size=20)
        expected = {name: [] for name in ("zssar_accuracy", "acc_seen", "harmonic_mean")}
        for draw in range(20):
            by_seed = {name: [] for name in expected}
            for seed in range(3):
                acc = {}
                for purpose, prefix in places.items():
                    part = rows[rows.side == purpose.split(",")[0]][f"{prefix}.{seed}"].to_numpy()
                    acc[purpose] = sum(part[clip] for clip in drawn[purpose][draw]) / len(part)
                by_seed["zssar_accuracy"].append(acc["unseen, alone"])
                by_seed["acc_seen"].append(acc["seen"])
                by_seed["harmonic_mean"].append(harmonic(acc["seen"], acc["unseen"]))
            for name, values in by_seed.items():
                expected[name].append(np.dot(seeds[draw], values) / 3)
        for name, values in expected.items():
            gate = "" if name == "zssar_accuracy" else "logistic"
            drawn_again = resamples.loc[(*cell, "strict", gate, name, "split_1", 3), 1:]
            np.testing.assert_allclose(drawn_again, values)


@pytest.mark.parametrize("at_once", [1, 30, 4_000_000])
def test_it_does_not_matter_how_many_are_drawn_at_once(monkeypatch, at_once):
    """Memory is bounded in pieces; pieces draw the same numbers one after another."""
    right = np.random.default_rng(0).random((9, 4)) < 0.5
    expected = comparisons._drawn_accuracies(right, 50, np.random.default_rng(1))
    monkeypatch.setattr(comparisons, "_DRAWN", at_once)
    found = comparisons._drawn_accuracies(right, 50, np.random.default_rng(1))
    np.testing.assert_array_equal(found, expected)


def test_a_cells_draws_depend_on_nothing_else():
    """Not on other cells, other splits, or the order of rows; but on the seed."""
    table = outcomes(better_with_more_texts, splits=2)

    def draws(some: pd.DataFrame, seed: int = 0) -> np.ndarray:
        resamples = comparisons.resample(some, dataclasses.replace(CONFIG, seed=seed))
        return resamples.xs(("synse", "split_2"), level=("method", "split")).to_numpy()

    expected = draws(table)
    alone = table[(table.method == "synse") & (table.split == "split_2")]
    np.testing.assert_array_equal(draws(alone), expected)
    np.testing.assert_array_equal(draws(table.sample(frac=1, random_state=0)), expected)
    assert (draws(alone, seed=1) != expected).any()


def test_clips_are_drawn_within_their_side():
    """All seen clips right and all unseen ones wrong: no draw may mix them."""
    table = two(2.0, 2.0, clips=(5, 40))
    right = [name for name in table if name.startswith("right.")]
    table[right] = np.repeat(table.side.eq("seen").to_numpy()[:, None], len(right), axis=1)
    resamples = comparisons.resample(table, CONFIG)
    for figure, value in (("acc_seen", 1), ("acc_unseen", 0), ("harmonic_mean", 0)):
        draws = resamples.xs(figure, level="figure")
        assert len(draws)
        np.testing.assert_allclose(draws, value, atol=1e-12)  # the seeds' parts add up to about 1


def test_draws_are_paired_between_cells():
    """Where two methods agree on every clip and seed, so do their draws."""
    table = two(0.5, 0.5, clips=(50, 50), seeds=1)
    same = [name for name in table if name.startswith(("own", "right"))]
    half = len(table) // 2
    table.loc[half:, same] = table.loc[: half - 1, same].to_numpy()
    row = difference(table)
    assert (row["mean"], row.low, row.high, row.p_bootstrap) == (0, 0, 0, 1)
    assert interval(table).high - interval(table).low > 0.1


def test_clips_that_take_no_part_are_left_out():
    """Released features may have other clips for ZSSAR than for GZSSAR."""
    table = two(0.6, 0.4, clips=(20, 20))
    plain = comparisons.resample(table, CONFIG)
    own = [name for name in table if name.startswith("own.")]
    right = [name for name in table if name.startswith("right.")]
    more = table[table.side == "unseen"].copy()
    parts = [table.astype(dict.fromkeys(own + right, object)), more.astype(object)]
    parts[0].loc[table.side == "unseen", right] = None
    parts[1][own] = None
    parts[1]["name"] = "gzssar_" + parts[1].name
    found = comparisons.resample(pd.concat(parts, ignore_index=True), CONFIG)
    pd.testing.assert_frame_equal(found, plain, check_exact=True)


def test_a_method_with_fewer_seeds_is_averaged_over_its_own():
    table = two(0.6, 0.4, seeds=3)
    last = [name for name in table if name.endswith(".2")]
    table[last] = table[last].astype(object)
    table.loc[table.method == "ridge", last] = None
    resamples = comparisons.resample(table, CONFIG)
    by_method = resamples.index.to_frame(index=False).groupby("method").seeds.unique()
    assert by_method.map(list).to_dict() == {"msf": [3], "ridge": [2]}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda t: t.drop(index=3),
            r"split_1: ridge, LB, MiniLM holds other test clips than msf, LB, MiniLM: it lacks \[\]"
            r" and has \['clip_0_3'\]",
        ),
        (
            lambda t: t.drop(index=len(t) // 2 + 3),
            r"than msf, LB, MiniLM: it lacks \['clip_0_3'\] and has \[\]",
        ),
        (
            lambda t: pd.concat([t, t.iloc[:1]]),
            r"split_1: msf, LB, MiniLM: clip clip_0_0 comes twice",
        ),
        (
            lambda t: t.astype({"own.strict.0": object}).assign(
                **{"own.strict.0": lambda t: t["own.strict.0"].where(t.name != "clip_0_0")}
            ),
            r"split_1: msf, LB, MiniLM: some runs lack some clips",
        ),
    ],
)
def test_outcomes_that_cannot_be_paired_are_refused(spoil, message):
    with pytest.raises(ValueError, match=message):
        comparisons.resample(spoil(two(0.6, 0.4)), CONFIG)


# --- intervals ---


def test_an_interval_is_as_wide_as_the_binomials():
    table = two(0.7, 0.5, clips=(400, 10), seeds=1)
    row = interval(table, dataclasses.replace(CONFIG, resamples=4000))
    normal = 2 * 1.96 * np.sqrt(row["mean"] * (1 - row["mean"]) / 400)
    assert row.high - row.low == pytest.approx(normal, rel=0.06)
    assert row.low < row["mean"] < row.high
    narrow = interval(table, dataclasses.replace(CONFIG, level=0.5))
    assert narrow.high - narrow.low == pytest.approx(normal * 0.6745 / 1.96, rel=0.15)


def test_intervals_shrink_with_clips():
    widths = []
    for clips in (50, 200, 800):
        row = interval(two(0.6, 0.6, clips=(clips, 5), seeds=2))
        widths.append(row.high - row.low)
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.35)
    assert widths[1] / widths[2] == pytest.approx(2, rel=0.35)


def test_intervals_grow_with_the_spread_over_seeds():
    """Every clip alike: only seeds differ, and their draws alone make the width."""
    table = two(0.5, 0.5, clips=(100, 10), seeds=2)
    names = ["own.strict.0", "own.strict.1"]
    table[names] = [True, True]
    assert interval(table).high == interval(table).low == 1
    table[names] = [True, False]
    row = interval(table)
    assert (row.low, row["mean"], row.high) == (0, 0.5, 1)


def test_intervals_hold_what_they_are_of_about_as_often_as_they_say():
    """200 worlds with one true accuracy; seeds are of the world, as its clips are."""
    config = TablesConfig(resamples=200, level=0.9, seed=0)
    held = 0
    for world in range(200):
        generator = np.random.default_rng(world)
        right = generator.random((60, 1)) < 0.7
        drawn = comparisons._drawn_accuracies(right, config.resamples, generator)
        row = comparisons._interval(np.append(right.mean(), drawn)[None], config.level)
        held += row["low"] <= 0.7 <= row["high"]
    assert 0.83 < held / 200 < 0.96


def test_several_splits_are_averaged():
    table = outcomes(lambda _m, _t, split: (1.0, 0.0)[split] * 9 - 4, [("msf", "LB")], splits=2)
    row = interval(table)
    assert (row.low, row["mean"], row.high) == pytest.approx((0.5, 0.5, 0.5))
    assert row.n == 2


# --- differences ---


def test_equal_methods_differ_by_nothing_much():
    row = difference(two(0.6, 0.6, clips=(300, 10)))
    assert row.low < 0 < row.high
    assert row.p_bootstrap > 0.05


def test_a_clearly_better_method_has_a_small_p_both_ways():
    table = two(0.8, 0.4, clips=(200, 10), splits=3)
    row = difference(table)
    assert row["mean"] == pytest.approx(0.4, abs=0.1)
    assert row.low > 0.2
    assert row.p_bootstrap == pytest.approx(2 / (CONFIG.resamples + 1))
    assert row.p_splits == row.smallest_p_splits == 0.25
    resamples = comparisons.resample(table, CONFIG)
    other = zssar(comparisons.differences(resamples, [(RIDGE, MSF)], CONFIG)).iloc[0]
    assert (other["mean"], other.low, other.high) == pytest.approx(
        (-row["mean"], -row.high, -row.low)
    )
    assert other.p_bootstrap == row.p_bootstrap


def test_the_interval_over_splits_is_students():
    table = two(0.8, 0.4, clips=(200, 10), splits=4)
    row = difference(table)
    resamples = comparisons.resample(table, CONFIG)[0].rename("figure_itself").reset_index()
    mine = zssar(resamples).pivot(index="split", columns="method", values="figure_itself")
    test = ttest_1samp(mine.msf - mine.ridge, 0)
    expected = test.confidence_interval(CONFIG.level)
    assert (row.low_splits, row.high_splits) == pytest.approx(tuple(expected))
    single = difference(two(0.8, 0.4, clips=(200, 10)))
    assert np.isnan([single.low_splits, single.high_splits]).all()


def test_p_is_spread_evenly_where_nothing_differs():
    """Of 300 worlds without a difference about a tenth may have p ≤ 0.1."""
    ps = []
    for world in range(300):
        generator = np.random.default_rng(world)
        right = generator.random((50, 2)) < 0.6
        drawn = comparisons._drawn_accuracies(right, 200, generator)
        figures = np.vstack([right.mean(axis=0), drawn])
        by_split = (figures[:, 0] - figures[:, 1])[None]
        ps.append(comparisons._difference(by_split, CONFIG)["p_bootstrap"])
    assert 0.05 < np.mean(np.array(ps) <= 0.1) < 0.16
    assert 0.4 < np.mean(np.array(ps) <= 0.5) < 0.6


def test_pairs_are_compared_over_the_splits_that_both_have():
    table = two(0.6, 0.4, splits=3)
    table = table[(table.method == "msf") | (table.split != "split_1")]
    row = difference(table)
    assert row.n == 2
    shared = table[table.split != "split_1"]
    assert row["mean"] == pytest.approx(difference(shared)["mean"])


def test_pairs():
    cells = [Cell(*cell, "MiniLM") for cell in ALL]
    pairs = [(one[:2], other[:2]) for one, other in comparisons.pairs(cells)]
    full = ("msf", "LB+AD+MD")
    baselines = ["revise LB", "jpose verb+noun", "cada_vae LB", "synse verb+noun"]
    assert pairs[:5] == [
        (full, ("ridge", "LB+AD+MD")),
        *((full, tuple(name.split())) for name in baselines),
    ]
    inside = [(one[1], other[1]) for one, other in pairs if one[0] == other[0] == "msf"]
    assert inside == list(comparisons.ABLATIONS)
    same = [(one, other) for one, other in pairs if one[0] != "msf"]
    others = [cell for cell in ALL if cell[0] != "msf" and cell[1] != "LB+AD+MD"]
    assert same == [(cell, ("msf", cell[1])) for cell in others if cell[1] != "verb+noun"]
    assert ("revise", "LB") in [one for one, _ in same]
    assert len(pairs) == len(set(pairs)) == 18


def test_a_method_is_compared_with_all_texts_or_with_what_it_has():
    some = [
        ("msf", "LB+AD+MD"),
        ("ridge", "LB+AD+MD"),
        ("ridge", "MD"),
        ("own", "MD"),
        ("own", "AD"),
    ]
    cells = [Cell(*cell, "MiniLM") for cell in some]
    found = [(*one[:2], *other[:2]) for one, other in comparisons.pairs(cells)]
    against = [("ridge", "LB+AD+MD"), ("own", "MD"), ("own", "AD")]
    assert found == [("msf", "LB+AD+MD", *other) for other in against]


def test_pairs_stay_within_an_encoder_and_what_is_there():
    some = [*(("msf", t) for t in ("LB", "MD")), ("ridge", "LB"), ("synse", "verb+noun")]
    cells = [Cell(*cell, encoder) for encoder, cell in product(("a", "b"), some)]
    expected = [("msf", "MD", "msf", "LB"), ("ridge", "LB", "msf", "LB")]
    found = comparisons.pairs(cells)
    assert [(*one[:2], *other[:2]) for one, other in found] == 2 * expected
    assert [{one.encoder, other.encoder} for one, other in found] == [{"a"}] * 2 + [{"b"}] * 2


def test_transductive_methods_are_compared_with_each_other_and_with_themselves():
    full, plain = "LB+AD+MD", ("msf", "ridge")
    cells = [Cell(f"{m}{end}", full, "a") for m in plain for end in ("", ", transductive")]
    found = [(one.method, other.method) for one, other in comparisons.pairs(cells)]
    assert found == [
        ("msf", "ridge"),
        ("msf, transductive", "ridge, transductive"),
        ("msf, transductive", "msf"),
        ("ridge, transductive", "ridge"),
    ]
    alone = [cell for cell in cells if cell.method.endswith("transductive")]
    assert [one.method for one, _ in comparisons.pairs(alone)] == ["msf, transductive"]


# --- sign flips ---


@pytest.mark.parametrize("count", [2, 5, 8])
def test_sign_flips_are_those_of_a_slow_loop(count):
    generator = np.random.default_rng(count)
    differences = generator.normal(0.5, size=count)
    as_far = [
        abs(np.dot(signs, differences)) >= abs(differences.sum()) - 1e-12
        for signs in product((1, -1), repeat=count)
    ]
    p, smallest = sign_flip_test(differences, generator)
    assert p == pytest.approx(np.mean(as_far))
    assert smallest == 2 / 2**count
    assert sign_flip_test(np.abs(differences), generator)[0] == smallest


def test_sign_flips_without_a_difference_or_with_one_split():
    generator = np.random.default_rng(0)
    assert sign_flip_test(np.zeros(5), generator)[0] == 1
    assert np.isnan(sign_flip_test(np.ones(1), generator)).all()


def test_sign_flips_of_up_to_16_splits_are_exact():
    """Whatever the generator: all patterns are gone through."""
    differences = np.random.default_rng(0).normal(0.2, size=16)
    found = [sign_flip_test(differences, np.random.default_rng(seed)) for seed in range(2)]
    signs = 1 - 2 * (np.arange(2**16)[:, None] >> np.arange(16) & 1)
    as_far = np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12
    assert found[0] == found[1] == (pytest.approx(as_far.mean(), abs=1e-9), 2.0**-15)


def test_sign_flips_of_many_splits_are_sampled():
    generator = np.random.default_rng(0)
    p, smallest = sign_flip_test(np.ones(20), generator)
    assert smallest <= p <= 3 * smallest
    assert 0.5 < sign_flip_test(np.tile([1.0, -0.9], 10), generator)[0] < 1


# --- benchmark and outcomes ---


def test_outcomes_of_another_run_are_refused():
    table = two(0.6, 0.4)
    figures = benchmark(table)
    resamples = comparisons.resample(table, CONFIG)
    other = figures.assign(acc_seen=figures.acc_seen + 0.01)
    with pytest.raises(ValueError, match=r"msf, LB, .* paper logistic: acc_seen is .* different"):
        comparisons.check_same_run(other, resamples)
    lacking = comparisons.resample(table[table.method == "msf"], CONFIG)
    with pytest.raises(ValueError, match=r"ridge, LB, .* outcomes of clips give nan \(14 such"):
        comparisons.check_same_run(figures, lacking)
    with pytest.raises(ValueError, match=r"ridge, LB, .* is nan in benchmark"):
        comparisons.check_same_run(figures[figures.method == "msf"], resamples)


# --- parameters ---


@pytest.mark.parametrize(
    ("field", "value"), [("resamples", 0), ("level", 0.0), ("level", 1.0), ("seed", -1)]
)
def test_parameters_out_of_range_are_refused(field, value):
    with pytest.raises(ValueError, match=rf"TablesConfig\n{field}\n.*input_value={value},"):
        dataclasses.replace(CONFIG, **{field: value})
