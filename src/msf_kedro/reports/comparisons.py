"""What the benchmark's figures are worth: intervals, and tests of differences.

Intervals come from a paired bootstrap. In each class split, test clips are drawn with replacement
within their side, the same drawn clips for every cell (method, texts, encoder); seeds are drawn
apart for each cell, whose replicas share no numbers with another's; a figure is computed again
from each draw and averaged over splits. H is concave, so its draws lie a little below it.

Drawing clips and seeds says how far a figure would move with other clips of the same classes and
other seeds. It does not cover the choice of classes. The spread over several splits does, and so
does the sign-flip test over split means, as far as a few splits can: over 5 splits its p is never
below 0.0625.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from scipy.stats import permutation_test

from msf_kedro.reports.published import FIGURES
from msf_kedro.runtime import derive_seed
from msf_kedro.zero_shot.metrics import harmonic_mean

CELL = ["method", "texts", "encoder"]
SCORED = ["protocol", "gate"]  # ZSSAR needs no gate: its gate is ""
FULL = "LB+AD+MD"
ABLATIONS = (
    ("MD", "LB"),
    ("AD", "LB"),
    ("AD+MD", "AD"),
    ("AD+MD", "MD"),
    (FULL, "LB"),
    (FULL, "AD"),
    (FULL, "MD"),
)

_DRAWN = 4_000_000  # clips drawn at once: bounds memory to some 100 MB
_PATTERNS = 2**16  # of signs: all of 16 splits


@dataclass(frozen=True)
class TablesConfig:
    """How tables come to their intervals.

    Attributes:
        resamples: draws of the bootstrap.
        level: of the intervals, 0.95 for those between the 2.5th and the 97.5th percentile.
        seed: root seed of the draws.
    """

    resamples: int
    level: float
    seed: int

    def __post_init__(self):
        if self.resamples < 1:
            raise ValueError(f"tables: resamples is {self.resamples}, expected at least 1")
        if not 0 < self.level < 1:
            raise ValueError(f"tables: level is {self.level}, expected between 0 and 1")
        if self.seed < 0:
            raise ValueError(f"tables: seed is {self.seed}, expected 0 or more")


class Cell(NamedTuple):
    """What is compared: a method with its texts and their encoder."""

    method: str
    texts: str
    encoder: str


class Resamples(NamedTuple):
    """Figures of every cell and split, as they are and drawn again.

    Attributes:
        keys: a row per figure: `CELL`, `split`, `SCORED`, `figure`, and `seeds`, their number.
        values: the figures, fractions, means over seeds.
        draws: the same of each draw.
    """

    keys: pd.DataFrame
    values: Float[np.ndarray, " n"]
    draws: Float[np.ndarray, "n B"]


def resample(outcomes: pd.DataFrame, config: TablesConfig) -> Resamples:
    """Draw test clips and seeds again and again, and compute every cell's figures from them.

    A cell's draws depend on the seed and on its own names only: more cells, or splits, change
    nothing in the others.

    Args:
        outcomes: a row per test clip and cell: `CELL`, `split`, `name`, `side`; boolean columns
            `own.<protocol>.<seed>` and `right.<protocol>.<gate>.<seed>`, empty for clips that do
            not take part.

    Raises:
        ValueError: cells of a split were tested on different clips, or twice on one.
    """
    keys, values, draws = [], [], []
    for split, table in outcomes.groupby("split", sort=True):
        for key, value, drawn in _resample_split(table, str(split), config):
            keys.append(key)
            values.append(value)
            draws.append(drawn)
    return Resamples(pd.DataFrame(keys), np.array(values), np.array(draws))


def intervals(resamples: Resamples, level: float) -> pd.DataFrame:
    """Percentile intervals, a row per cell, protocol, gate and figure; fractions.

    Returns:
        `CELL`, `SCORED`, `figure`, `mean` over `n` splits, `low`, `high`, and `runs`, those of all
        splits.
    """
    rows = []
    keys = [*CELL, *SCORED, "figure"]
    for key, places in resamples.keys.groupby(keys, sort=False).indices.items():
        low, high = _percentiles(resamples.draws[places].mean(axis=0), level)
        row = dict(zip(keys, key, strict=True)) | {"mean": resamples.values[places].mean()}
        row |= {"low": low, "high": high, "n": len(places), "over": "splits"}
        rows.append(row | {"runs": resamples.keys.seeds.iloc[places].sum()})
    return pd.DataFrame(rows)


def widest(cells: list[Cell]) -> list[Cell]:
    """Each method and encoder with all texts; where it has no such cell, all that it has."""
    full = {(c.method, c.encoder) for c in cells if c.texts == FULL}
    return [c for c in cells if c.texts == FULL or (c.method, c.encoder) not in full]


def pairs(cells: list[Cell]) -> list[tuple[Cell, Cell]]:
    """What is tested against what, as far as it is among the cells, encoder by encoder.

    MSF with all texts against every other method's `widest` cells; more texts against fewer, and MD
    and AD against LB, inside MSF; every other method against MSF with the same texts. No pair is
    chosen by its figures.
    """
    found = []
    for encoder in dict.fromkeys(cell.encoder for cell in cells):
        here = [cell for cell in cells if cell.encoder == encoder]
        others = [cell for cell in here if cell.method != "msf"]
        full = Cell("msf", FULL, encoder)
        wanted = [(full, other) for other in widest(others)]
        wanted += [(Cell("msf", a, encoder), Cell("msf", b, encoder)) for a, b in ABLATIONS]
        wanted += [(c, Cell("msf", c.texts, encoder)) for c in others if c.texts != FULL]
        found += [pair for pair in wanted if set(pair) <= set(here)]
    return found


def differences(
    resamples: Resamples, chosen: list[tuple[Cell, Cell]], config: TablesConfig
) -> pd.DataFrame:
    """The first cell minus the second, over the splits that both have; fractions.

    `p_bootstrap` is two-sided: twice the smaller part of draws on one side of 0, the figures
    themselves counted as one more draw, so that it is at least 2 / (resamples + 1). It is not
    corrected for the number of pairs. `p_splits` is that of `sign_flip_test`.

    Returns:
        A row per pair, protocol, gate and figure: `CELL`, `against_method`, `against_texts`,
        `SCORED`, `figure`, `mean` over `n` shared splits, `low`, `high`, `p_bootstrap`, `p_splits`,
        `smallest_p_splits`.
    """
    by = [*SCORED, "figure"]
    places = {
        Cell(*cell): {
            key: dict(zip(rows.split, rows.index, strict=True))
            for key, rows in table.groupby(by, sort=False)
        }
        for cell, table in resamples.keys.groupby(CELL, sort=False)
    }
    rows = []
    for one, other in chosen:
        for key, here in places[one].items():
            there = places[other].get(key, {})
            shared = [split for split in here if split in there]
            if shared:
                mine, theirs = [here[s] for s in shared], [there[s] for s in shared]
                against = {"against_method": other.method, "against_texts": other.texts}
                row = one._asdict() | against | dict(zip(by, key, strict=True))
                rows.append(row | _difference(resamples, mine, theirs, config))
    return pd.DataFrame(rows)


def sign_flip_test(
    differences: Float[np.ndarray, " K"], generator: np.random.Generator
) -> tuple[float, float]:
    """Two-sided paired test whether differences of split means are centred on 0.

    Every difference may have had the other sign just as well: p is the part of all sign patterns
    whose sum is at least as far from 0. Exact up to 16 splits, from 65,536 random patterns above.

    Returns:
        p, and the smallest p that so many splits could have given; NaN, NaN for less than two.
    """

    count = len(differences)
    if count < 2:
        return float("nan"), float("nan")
    test = permutation_test(
        (differences,),
        lambda flipped, axis: flipped.sum(axis=axis),
        permutation_type="samples",  # of one sample: signs are flipped
        vectorized=True,
        n_resamples=_PATTERNS,
        rng=generator,
    )
    smallest = 2.0 ** (1 - count) if 2**count <= _PATTERNS else 2 / (_PATTERNS + 1)
    return float(test.pvalue), smallest


def check_same_run(benchmark: pd.DataFrame, resamples: Resamples) -> None:
    """Raise a ValueError where outcomes of clips do not add up to the benchmark's figures.

    They then come from different runs, or one of them from a run that broke off.
    """
    keys = [*CELL, "split", *SCORED, "figure"]
    zssar = benchmark.assign(gate="").drop_duplicates([*CELL, "split", "seed", "protocol"])
    parts = [(zssar, FIGURES[:1]), (benchmark, FIGURES[1:])]
    given = pd.concat(
        table.melt([*CELL, "split", *SCORED], list(names), "figure") for table, names in parts
    )
    given = given.groupby(keys, as_index=False).value.mean()
    ours = resamples.keys[keys].assign(outcomes=resamples.values)
    both = given.merge(ours, how="outer", on=keys)
    wrong = both[~np.isclose(both.value, both.outcomes, rtol=0, atol=1e-6)]
    if len(wrong):
        first = wrong.iloc[0]
        raise ValueError(
            f"{first.method}, {first.texts}, {first.encoder}, {first.split}, {first.protocol}"
            f" {first.gate}: {first.figure} is {first.value:.6f} in benchmark, but outcomes of"
            f" clips give {first.outcomes:.6f} ({len(wrong)} such figures); they are of different"
            " runs: run the benchmark pipeline again to its end"
        )


def _resample_split(
    table: pd.DataFrame, split: str, config: TablesConfig
) -> Iterator[tuple[dict, float, np.ndarray]]:
    """Keys, figure and drawn figures of every cell of one split."""
    shape = config.resamples, config.seed, split
    own = _accuracies(table[table.side == "unseen"], "own", "unseen, alone", *shape)
    unseen = _accuracies(table[table.side == "unseen"], "right", "unseen", *shape)
    seen = _accuracies(table[table.side == "seen"], "right", "seen", *shape)
    runs = [(key, "zssar_accuracy", *pair) for key, pair in own.items()]
    for key in seen.keys() & unseen.keys():
        (acc_seen, drawn_seen), (acc_unseen, drawn_unseen) = seen[key], unseen[key]
        harmonic = harmonic_mean(acc_seen, acc_unseen), harmonic_mean(drawn_seen, drawn_unseen)
        runs.append((key, "acc_seen", acc_seen, drawn_seen))
        runs.append((key, "acc_unseen", acc_unseen, drawn_unseen))
        runs.append((key, "harmonic_mean", *harmonic))
    order = {name: place for place, name in enumerate(FIGURES)}
    for (cell, protocol, gate), figure, values, drawn in sorted(
        runs, key=lambda run: (run[0], order[run[1]])
    ):
        weights = _seed_weights(len(values), cell, *shape)
        scored = {"split": split, "protocol": protocol, "gate": gate, "figure": figure}
        key = cell._asdict() | scored | {"seeds": len(values)}
        yield key, values.mean(), (weights * drawn).sum(axis=1)


def _accuracies(
    table: pd.DataFrame, kind: str, purpose: str, resamples: int, seed: int, split: str
) -> dict[tuple[Cell, str, str], tuple[np.ndarray, np.ndarray]]:
    """Accuracies per seed `(S)` and of every draw `(B, S)`; by cell, protocol and gate."""
    keys, right = _outcomes(table, kind, split)
    if not keys:
        return {}
    generator = np.random.default_rng(derive_seed(seed, "clips", purpose, split))
    drawn = _drawn_accuracies(right, resamples, generator)
    found: dict[tuple, list[int]] = {}
    for column, key in enumerate(keys):
        found.setdefault(key, []).append(column)
    return {
        key: (right[:, columns].mean(axis=0), drawn[:, columns]) for key, columns in found.items()
    }


def _outcomes(
    table: pd.DataFrame, kind: str, split: str
) -> tuple[list[tuple[Cell, str, str]], Bool[np.ndarray, "N C"]]:
    """Which clips each run got right: a row per clip, by name; a column per run, with its key."""
    names = [name for name in table if name.startswith(f"{kind}.")]
    keys, columns, clips = [], [], None
    for cell, rows in table.groupby(CELL, sort=True):
        run = rows.set_index("name")[names].dropna(axis=1, how="all").dropna(how="all").sort_index()
        if run.empty:
            continue
        where = f"outcomes of {split}: {', '.join(map(str, cell))}"
        if run.index.has_duplicates:
            raise ValueError(f"{where}: clip {run.index[run.index.duplicated()][0]} comes twice")
        clips = run.index if clips is None else clips
        if not run.index.equals(clips):
            lacks, more = (
                list(one[:3]) for one in (clips.difference(run.index), run.index.difference(clips))
            )
            raise ValueError(
                f"{where} holds other test clips than {', '.join(keys[0][0])}: it lacks {lacks} and"
                f" has {more}, among others"
            )
        if run.isna().any(axis=None):
            raise ValueError(f"{where}: some runs lack some clips")
        for name in sorted(run, key=_run_order):
            _, protocol, *gate, _ = name.split(".")
            keys.append((Cell(*cell), protocol, "".join(gate)))
            columns.append(run[name].to_numpy(dtype=bool))
    return keys, np.stack(columns, axis=1) if columns else np.empty((0, 0), dtype=bool)


def _run_order(name: str) -> tuple[str, int]:
    """By protocol and gate, then by the seed's number."""
    run, seed = name.rsplit(".", 1)
    return run, int(seed)


def _drawn_accuracies(
    right: Bool[np.ndarray, "N C"], resamples: int, generator: np.random.Generator
) -> Float[np.ndarray, "B C"]:
    """Accuracies over as many clips, drawn with replacement; the same clips for all columns."""
    clips = len(right)
    outcomes = right.astype(np.float32)  # counts of clips are exact in float32
    at_once = max(1, _DRAWN // clips)
    parts = []
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        drawn = generator.integers(clips, size=(rows, clips)) + clips * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * clips).reshape(rows, clips)
        parts.append(counts.astype(np.float32) @ outcomes)
    return np.concatenate(parts).astype(np.float64) / clips


def _seed_weights(
    seeds: int, cell: Cell, resamples: int, seed: int, split: str
) -> Float[np.ndarray, "B S"]:
    """The part of every seed among as many, drawn with replacement."""
    generator = np.random.default_rng(derive_seed(seed, "seeds", split, *cell))
    return generator.multinomial(seeds, [1 / seeds] * seeds, size=resamples) / seeds


def _difference(
    resamples: Resamples, mine: list[int], theirs: list[int], config: TablesConfig
) -> dict[str, float]:
    by_split = resamples.values[mine] - resamples.values[theirs]
    drawn = (resamples.draws[mine] - resamples.draws[theirs]).mean(axis=0)
    low, high = _percentiles(drawn, config.level)
    tail = 1 + min((drawn <= 1e-12).sum(), (drawn >= -1e-12).sum())
    generator = np.random.default_rng(derive_seed(config.seed, "signs"))
    p_splits, smallest = sign_flip_test(by_split, generator)
    return {
        "mean": by_split.mean(),
        "low": low,
        "high": high,
        "p_bootstrap": min(1.0, 2 * tail / (len(drawn) + 1)),
        "p_splits": p_splits,
        "smallest_p_splits": smallest,
        "n": len(by_split),
        "over": "splits",
    }


def _percentiles(drawn: Float[np.ndarray, " B"], level: float) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
