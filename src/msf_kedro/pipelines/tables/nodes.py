"""Nodes of the tables."""

import dataclasses
import logging

import pandas as pd

from msf_kedro.reports.comparisons import TablesConfig
from msf_kedro.reports.paper_tables import collect
from msf_kedro.reports.table_layout import lay_out
from msf_kedro.reports.table_text import html, markdown, markdown_table
from msf_kedro.runtime import derive_seed

logger = logging.getLogger(__name__)


def collect_tables(studies: dict, tables: TablesConfig) -> pd.DataFrame:
    """All figures, intervals and tests of all studies, in long form."""
    parts = []
    for study, load in studies.items():
        logger.info("%s: drawing clips and seeds %d times", study, tables.resamples)
        own = dataclasses.replace(tables, seed=derive_seed(tables.seed, study))
        parts.append(
            collect(
                study,
                load["benchmark"](),
                load["benchmark_outcomes"](),
                load["published_figures"](),
                own,
            )
        )
    return pd.concat(parts, ignore_index=True)


def write_tables(tables: pd.DataFrame) -> tuple[str, str]:
    """The tables as Markdown and HTML; the main ones are logged."""
    arranged = lay_out(tables)
    for table in arranged:
        if table.kind in ("zssar", "gzssar") and table.protocol == "strict":
            logger.info("%s", markdown_table(table))
    return markdown(arranged), html(arranged)
