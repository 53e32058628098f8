"""What the benchmark's figures are worth: intervals, and tests of differences.

Intervals come from a paired bootstrap. In each class split, test clips are drawn with replacement
within their side, the same drawn clips for every cell (method, texts, encoder); seeds are drawn
apart for each cell, whose replicas share no numbers with another's; a figure is computed again
from each draw and averaged over splits. H is concave, so its draws lie a little below it.

Drawing clips and seeds says how far a figure would move with other clips of the same classes and
other seeds. It does not cover the choice of classes. Intervals from the spread over splits do, and
so does the sign-flip test over split means, as far as a few splits can: over 5 splits its p is
never below 0.0625.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from pydantic import Field, NonNegativeInt, PositiveInt

from msf_kedro.configuration import configuration
from msf_kedro.reports.published import FIGURES
from msf_kedro.runtime import derive_seed
from msf_kedro.zero_shot.inference import INDUCTIVE, in_tables, out_of_tables
from msf_kedro.zero_shot.metrics import harmonic_mean

CELL = ["method", "texts", "encoder"]
SCORED = ["protocol", "gate"]  # ZSSAR needs no gate: its gate is ""
FIGURE = [*CELL, *SCORED, "figure"]
FULL = "LB+AD+MD"
ABLATIONS = (
    *(("MD", "LB"), ("AD", "LB"), ("AD+MD", "AD"), ("AD+MD", "MD")),
    *((FULL, "LB"), (FULL, "AD"), (FULL, "MD")),
)

_DRAWN = 4_000_000  # clips drawn at once: bounds memory to some 100 MB
_PATTERNS = 2**16  # of signs: all of 16 splits


@configuration
class TablesConfig:
    """How tables come to their intervals.

    Attributes:
        resamples: draws of the bootstrap.
        level: of the intervals, 0.95 for those between the 2.5th and the 97.5th percentile.
        seed: root seed of the draws.
    """

    resamples: PositiveInt
    level: Annotated[float, Field(gt=0, lt=1)]
    seed: NonNegativeInt


class Cell(NamedTuple):
    """What is compared: a method with its texts and their encoder."""

    method: str
    texts: str
    encoder: str


def resample(outcomes: pd.DataFrame, config: TablesConfig) -> pd.DataFrame:
    """Draw test clips and seeds again and again, and compute every cell's figures from them.

    A cell's draws depend on the seed and on its own names only: more cells, or splits, change
    nothing in the others.

    Args:
        outcomes: a row per test clip and cell: `CELL`, `split`, `name`, `side`; boolean columns
            `own.<protocol>.<seed>` and `right.<protocol>.<gate>.<seed>`, empty for clips that do
            not take part.

    Returns:
        A row per figure, by `CELL`, `SCORED`, `figure`, `split` and `seeds`, their number: in
        column 0 the figure as it is, a fraction, mean over seeds; then the same of each draw.

    Raises:
        ValueError: cells of a split were tested on different clips, or twice on one.
    """
    rows = {}
    for split, table in outcomes.groupby("split"):
        rows |= _resample_split(table, str(split), config)
    names = [*FIGURE, "split", "seeds"]
    return pd.DataFrame(rows.values(), pd.MultiIndex.from_tuples(rows, names=names))


def intervals(resamples: pd.DataFrame, level: float) -> pd.DataFrame:
    """Percentile intervals, a row per cell, protocol, gate and figure; fractions.

    Returns:
        `CELL`, `SCORED`, `figure`, `mean` over `n` splits, `low`, `high`, and `runs`, those of all
        splits.
    """
    rows = []
    for key, splits in resamples.groupby(FIGURE, sort=False):
        row = dict(zip(FIGURE, key, strict=True)) | _interval(splits.to_numpy(), level)
        rows.append(row | {"runs": sum(splits.index.get_level_values("seeds"))})
    return pd.DataFrame(rows)


def pairs(cells: list[Cell]) -> list[tuple[Cell, Cell]]:
    """What is tested against what, as far as it is among the cells, encoder by encoder.

    MSF and MSF+ with all texts against every other method with all texts, or where it has no such
    cell, with all that it has; more texts against fewer, and MD and AD against LB, inside MSF;
    every other method against MSF with the same texts. No pair is chosen by its figures.
    Transductive ones are tested against each other, and each against its method without.
    """
    found = []
    alike: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        alike.setdefault((cell.encoder, out_of_tables(cell.method)[1]), []).append(cell)
    for (encoder, inference), here in alike.items():
        msf = in_tables("msf", inference)
        others = [cell for cell in here if cell.method != msf]
        full = {cell.method for cell in others if cell.texts == FULL}
        widest = [cell for cell in others if cell.texts == FULL or cell.method not in full]
        wanted = [(Cell(msf, FULL, encoder), cell) for cell in widest]
        plus = in_tables("msf_plus", inference)
        wanted += [(Cell(plus, FULL, encoder), cell) for cell in widest if cell.method != plus]
        wanted += [(Cell(msf, a, encoder), Cell(msf, b, encoder)) for a, b in ABLATIONS]
        wanted += [(c, Cell(msf, c.texts, encoder)) for c in others if c.texts != FULL]
        if inference != INDUCTIVE:
            wanted += [(cell, cell._replace(method=out_of_tables(cell.method)[0])) for cell in here]
        found += [pair for pair in wanted if set(pair) <= set(cells)]
    return found


def differences(
    resamples: pd.DataFrame, chosen: list[tuple[Cell, Cell]], config: TablesConfig
) -> pd.DataFrame:
    """The first cell minus the second, over the splits that both have; fractions.

    `p_bootstrap` is two-sided: twice the smaller part of draws on one side of 0, the figures
    themselves counted as one more draw, so that it is at least 2 / (resamples + 1). It is not
    corrected for the number of pairs. `low_splits` and `high_splits` are the t-interval over split
    means, `p_splits` is that of `sign_flip_test`; NaN for a single split.

    Returns:
        A row per pair, protocol, gate and figure: `CELL`, `against_method`, `against_texts`,
        `SCORED`, `figure`, `mean` over `n` shared splits, `low`, `high`, `low_splits`,
        `high_splits`, `p_bootstrap`, `p_splits`, `smallest_p_splits`.
    """
    cells = dict(list(resamples.droplevel("seeds").groupby(CELL)))
    rows = []
    for one, other in chosen:
        here, there = (cells[cell].droplevel(CELL) for cell in (one, other))
        here, there = here.align(there, join="inner", axis=0)
        against = {"against_method": other.method, "against_texts": other.texts}
        for key, by_split in (here - there).groupby(FIGURE[len(CELL) :], sort=False):
            row = one._asdict() | against | dict(zip(FIGURE[len(CELL) :], key, strict=True))
            rows.append(row | _difference(by_split.to_numpy(), config))
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
    from scipy.stats import permutation_test  # it takes half a second to import

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


def check_same_run(benchmark: pd.DataFrame, resamples: pd.DataFrame) -> None:
    """Raise a ValueError where outcomes of clips do not add up to the benchmark's figures.

    They then come from different runs, or one of them from a run that broke off.
    """
    given = benchmark.melt([*CELL, "split", *SCORED], FIGURES, "figure")
    given.loc[given.figure == "zssar_accuracy", "gate"] = ""
    given = given.groupby([*FIGURE, "split"]).value.mean()
    outcomes = resamples[0].droplevel("seeds")
    both = pd.DataFrame({"value": given, "outcomes": outcomes}).reset_index()
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
) -> dict[tuple, np.ndarray]:
    """The figures of every cell of one split, as they are and of each draw."""
    seen, unseen = (table[table.side == side] for side in ("seen", "unseen"))
    zssar = _accuracies(unseen, "own", "unseen, alone", split, config)
    acc_unseen = _accuracies(unseen, "right", "unseen", split, config)
    acc_seen = _accuracies(seen, "right", "seen", split, config)
    acc_seen, acc_unseen = acc_seen.align(acc_unseen, join="inner", axis=0)
    harmonic = pd.DataFrame(harmonic_mean(acc_seen, acc_unseen), acc_seen.index)
    parts = zip(FIGURES, (zssar, acc_seen, acc_unseen, harmonic), strict=True)
    rows = {}
    for key, runs in pd.concat(dict(parts), names=["figure"]).groupby(FIGURE):
        seeds = len(runs)
        generator = np.random.default_rng(derive_seed(config.seed, "seeds", split, *key[:3]))
        drawn = generator.multinomial(seeds, [1 / seeds] * seeds, size=config.resamples)
        weights = np.vstack([np.ones(seeds), drawn]) / seeds  # all seeds alike, then each draw
        rows[(*key, split, seeds)] = (weights * runs.to_numpy().T).sum(axis=1)
    return rows


def _accuracies(
    clips: pd.DataFrame, kind: str, purpose: str, split: str, config: TablesConfig
) -> pd.DataFrame:
    """A row per run, by `CELL`, `SCORED` and seed: its accuracy, then that of each draw."""
    right = _outcomes(clips, kind, split)
    if right.empty:
        return pd.DataFrame(index=right.columns, columns=range(1 + config.resamples), dtype=float)
    generator = np.random.default_rng(derive_seed(config.seed, "clips", purpose, split))
    drawn = _drawn_accuracies(right.to_numpy(), config.resamples, generator)
    return pd.DataFrame(np.vstack([right.mean(), drawn]).T, right.columns)


def _outcomes(table: pd.DataFrame, kind: str, split: str) -> pd.DataFrame:
    """Which clips each run got right: a row per clip, by name; columns `CELL`, `SCORED`, seed."""
    names = [name for name in table if name.startswith(f"{kind}.")]
    runs, clips, first = {}, None, None
    for cell, rows in table.groupby(CELL):
        run = rows.set_index("name")[names].dropna(axis=1, how="all").dropna(how="all").sort_index()
        if run.empty:
            continue
        where = f"outcomes of {split}: {', '.join(cell)}"
        if run.index.has_duplicates:
            raise ValueError(f"{where}: clip {run.index[run.index.duplicated()][0]} comes twice")
        first, clips = (cell, run.index) if clips is None else (first, clips)
        if not run.index.equals(clips):
            lacks, more = clips.difference(run.index), run.index.difference(clips)
            raise ValueError(
                f"{where} holds other test clips than {', '.join(first)}: it lacks"
                f" {list(lacks[:3])} and has {list(more[:3])}, among others"
            )
        if run.isna().any(axis=None):
            raise ValueError(f"{where}: some runs lack some clips")
        for name, right in run.astype(bool).items():
            _, protocol, *gate, seed = name.split(".")
            runs[(*cell, protocol, "".join(gate), int(seed))] = right
    columns = pd.MultiIndex.from_tuples(runs, names=[*CELL, *SCORED, "seed"])
    return pd.DataFrame(runs, clips, columns).sort_index(axis=1)


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


def _difference(by_split: Float[np.ndarray, "K _"], config: TablesConfig) -> dict[str, Any]:
    """What a row says of differences in each split, as they are and, behind that, drawn."""
    drawn = by_split[:, 1:].mean(axis=0)
    tail = 1 + min((drawn <= 1e-12).sum(), (drawn >= -1e-12).sum())
    generator = np.random.default_rng(derive_seed(config.seed, "signs"))
    p_splits, smallest = sign_flip_test(by_split[:, 0], generator)
    ps = {"p_bootstrap": min(1.0, 2 * tail / (len(drawn) + 1)), "p_splits": p_splits}
    low, high = _over_splits(by_split[:, 0], config.level)
    ends = {"low_splits": low, "high_splits": high}
    return _interval(by_split, config.level) | ends | ps | {"smallest_p_splits": smallest}


def _over_splits(differences: Float[np.ndarray, " K"], level: float) -> tuple[float, float]:
    """The t-interval of the mean difference, as of splits drawn from many."""
    from scipy import stats

    count = len(differences)
    if count < 2:
        return float("nan"), float("nan")
    half = stats.t.ppf((1 + level) / 2, count - 1) * differences.std(ddof=1) / count**0.5
    return differences.mean() - half, differences.mean() + half


def _interval(by_split: Float[np.ndarray, "K _"], level: float) -> dict[str, Any]:
    """The mean of splits, and the percentiles of its draws."""
    mean, *drawn = by_split.mean(axis=0)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return {"mean": mean, "low": low, "high": high, "n": len(by_split), "over": "splits"}
