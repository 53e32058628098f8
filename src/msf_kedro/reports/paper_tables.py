"""The figures of the paper's tables, and those it lacks, from a study's benchmark."""

import pandas as pd

from msf_kedro.reports import comparisons
from msf_kedro.reports.benchmark import FREE_TEXTS
from msf_kedro.reports.comparisons import CELL, SCORED, Cell, Resamples, TablesConfig
from msf_kedro.reports.evaluation import FIGURES, SOURCES

GZSSAR = (*FIGURES[1:], "harmonic_mean_perfect_gate", "gate_accuracy", "ausuc")
PER_CLASS = (
    "zssar_accuracy_per_class",
    "acc_seen_per_class",
    "acc_unseen_per_class",
    "harmonic_mean_per_class",
)
SECONDS = "fit_seconds"
LAYOUT = [
    *("table", "study", *SCORED, *CELL, "against_method", "against_texts", "figure"),
    *("mean", "std", "n", "over", "best", *SOURCES, "low", "high", "p_bootstrap", "p_splits"),
    *("smallest_p_splits", "splits", "seeds", "runs", "chance", "level", "resamples"),
]


def collect(
    study: str,
    benchmark: pd.DataFrame,
    outcomes: pd.DataFrame,
    published: pd.DataFrame,
    config: TablesConfig,
) -> pd.DataFrame:
    """All figures of a study in long form: a row per table, cell, protocol, gate and figure.

    Returns:
        The columns `LAYOUT`. `mean` and `std` are over split means if the study has several splits,
        otherwise over seeds (`over`, `n`); `std` is NaN for a single value. Accuracies, areas and
        differences are in percent, `fit_seconds` in seconds. `best` marks a column's best means,
        ties as they are printed; cells with fewer `runs` than others do not compete. `paper` and
        `released log` hold what was published of the same method, texts and encoder, also where
        the study has no such run. `splits`, `seeds` and `chance` (over splits) are the study's.

    Raises:
        ValueError: outcomes and benchmark are of different runs, or cells of different clips.
    """
    try:
        resamples = comparisons.resample(outcomes, config)
        comparisons.check_same_run(benchmark, resamples)
    except ValueError as error:
        raise ValueError(f"study {study}: {error}") from error
    parts = _parts(benchmark, published, resamples, config)
    long = pd.concat([part.assign(table=kind) for kind, part in parts.items()], ignore_index=True)
    long = long.reindex(columns=LAYOUT).assign(
        study=study,
        splits=benchmark.split.nunique(),
        seeds=benchmark.seed.nunique(),
        chance=round(100 * benchmark.chance.mean(), 9),
        level=config.level,
        resamples=config.resamples,
    )
    percent = ["mean", "std", "low", "high"]
    long.loc[long.figure != SECONDS, percent] *= 100
    long[percent] = long[percent].round(9)  # else 0.5 is printed up here and down there
    for name in ("against_method", "against_texts", "over"):
        long[name] = long[name].astype(object).fillna("").astype(str)
    for name in ("n", "runs"):
        long[name] = long[name].astype("Int64")
    return long.assign(best=_best(long))


def _parts(
    benchmark: pd.DataFrame, published: pd.DataFrame, resamples: Resamples, config: TablesConfig
) -> dict[str, pd.DataFrame]:
    """The rows of every table, by its name; figures as fractions."""
    cells = [Cell(*row) for row in benchmark[CELL].drop_duplicates().itertuples(index=False)]
    run = [*CELL, "split", "seed"]
    no_gate = benchmark.assign(gate="").drop_duplicates([*run, "protocol"])
    zssar = _beside(_summaries(no_gate, FIGURES[:1]), published)
    return {
        "zssar": zssar,
        "texts": zssar[zssar.method.isin(FREE_TEXTS)],
        "gzssar": _beside(_summaries(benchmark, GZSSAR), published),
        "per_class": pd.concat(
            [_summaries(no_gate, PER_CLASS[:1]), _summaries(benchmark, PER_CLASS[1:])]
        ),
        "time": _summaries(no_gate.assign(protocol="").drop_duplicates(run), (SECONDS,)),
        "intervals": comparisons.intervals(resamples, config.level),
        "tests": comparisons.differences(resamples, comparisons.pairs(cells), config),
    }


def _summaries(table: pd.DataFrame, figures: tuple[str, ...]) -> pd.DataFrame:
    """Mean and deviation of every cell's figures, by protocol and gate."""
    keys = [*CELL, *SCORED]
    by = "split" if table.split.nunique() > 1 else "seed"
    values = table.groupby([*keys, by])[list(figures)].mean()
    grouped = values.groupby(keys)
    spread = pd.DataFrame(
        {
            name: grouped.agg(name).stack(future_stack=True).rename_axis([*keys, "figure"])
            for name in ("mean", "std", "count")
        }
    ).rename(columns={"count": "n"})
    runs = table.groupby(keys).size().rename("runs")
    return spread.join(runs).reset_index().assign(over=f"{by}s")


def _beside(summaries: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Add the published figures, a column per source; with rows of their own where there is no
    such run."""
    long = published.melt([*CELL, "source"], list(FIGURES), "figure", "value").dropna()
    wide = long.pivot(index=[*CELL, "figure"], columns="source", values="value")
    wide = wide.reindex(columns=list(SOURCES)).reset_index()
    wide = wide[wide.figure.isin(summaries.figure)]
    scored = summaries[SCORED].drop_duplicates()
    return summaries.merge(
        wide.merge(scored, how="cross"), how="outer", on=[*CELL, *SCORED, "figure"]
    )


def _best(long: pd.DataFrame) -> pd.Series:
    """Which rows are printed bold: a column's best means; differences that are not 0."""
    by_encoder = long.encoder.where(long.table == "texts", "")
    column = [long[name] for name in ("table", "study", *SCORED, "figure")] + [by_encoder]
    complete = long.runs.isna() | (long.runs == long.runs.groupby(column).transform("max"))
    better = long["mean"].where(long.figure != SECONDS, -long["mean"])
    printed = better.where(complete.astype(bool)).map("{:.1f}".format).astype(float)
    best = printed.eq(printed.groupby(column).transform("max"))
    return best.where(long.table != "tests", (long.low > 0) | (long.high < 0)).astype(bool)
