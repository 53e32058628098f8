"""The documentation as a site: it builds without warnings, has every page, fetches nothing."""

import re
from pathlib import Path

import pytest
from support.sessions import ROOT

PAGES = {"index", *(page.stem for page in (ROOT / "docs").glob("*.md"))}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built as `make docs` does; a broken link or anchor fails it."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder)))
    return folder


def test_every_page_is_there_and_in_the_order(site):
    assert {page.stem for page in site.glob("*.html")} == PAGES | {"404"}
    start = (site / "index.html").read_text()
    order = re.findall(r'<a href="(\w+)\.html" class="md-nav__link"', start)
    assert set(order) == PAGES - {"index"}


def test_nothing_is_fetched_from_elsewhere(site):
    for page in site.glob("*.html"):
        text = page.read_text()
        tags = re.findall(r"<(?:script|link|img|iframe|source|video)\b[^>]*>", text)
        assert len(tags) > 3
        foreign = [t for t in tags if re.search(r"(src|href)=\"?(https?:)?//", t)]
        assert [tag for tag in foreign if 'rel="canonical"' not in tag] == [], page.name
        assert 'class="mermaid"' not in text, page.name  # Mermaid's script is elsewhere


def test_docstrings_and_flowcharts_are_written_out(site):
    api = (site / "api.html").read_text()
    for name in ("recognizer.recognizer.Recognizer.predict", "zero_shot.gate.fit_gate"):
        assert f'id="msf_kedro.{name}"' in api
    assert "::: " not in api
    architecture = (site / "architecture.html").read_text()
    assert re.search(r"<svg[^>]*>\s*<title>Arrows from .*pipelines to recognizer", architecture)
