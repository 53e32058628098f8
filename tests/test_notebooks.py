"""The notebooks: they run on a study's artifacts and draw what they promise."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from support.sessions import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def images(cell) -> list[str]:
    """The PNG images that a cell put out."""
    data = [output.get("data", {}) for output in cell.outputs]
    return [kinds["image/png"] for kinds in data if "image/png" in kinds]


def test_there_are_notebooks():
    assert NOTEBOOKS


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
def test_it_runs_and_draws_every_plot(path, finished, execute):
    notebook = execute(path, finished[0])  # raises where a cell does
    plots = [cell for cell in notebook.cells if "plt.show()" in cell.source]
    assert plots
    for cell in plots:
        assert len(images(cell)) == 1, f"cell {cell.id}"


def test_it_reads_the_given_data_root_and_no_other(tmp_path, execute):
    """With nothing there, the first cell that loads an artifact fails."""
    with pytest.raises(CellExecutionError, match=r"catalog\.load"):
        execute(ROOT / "notebooks" / "results.ipynb", tmp_path)
