"""Benchmarks of all studies → one long table → Markdown and HTML."""

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.tables.nodes import collect_tables, write_tables


def create_pipeline(**kwargs) -> Pipeline:
    return Pipeline(
        [
            node(collect_tables, ["studies", "params:tables"], "tables", name="collect_tables"),
            node(
                write_tables,
                ["tables", "published_figures"],
                ["tables_markdown", "tables_html"],
                name="write_tables",
            ),
        ]
    )
