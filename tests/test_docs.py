"""README and docs: links lead somewhere, names exist, examples work."""

import ast
import re
import runpy
from functools import cache
from itertools import product
from pathlib import Path

import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.framework.project import pipelines
from support.documented import PAGES, blocks, prose, quoted
from support.sessions import ROOT, context, known, session

from msf_kedro.clips.layouts import LAYOUTS, get_layout
from msf_kedro.context import unknown_names
from msf_kedro.settings import CONFIG_LOADER_ARGS

SOURCE = ROOT / "src" / "msf_kedro"
README, *DOCS = PAGES
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def anchors(page: Path) -> set[str]:
    """Headings as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}


def links(page: Path) -> list[str]:
    """Relative targets of links and pictures."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [target for target in targets if "://" not in target]


@cache
def base() -> dict:
    """The parameters of base alone."""
    return OmegaConfigLoader(str(ROOT / "conf"), env="base", **CONFIG_LOADER_ARGS)["parameters"]


def test_there_is_something_to_check():
    assert len(DOCS) > 5
    assert sum(map(len, map(links, PAGES))) > 30


# --- links and names ---


@every_page
def test_links_lead_somewhere(page):
    for target in links(page):
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


def test_readme_links_every_page():
    assert {README.parent / link.split("#")[0] for link in links(README)} >= set(DOCS)


@every_page
def test_files_are_there_and_define_what_is_said(page):
    for text in quoted(page):
        match = re.fullmatch(r"([\w./-]+(?:\.(?:py|md|ya?ml|ipynb)|/))(?:: ([\w.]+))?", text)
        if not match or re.match(r"conf/mine/|\d", text):
            continue
        places = [folder / match[1] for folder in (ROOT, ROOT / "conf" / "base", SOURCE)]
        names = {file.name for file in SOURCE.rglob("*.py")}
        assert any(place.exists() for place in places) or match[1] in names, text
        if match[2]:
            (place,) = (place for place in places if place.exists())
            assert match[2] in defined(place), text


def defined(file: Path) -> set[str]:
    """What a file defines: functions, classes, their methods, constants."""
    body = ast.parse(file.read_text()).body
    names = {target.id for node in body if isinstance(node, ast.Assign) for target in node.targets}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inner = [n for n in getattr(node, "body", []) if isinstance(n, ast.FunctionDef)]
            names |= {node.name} | {f"{node.name}.{method.name}" for method in inner}
    return names


@every_page
def test_dotted_names_exist(page):
    """Parameters, datasets, nodes, files."""
    files = {file.name for file in ROOT.glob("*.*")} | {f.name for f in ROOT.rglob("conf/base/*")}
    files |= {file.name for folder in ("src", "data") for file in (ROOT / folder).rglob("*.*")}
    entries = context("utd_mhad").config_loader["catalog"].values()
    files |= {Path(entry.get("filepath") or "").name for entry in entries}
    for text in quoted(page):
        name = re.split(r": |=", text)[0]
        if not re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", name) or name.endswith(".npy"):
            continue
        *groups, last = name.split(".")
        there = {last: None}
        for group in reversed(groups):
            there = {group: there}
        data_sets, nodes = known("utd_mhad")
        is_parameter = not list(unknown_names(there, base()))
        assert is_parameter or name in data_sets | nodes | files, text


def test_values_beside_parameters_are_the_defaults():
    checked = 0
    for text in quoted(ROOT / "docs" / "fidelity.md"):
        name, colon, value = text.partition(": ")
        if not colon or name.split(".")[0] not in base():
            continue
        found = base()
        for part in name.split("."):
            found = found[part]
        assert yaml.safe_load(value) == yaml.safe_load(str(found)), text
        checked += 1
    assert checked > 20


def test_the_stages_data_sets_exist():
    text = prose(ROOT / "docs" / "architecture.md").partition("| stage | reads ")[2]
    rows = [re.findall("`([^`]+)`", row) for row in text.split("\n\n")[0].splitlines()[2:]]
    assert {row[0] for row in rows} < set(pipelines)
    for name, phase in product({n for row in rows for n in row[1:]}, ("calibration", "test")):
        full = name.replace("{phase}", phase).replace("{stream}", "joint")
        assert full.startswith(".") or full in known("utd_mhad")[0], name


@pytest.mark.parametrize("file", ["README.md", "docs"])
def test_old_names_are_gone(file):
    pages = [page for page in PAGES if page.match(f"{file}*") or page.parent.name == file]
    old = (
        r"check-point|\balignment\.(?!py)\w|fused_texts|clip_parts|class_<|ntu60_|ntu120_[19]"
        r"|--pipeline="
    )
    allowed = {"--pipeline="} if file == "docs" else set()  # said once to work as well
    found = [match for page in pages for match in re.findall(old, page.read_text())]
    assert pages
    assert set(found) <= allowed, found
    assert len(found) <= len(allowed)


def test_files_that_messages_and_settings_name_are_there():
    folders = ("src", "conf", "benchmarks", "notebooks")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.*")]
    texts = [f.read_text() for f in files if f.suffix in (".py", ".yml", ".ipynb")]
    named = {name for text in texts for name in re.findall(r"docs/\w+\.md", text)}
    assert named >= {"docs/data.md", "docs/ntu.md", "docs/results.md"}
    assert {name for name in named if not (ROOT / name).is_file()} == set()


# --- drawings and examples ---


def test_the_drawing_of_the_rooms_is_that_of_the_imports():
    """`python docs/draw_rooms.py` draws it anew."""
    script = runpy.run_path(str(ROOT / "docs" / "draw_rooms.py"))
    drawn = script["draw"](script["measure"]())
    assert blocks(ROOT / "docs" / "architecture.md", "mermaid") == [f"{drawn}\n"]


def test_the_page_and_drawings_of_layouts_are_those_of_their_files():
    """`python docs/draw_layouts.py` makes them anew."""
    script = runpy.run_path(str(ROOT / "docs" / "draw_layouts.py"))
    assert (ROOT / "docs" / "layouts.md").read_text() == script["page"]()
    for name in LAYOUTS:
        picture = ROOT / "docs" / "images" / f"layout_{name}.svg"
        assert picture.read_text() == script["draw"](get_layout(name)), name
        assert picture.stat().st_size < 10_000


def test_the_example_of_an_own_layout_is_one():
    (example,) = (
        block for block in blocks(ROOT / "docs" / "own_data.md", "yaml") if "layouts:" in block
    )
    given = yaml.safe_load(example)
    layout = get_layout(given["clips"]["layout"], given["layouts"])
    assert (layout.recorded, len(layout.joints)) == (8, 9)
    assert not list(unknown_names(given, base()))


def test_the_overview_is_small_and_opaque():
    picture = ROOT / "docs" / "images" / "overview.svg"
    assert picture.stat().st_size < 150_000
    assert "fill: #ffffff" in picture.read_text()[:3000]


def test_the_moving_picture_moves_and_is_small():
    picture = (ROOT / "docs" / "images" / "moving.svg").read_text()
    assert len(picture) < 300_000
    assert picture.count("<animate ") > 10
    assert "<script" not in picture


@every_page
def test_python_is_python_and_loads_what_there_is(page):
    for block in blocks(page, "python"):
        compile(block, page.name, "exec")
        for name in re.findall(r"catalog\.load\(f?\"([^\"]+)\"", block):
            full = name.replace("{stream}", "joint")
            assert full in known("utd_mhad")[0], name


@pytest.fixture
def examples() -> list[str]:
    return blocks(ROOT / "docs" / "methods.md", "python")


def test_the_example_of_the_contract_recognises_unseen_classes(examples, capsys):
    exec(examples[0], {})
    assert int(capsys.readouterr().out.removesuffix("%\n")) > 90


def test_the_example_of_a_new_method_keeps_the_contract(examples):
    names: dict = {"__name__": "msf_kedro.methods.least_squares"}
    exec(examples[0], names)
    exec(examples[-1], names)
    method, task, cpu = names["METHOD"], names["task"], names["cpu"]
    fitted, history = method.fit(task, [1, 3], method.Config(temperatures=[1.0]), cpu)
    assert history[0]["seconds"] == 0
    assert fitted.about["method"] == "least_squares"
    classifier, _ = fitted.classifier(fitted.latents(names["texts"]), cpu)
    unseen = ~names["seen"]
    logits = classifier.logits(names["features"][unseen])
    assert logits.shape == (1, 2, 40, 2)
    assert (logits[0, 1].argmax(1) + 8 == names["classes"][unseen]).float().mean() > 0.9


def test_the_example_applies_a_runs_method_to_new_clips_and_words(examples, finished, capsys):
    data_root = str(finished[0])
    with session("test", {"data_root": data_root}) as opened:
        names = {"catalog": opened.load_context().catalog}
    for example in examples[1:-1]:
        exec(example, names)
    found = names["predictions"]
    assert found.index.tolist() == ["clip 1", "clip 2"]
    assert set(found.unseen_prediction) <= {201, 202}
    assert found.predicted.tolist() == [
        seen if called else unseen
        for seen, unseen, called in found[
            ["seen_prediction", "unseen_prediction", "called_seen"]
        ].itertuples(index=False)
    ]
    assert "called_seen" in capsys.readouterr().out
