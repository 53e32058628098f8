"""The notebooks: they run on a study's artifacts and draw what they promise."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from support.sessions import ROOT, link_copy, run

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What some cells print: name of the notebook → cell → text.
SAID = {
    "look_at_clips": {
        "raw": "80 clips of layout kinect_v2_25",
        "check": "as it is: can be used\na joint at infinity: ",
    },
    "from_words_to_recogniser": {"describe": "jumping jack: nearest to", "stream": "frame "},
    "read_a_study": {"results": "strict", "lineage": "metrics  2"},
}


def images(cell) -> list[str]:
    """The PNG images that a cell put out."""
    data = [output.get("data", {}) for output in cell.outputs]
    return [kinds["image/png"] for kinds in data if "image/png" in kinds]


def printed(cell) -> str:
    """What a cell printed."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def test_there_are_three_notebooks():
    assert {path.stem for path in NOTEBOOKS} == set(SAID)


@pytest.fixture(scope="module")
def with_bundle(finished, tmp_path_factory) -> Path:
    """The data root of a finished study that has a bundle too."""
    root = link_copy(finished[0], tmp_path_factory.mktemp("notebooks") / "data")
    run(root, "bundle")
    return root


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_committed_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [], f"cell {cell.id}"
            assert cell.execution_count is None, f"cell {cell.id}"


@pytest.fixture
def execute(monkeypatch):
    """Executes a notebook on the artifacts below a data root, as a user would."""

    def execute(path: Path, data_root: Path) -> nbformat.NotebookNode:
        monkeypatch.setenv("MSF_ENV", "test")
        monkeypatch.setenv("MSF_DATA_ROOT", str(data_root))
        notebook = nbformat.read(path, as_version=4)
        here = {"metadata": {"path": path.parent}}
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources=here).execute()
        return notebook

    return execute


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_draws_every_plot(path, with_bundle, execute):
    notebook = execute(path, with_bundle)  # raises where a cell does
    plots = [cell for cell in notebook.cells if "plt.show()" in cell.source]
    assert plots
    for cell in plots:
        assert len(images(cell)) == 1, f"cell {cell.id}"
    cells = {cell.id: cell for cell in notebook.cells}
    for name, text in SAID[path.stem].items():
        assert text in printed(cells[name]), f"cell {name}"
    if "moving" in cells:
        html = [o.get("data", {}).get("text/html", "") for o in cells["moving"].outputs]
        (picture,) = (text for text in html if "<svg" in text)
        assert picture.count("<text ") == 4


def test_it_reads_the_given_data_root_and_no_other(tmp_path, execute):
    """With nothing there, the first cell that loads an artifact fails."""
    with pytest.raises(CellExecutionError, match=r"catalog\.load"):
        execute(ROOT / "notebooks" / "read_a_study.ipynb", tmp_path)
