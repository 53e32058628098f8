"""Tables as Markdown and as a self-contained HTML page."""

import re
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from msf_kedro.reports import wording
from msf_kedro.reports.tables import Table


def html(tables: list[Table]) -> str:
    """A page without scripts or anything from elsewhere; light or dark as the reader's system."""
    environment = Environment(
        loader=PackageLoader("msf_kedro", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("tables.html.jinja")
    named = enumerate(tables, 1)
    sections = [(name, list(some)) for name, some in groupby(named, lambda one: one[1].section)]
    return template.render(wording=wording, sections=sections, spans=_spans)


def markdown(tables: list[Table]) -> str:
    """All tables under one heading each, in padded columns that a terminal shows well too."""
    parts = [f"# {wording.TITLE}", wording.NOTE]
    for section, members in groupby(tables, key=lambda table: table.section):
        parts += [f"## {_plain(section)}", *map(markdown_table, members)]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table) -> str:
    """One table: title, rows, caption."""
    index, columns = table.frame.index, table.frame.columns
    heading = [*index.names, *(" ".join(filter(None, column)) for column in columns)]
    lines = [[_plain(text) for text in heading]]
    for labels, *figures in table.frame.itertuples(name=None):
        lines.append([*map(_plain, map(str, labels)), *figures])
    widths = [max(2, *map(len, column)) for column in zip(*lines, strict=True)]
    sides = ["<"] * index.nlevels + [">"] * len(columns)
    lines.insert(1, ["--"] * index.nlevels + ["-:"] * len(columns))
    rows = []
    for place, line in enumerate(lines):
        padding = "-" if place == 1 else " "
        cells = [f"{t:{padding}{s}{w}}" for t, s, w in zip(line, sides, widths, strict=True)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([f"### {_plain(table.title)}", "", *rows, "", _plain(table.caption)])


def _spans(table: Table) -> list[tuple[str, int]]:
    """The upper headings, and how many columns each spans."""
    return [(name, len(list(some))) for name, some in groupby(group for group, _ in table.frame)]


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, inside tables too."""
    return re.sub(r"([\\|*<`&]|(?<!\w)_|_(?!\w)|(?<=\])\()", r"\\\1", " ".join(text.split()))
