"""Markdown and HTML: well formed, complete, and safe with any name."""

import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from msf_kedro.reports import wording
from msf_kedro.reports.pages import html, markdown, markdown_table
from msf_kedro.reports.tables import Table


def framed(rows: dict, labels: list[str], columns: list[tuple[str, str]]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(rows, names=labels)
    return pd.DataFrame(list(rows.values()), index, pd.MultiIndex.from_tuples(columns))


PLAIN = Table(
    section="NTU-60",
    title="Table 2: ZSSAR",
    caption="Percent.",
    frame=framed(
        {
            ("MSF", "LB"): ["**83.6 ± 1.0**", "83.63", ""],
            ("SynSE", "verb+noun"): ["7.0", "", "**9.0**"],
        },
        ["method", "texts"],
        [("55/5", "ZSSAR"), ("55/5", "paper"), ("48/12", "ZSSAR")],
    ),
)
NASTY = "<script>alert('x')</script>|a*b*`c`_d_&amp;[e](f)\n# g\\"
HOSTILE = Table(
    section=NASTY,
    title=NASTY,
    caption=NASTY,
    frame=framed({(NASTY, 7): ["**1.0**", "1"]}, [NASTY, "n"], [("", NASTY), ("", "p")]),
)


class Page(HTMLParser):
    """Checks that tags are balanced, and gathers tables, links, tags and text."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.tables = [], [], [], [], []
        self.attributes, self.text = [], ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.attributes += given
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1] += [""] * int(given.get("colspan", 1))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data


def cells(line: str) -> list[str]:
    """The cells of a Markdown row: split at bars that are not escaped."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_markdown():
    lines = markdown_table(PLAIN).splitlines()
    assert lines == [
        "### Table 2: ZSSAR",
        "",
        "| method | texts     |     55/5 ZSSAR | 55/5 paper | 48/12 ZSSAR |",
        "| ------ | --------- | -------------: | ---------: | ----------: |",
        "| MSF    | LB        | **83.6 ± 1.0** |      83.63 |             |",
        "| SynSE  | verb+noun |            7.0 |            |     **9.0** |",
        "",
        "Percent.",
    ]


def test_markdown_has_a_heading_for_each_section_and_table():
    text = markdown([PLAIN, PLAIN, HOSTILE])
    headings = [line for line in text.splitlines() if re.match("#+ ", line)]
    assert [heading.split()[0] for heading in headings] == ["#", "##", "###", "###", "##", "###"]
    assert headings[1:3] == ["## NTU-60", "### Table 2: ZSSAR"]
    assert text.endswith("\n")
    assert "\n\n\n" not in text


def test_markdown_shows_any_name_as_it_is():
    lines = markdown_table(HOSTILE).splitlines()
    assert len(lines) == 7
    assert [len(cells(line)) for line in lines[2:5]] == [4, 4, 4]
    shown = cells(lines[4])[0]
    assert re.sub(r"\\(.)", r"\1", shown) == NASTY.replace("\n", " ")
    for special in ("<", "|", "*", "`", "&", "_d", "_\\&"):
        assert "\\" + special in shown
    assert not re.search(r"\]\(", shown), "no link"
    assert cells(lines[4])[1:] == ["7", "**1.0**", "1"]


def test_names_with_underscores_inside_stay_readable():
    assert "utd_mhad, Acc_s" in markdown_table(PLAIN._replace(title="utd_mhad, Acc_s"))


def test_html_is_well_formed_and_complete():
    page = Page(html([PLAIN, PLAIN]))
    assert (
        page.tables
        == [
            [
                ["", "", "", "55/5", "48/12"],
                ["method", "texts", "ZSSAR", "paper", "ZSSAR"],
                ["MSF", "LB", "83.6 ± 1.0", "83.63", ""],
                ["SynSE", "verb+noun", "7.0", "", "9.0"],
            ]
        ]
        * 2
    )
    assert page.tags.count("b") == 2 * 2
    assert "<b>83.6 ± 1.0</b>" in html([PLAIN])
    assert page.tags[:2] == ["html", "head"]
    assert html([PLAIN]).startswith("<!DOCTYPE html>")


def test_html_has_one_row_of_headings_where_columns_have_no_groups():
    (table,) = Page(html([HOSTILE])).tables
    assert len(table) == 2


def test_contents_lead_to_every_table():
    page = Page(html([PLAIN, PLAIN, HOSTILE]))
    assert page.links == ["#table-1", "#table-2", "#table-3"]
    assert page.ids == ["table-1", "table-2", "table-3"]


@pytest.mark.parametrize("tables", [[PLAIN], [HOSTILE], [PLAIN, HOSTILE]])
def test_html_is_self_contained_and_without_scripts(tables):
    text = html(tables)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [name for name in page.attributes if name.startswith("on") or name == "src"]
    assert "url(" not in text
    assert "@import" not in text
    assert not re.search("https?:", text)


def test_html_shows_any_name_as_it_is():
    page = Page(html([HOSTILE]))
    heading, row = page.tables[0]
    assert heading == [NASTY, "n", NASTY, "p"]
    assert row == [NASTY, "7", "1.0", "1"]
    assert page.text.count(NASTY) == 2 + 2 + 1 + 2 + 1  # sections, titles, caption, headings, row


def test_the_page_says_what_to_quote():
    for text in (Page(html([PLAIN])).text, markdown([PLAIN])):
        assert wording.TITLE in text
        assert wording.NOTE in text
    assert "Protocol paper selects on test" in wording.NOTE


def test_html_is_for_light_and_dark():
    text = html([PLAIN])
    assert "color-scheme: light dark" in text
    assert "prefers-color-scheme: dark" in text
