"""What MkDocs is told beyond `mkdocs.yml`: the start page, links that leave `docs/`, flowcharts.

The pages are read on GitHub too, where the README is beside `docs/` and Mermaid is drawn. Here the
README becomes the start page, links to files that are no pages become plain text, and flowcharts
become pictures.
"""

import re
import runpy
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\./[^)\s]+)\)")
MERMAID = re.compile(r"^```mermaid\n(.*?)^```", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Leave pages out of the order that are not there."""
    config.nav = _there(config.nav, Path(config.docs_dir))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the README as the start page."""
    readme = (ROOT / "README.md").read_text("utf-8")
    content = re.sub(r"(\]\(|=\")docs/", r"\1", readme)
    files.append(File.generated(config, "index.md", content=content))
    return files


def on_page_markdown(markdown: str, **_) -> str:
    """Turn links that lead out of `docs/`, and flowcharts, into what a site can show."""
    markdown = LINK.sub(r"\1", markdown.replace("](../README.md", "](index.md"))
    draw = runpy.run_path(str(Path(__file__).with_name("draw_flowchart.py")))["draw"]
    return MERMAID.sub(lambda found: draw(found[1]), markdown)


def _there(entries: list, docs: Path) -> list:
    """Entries of the order whose pages are there; the start page is made."""
    kept = []
    for entry in entries:
        ((title, page),) = entry.items()
        if isinstance(page, list):
            kept.append({title: _there(page, docs)})
        elif page == "index.md" or (docs / page).is_file():
            kept.append(entry)
    return kept
