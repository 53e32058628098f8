"""Tables as Markdown and as a self-contained HTML page."""

import re
from html import escape
from itertools import groupby

from msf_kedro.reports.table_layout import Column, Table

TITLE = "Results of the benchmarks"
NOTE = (
    "Quote protocol strict. Protocol paper selects on test and is given only for comparison with"
    " published figures. Table numbers follow our reading of the paper."
)
STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --page: #fff; --quiet: #59636e; --line: #d1d9e0;
  --band: #f6f8fa; --mark: #0a5c36; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --page: #0d1117; --quiet: #9198a1;
  --line: #3d444d; --band: #151b23; --mark: #5ee0a0; } }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: var(--text);
  background: var(--page); font: 16px/1.5 system-ui, sans-serif; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin: 2.5rem 0 .25rem; font-size: 1.1rem; }
nav ul { columns: 22rem; padding-left: 1.2rem; font-size: .9rem; }
a { color: inherit; }
.caption { max-width: 60rem; margin: 0 0 .5rem; color: var(--quiet); font-size: .875rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; text-align: right; white-space: nowrap; }
th { font-weight: 600; }
tbody th { font-weight: 400; }
.label { text-align: left; }
thead tr:last-child th { border-bottom: 2px solid var(--line); }
tbody tr:nth-child(even) { background: var(--band); }
th[colspan] { text-align: center; border-bottom: 1px solid var(--line); }
td b { color: var(--mark); }
"""


def markdown(tables: list[Table]) -> str:
    """All tables under one heading each, in padded columns that a terminal shows well too."""
    parts = [f"# {TITLE}", NOTE]
    for section, members in groupby(tables, key=lambda table: table.section):
        parts.append(f"## {_plain(section)}")
        parts += [markdown_table(table) for table in members]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table) -> str:
    """One table: title, rows, caption."""
    heading = [*table.labels, *(" ".join(filter(None, column)) for column in table.columns)]
    lines = [[_plain(text) for text in heading]]
    for labels, cells in table.rows:
        shown = [f"**{_plain(cell.text)}**" if cell.bold else _plain(cell.text) for cell in cells]
        lines.append([*map(_plain, labels), *shown])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sides = ["<"] * len(table.labels) + [">"] * len(table.columns)
    rule = ["-:" if side == ">" else "--" for side in sides]
    rows = [_markdown_row(lines[0], sides, widths), _markdown_row(rule, sides, widths, "-")]
    rows += [_markdown_row(line, sides, widths) for line in lines[1:]]
    return "\n".join([f"### {_plain(table.title)}", "", *rows, "", _plain(table.caption)])


def _markdown_row(texts: list[str], sides: list[str], widths: list[int], fill: str = " ") -> str:
    cells = [f"{t:{fill}{s}{w}}" for t, s, w in zip(texts, sides, widths, strict=True)]
    return f"| {' | '.join(cells)} |"


def html(tables: list[Table]) -> str:
    """A page without scripts or anything from elsewhere; light or dark as the reader's system."""
    named = [(f"table-{place}", table) for place, table in enumerate(tables, 1)]
    sections = [(name, list(members)) for name, members in groupby(named, lambda n: n[1].section)]
    contents = [
        f"<h2>{escape(section)}</h2>\n<ul>\n"
        + "\n".join(f'<li><a href="#{name}">{escape(t.title)}</a></li>' for name, t in members)
        + "\n</ul>"
        for section, members in sections
    ]
    body = [
        f"<section>\n<h2>{escape(section)}</h2>\n"
        + "\n".join(_html_table(name, table) for name, table in members)
        + "\n</section>"
        for section, members in sections
    ]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(TITLE)}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
            f"<h1>{escape(TITLE)}</h1>\n<p>{escape(NOTE)}</p>\n<nav>",
            *contents,
            "</nav>",
            *body,
            "</body>\n</html>\n",
        ]
    )


def _html_table(name: str, table: Table) -> str:
    rows = [
        "<tr>"
        + "".join(f'<th scope="row" class="label">{escape(label)}</th>' for label in labels)
        + "".join(
            f"<td><b>{escape(cell.text)}</b></td>" if cell.bold else f"<td>{escape(cell.text)}</td>"
            for cell in cells
        )
        + "</tr>"
        for labels, cells in table.rows
    ]
    return "\n".join(
        [
            f'<h3 id="{name}">{escape(table.title)}</h3>',
            f'<p class="caption">{escape(table.caption)}</p>',
            '<div class="scroll">\n<table>\n<thead>',
            *_html_headings(table.labels, table.columns),
            "</thead>\n<tbody>",
            *rows,
            "</tbody>\n</table>\n</div>",
        ]
    )


def _html_headings(labels: tuple[str, ...], columns: tuple[Column, ...]) -> list[str]:
    """One row of headings, or two where columns are grouped."""
    upper = ""
    if any(column.group for column in columns):
        upper = "<th></th>" * len(labels)
        for group, members in groupby(columns, key=lambda column: column.group):
            width = len(list(members))
            upper += f'<th scope="colgroup" colspan="{width}">{escape(group)}</th>'
        upper = f"<tr>{upper}</tr>\n"
    lower = "".join(f'<th scope="col" class="label">{escape(label)}</th>' for label in labels)
    lower += "".join(f'<th scope="col">{escape(column.name)}</th>' for column in columns)
    return [f"{upper}<tr>{lower}</tr>"]


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, inside tables too."""
    return re.sub(r"([\\|*<`&]|(?<!\w)_|_(?!\w)|(?<=\])\()", r"\\\1", " ".join(text.split()))
