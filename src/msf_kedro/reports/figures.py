"""All figures of a study's benchmark in one long table: means, intervals, tests, classes, times."""

import pandas as pd

from msf_kedro.reports import comparisons
from msf_kedro.reports.comparisons import CELL, SCORED, Cell, TablesConfig
from msf_kedro.reports.evaluation import RESULTS
from msf_kedro.reports.published import FIGURES, same_texts

OVER_CLASSES = tuple(f"{figure}_per_class" for figure in FIGURES)
CLASS = ("class_id", "label", "side")
OF_CLASS = ("class_alone", "class_with_gate")
SECONDS = "fit_seconds"
LONG = [
    *("table", "study", "split", *SCORED, *CELL, "against_method", "against_texts"),
    *("class_id", "label", "side", "figure", "mean", "std", "n", "over", "best", "low", "high"),
    *("low_splits", "high_splits", "p_bootstrap", "p_splits", "smallest_p_splits"),
    *("runs", "seeds", "splits", "chance"),
    *("level", "resamples"),
]


def collect(
    study: str,
    benchmark: pd.DataFrame,
    outcomes: pd.DataFrame,
    config: TablesConfig,
    by_split: bool,
) -> pd.DataFrame:
    """All figures of a study in long form: a row per table, cell, protocol, gate and figure.

    Args:
        benchmark: a row per method, texts, encoder, split, protocol, gate and seed; fractions.
        outcomes: a row per test clip, method, texts, encoder and split; see `comparisons.resample`.
        by_split: whether each split has rows of its own, or they are averaged (`split` is empty).

    Returns:
        The columns `LONG`, texts spelt as `same_texts` does. `mean` and `std` are over split means
        if several splits are averaged, otherwise over seeds (`over`, `n`); `std` is NaN for a
        single value. Accuracies, areas and differences are in percent, `fit_seconds` in seconds.
        `best` marks a column's best means, ties as they are printed, unless all are the same;
        cells with fewer `runs` than others do not compete. `splits`, `seeds` and `chance` are those
        of the rows' splits.

    Raises:
        ValueError: a column is missing, outcomes and benchmark are of different runs, or cells of
            different clips.
    """
    try:
        _check(benchmark, [*CELL, "split", *SCORED, "seed", *RESULTS, *OVER_CLASSES, SECONDS])
        _check(outcomes, [*CELL, "split", "name", *CLASS])
        benchmark, outcomes = (
            table.assign(texts=table.texts.map(same_texts)) for table in (benchmark, outcomes)
        )
        resamples = comparisons.resample(outcomes, config)
        comparisons.check_same_run(benchmark, resamples)
    except ValueError as error:
        raise ValueError(f"study {study}: {error}") from error
    names = sorted(benchmark.split.unique())
    parts = []
    for split, members in ({name: [name] for name in names} if by_split else {"": names}).items():
        mine = benchmark[benchmark.split.isin(members)]
        clips = outcomes[outcomes.split.isin(members)]
        some = resamples[resamples.index.isin(members, level="split")]
        for table, rows in _tables(mine, clips, some, config).items():
            seeds, chance = mine.seed.nunique(), round(100 * mine.chance.mean(), 9)
            facts = {"splits": len(members), "seeds": seeds, "chance": chance}
            parts.append(rows.assign(table=table, split=split, **facts))
    long = pd.concat(parts, ignore_index=True).reindex(columns=LONG)
    long = long.assign(study=study, level=config.level, resamples=config.resamples)
    percent = ["mean", "std", "low", "high", "low_splits", "high_splits"]
    long.loc[long.figure != SECONDS, percent] *= 100
    long[percent] = long[percent].round(9)  # else 0.5 is printed up here and down there
    texts = ["against_method", "against_texts", "label", "side"]
    long[texts] = long[texts].astype(object).fillna("").astype(str)
    long = long.astype(dict.fromkeys(["class_id", "n", "runs"], "Int64"))
    return long.assign(best=_best(long))


def _check(table: pd.DataFrame, columns: list[str]) -> None:
    if missing := [name for name in columns if name not in table]:
        raise ValueError(f"the benchmark has no {', '.join(missing)}: run it again")


def _tables(
    benchmark: pd.DataFrame, outcomes: pd.DataFrame, resamples: pd.DataFrame, config: TablesConfig
) -> dict[str, pd.DataFrame]:
    """The rows of every table, by its name; figures as fractions."""
    cells = [Cell(*row) for row in benchmark[CELL].drop_duplicates().itertuples(index=False)]
    once = benchmark.assign(protocol="", gate="").drop_duplicates([*CELL, "split", "seed"])
    return {
        "results": _summaries(benchmark, RESULTS),
        "intervals": comparisons.intervals(resamples, config.level),
        "tests": comparisons.differences(resamples, comparisons.pairs(cells), config),
        "over_classes": _summaries(benchmark, OVER_CLASSES),
        "classes": _summaries(_by_class(outcomes), OF_CLASS, CLASS),
        "time": _summaries(once, (SECONDS,)),
    }


def _by_class(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The part of every class's clips that are right, by the classifier of their side alone and
    with the gate: a row per cell, split, class, protocol, gate and seed."""
    keys = [*CELL, "split", *CLASS]
    parts = []
    for name in (name for name in outcomes if name.startswith("right.")):
        _, protocol, gate, seed = name.split(".")
        runs = outcomes[[f"own.{protocol}.{seed}", name]].astype(float).set_axis(OF_CLASS, axis=1)
        means = runs.groupby([outcomes[key] for key in keys], sort=False).mean().dropna(how="all")
        parts.append(means.reset_index().assign(protocol=protocol, gate=gate, seed=int(seed)))
    return pd.concat(parts, ignore_index=True)


def _summaries(
    table: pd.DataFrame, figures: tuple[str, ...], also: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Mean and deviation of every cell's figures, by protocol, gate and what else is given."""
    keys = [*CELL, *SCORED, *also]
    by = "split" if table.split.nunique() > 1 else "seed"
    values = table.groupby([*keys, by])[list(figures)].mean()
    grouped = values.groupby(keys)
    spread = grouped.agg(["mean", "std", "count"]).stack(0, future_stack=True)
    spread = spread.rename_axis([*keys, "figure"]).rename(columns={"count": "n"})
    runs = table.groupby(keys).size().rename("runs")
    return spread.join(runs).reset_index().assign(over=f"{by}s")


def _best(long: pd.DataFrame) -> pd.Series:
    """Which rows are printed bold: a column's best means; differences that are not 0."""
    column = [long[name] for name in ("table", "study", "split", *SCORED, "figure")]
    complete = long.runs.isna() | (long.runs == long.runs.groupby(column).transform("max"))
    better = long["mean"].where(long.figure != SECONDS, -long["mean"])
    printed = better.where(complete.astype(bool)).map("{:.1f}".format).astype(float)
    of_column = printed.groupby(column)
    best = printed.eq(of_column.transform("max")) & of_column.transform("nunique").gt(1)
    best &= long.table != "classes"
    return best.where(long.table != "tests", (long.low > 0) | (long.high < 0)).astype(bool)
