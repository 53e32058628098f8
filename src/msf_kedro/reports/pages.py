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
        keep_trailing_newline=True,
    )
    named = [(f"table-{place}", table, _groups(table)) for place, table in enumerate(tables, 1)]
    sections = [(name, list(members)) for name, members in groupby(named, lambda n: n[1].section)]
    template = environment.get_template("tables.html.jinja")
    return template.render(title=wording.TITLE, note=wording.NOTE, sections=sections)


def _groups(table: Table) -> list[tuple[str, int]]:
    """Upper headings and how many columns each spans; none where columns have no groups."""
    groups = [
        (name, len(list(members))) for name, members in groupby(c.group for c in table.columns)
    ]
    return groups if any(name for name, _ in groups) else []


def markdown(tables: list[Table]) -> str:
    """All tables under one heading each, in padded columns that a terminal shows well too."""
    parts = [f"# {wording.TITLE}", wording.NOTE]
    for section, members in groupby(tables, key=lambda table: table.section):
        parts.append(f"## {_plain(section)}")
        parts += [markdown_table(table) for table in members]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table) -> str:
    """One table: title, rows, caption."""
    heading = [*table.labels, *(" ".join(filter(None, column)) for column in table.columns)]
    lines = [[_plain(text) for text in heading]]
    for labels, figures in table.rows:
        texts = [f"**{_plain(one.text)}**" if one.bold else _plain(one.text) for one in figures]
        lines.append([*map(_plain, labels), *texts])
    widths = [max(2, *map(len, column)) for column in zip(*lines, strict=True)]
    sides = ["<"] * len(table.labels) + [">"] * len(table.columns)
    rule = ["-:" if side == ">" else "--" for side in sides]
    rows = [_markdown_row(lines[0], sides, widths), _markdown_row(rule, sides, widths, "-")]
    rows += [_markdown_row(line, sides, widths) for line in lines[1:]]
    return "\n".join([f"### {_plain(table.title)}", "", *rows, "", _plain(table.caption)])


def _markdown_row(texts: list[str], sides: list[str], widths: list[int], fill: str = " ") -> str:
    cells = [f"{t:{fill}{s}{w}}" for t, s, w in zip(texts, sides, widths, strict=True)]
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, inside tables too."""
    return re.sub(r"([\\|*<`&]|(?<!\w)_|_(?!\w)|(?<=\])\()", r"\\\1", " ".join(text.split()))
