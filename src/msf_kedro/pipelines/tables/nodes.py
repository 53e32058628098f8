"""Nodes of the tables."""

import dataclasses
import logging

import pandas as pd

from msf_kedro.reports.comparisons import TablesConfig
from msf_kedro.reports.figures import collect
from msf_kedro.reports.pages import html, markdown, markdown_table
from msf_kedro.reports.tables import lay_out
from msf_kedro.reports.wording import NTU, TITLES
from msf_kedro.runtime import derive_seed

logger = logging.getLogger(__name__)


def collect_tables(studies: dict, tables: TablesConfig) -> pd.DataFrame:
    """All figures, intervals and tests of all studies, in long form."""
    parts = []
    for study, load in studies.items():
        logger.info("%s: drawing clips and seeds %d times", study, tables.resamples)
        own = dataclasses.replace(tables, seed=derive_seed(tables.seed, study))
        loaded = load["benchmark"](), load["benchmark_outcomes"]()
        parts.append(collect(study, *loaded, own, by_split=study in NTU))
    return pd.concat(parts, ignore_index=True)


def write_tables(tables: pd.DataFrame, published_figures: pd.DataFrame) -> tuple[str, str]:
    """The tables as Markdown and HTML; the strict protocol's results are logged."""
    arranged = lay_out(tables, published_figures)
    for table in arranged:
        if table.title.startswith(TITLES["results"]) and "protocol strict" in table.title:
            logger.info("%s", markdown_table(table))
    return markdown(arranged), html(arranged)
