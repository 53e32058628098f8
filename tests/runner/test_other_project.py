"""The folder `runner`, taken as it is into another Kedro project, as the documentation says."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.sessions import ROOT

FILES = {
    "pyproject.toml": """
[tool.kedro]
package_name = "other"
project_name = "other"
kedro_init_version = "1.7.0"
source_dir = "src"
""",
    ".telemetry": "consent: false\n",
    "conf/base/parameters.yml": "factor: 2\noffset: 1\n",
    "conf/base/catalog.yml": """
numbers: {type: pandas.CSVDataset, filepath: data/numbers.csv}
scaled: {type: pandas.CSVDataset, filepath: data/scaled.csv}
total: {type: json.JSONDataset, filepath: data/total.json, versioned: true}
""",
    "conf/local/.gitkeep": "",
    "data/numbers.csv": "x\n1\n2\n3\n",
    "src/other/__init__.py": "",
    "src/other/sums.py": "def add(values):\n    return int(sum(values))\n",
    "src/other/pipeline_registry.py": """
from kedro.pipeline import Pipeline, node

from other.sums import add


def shift(numbers, offset):
    return numbers + offset


def scale(shifted, factor):
    return shifted * factor


def sum_up(scaled):
    return {"total": add(scaled.x)}


def register_pipelines():
    nodes = [
        node(shift, ["numbers", "params:offset"], "shifted", name="shift"),
        node(scale, ["shifted", "params:factor"], "scaled", name="scale"),
        node(sum_up, "scaled", "total", name="sum_up"),
    ]
    return {"__default__": Pipeline(nodes)}
""",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A project with an unversioned file, a versioned one, and a table that is only in memory."""
    root = tmp_path_factory.mktemp("other")
    page = (ROOT / "docs" / "lineage.md").read_text()
    hooks, commands = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (entry,) = re.findall(r"^```yaml\n(runs:.*?)^```", page, re.MULTILINE | re.DOTALL)
    files = FILES | {
        "src/other/settings.py": hooks.replace("my_project", "other"),
        "src/other/cli.py": commands.replace("my_project", "other"),
    }
    files["conf/base/catalog.yml"] += entry.replace("my_project", "other")
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    shutil.copytree(
        ROOT / "src/msf_kedro/runner",
        root / "src/other/runner",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    assert "msf_kedro" not in "".join(f.read_text() for f in root.rglob("runner/*.py"))
    return root


def kedro(project: Path, *arguments: str) -> str:
    """The output of a command."""
    command = [sys.executable, "-m", "kedro", *arguments]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def changed_run(project: Path, *arguments: str) -> list[str]:
    """The nodes that a run of what has changed has run."""
    told = kedro(project, "run", "--runner=other.runner.ChangedOnlyRunner", *arguments)
    return re.findall(r"Completed node: (\w+)", told)


def total(project: Path) -> int:
    return json.loads(sorted((project / "data/total.json").glob("*/total.json"))[-1].read_text())[
        "total"
    ]


def test_it_runs_what_has_changed(project):
    assert changed_run(project) == ["shift", "scale", "sum_up"]
    assert total(project) == 18
    assert changed_run(project) == []

    assert changed_run(project, "--params=factor=3") == ["shift", "scale", "sum_up"]
    assert total(project) == 27

    source = project / "src/other/sums.py"
    source.write_text(source.read_text().replace("sum(values)", "sum(values) + 1"))
    assert changed_run(project, "--params=factor=3") == ["sum_up"]
    assert total(project) == 28

    (project / "data/numbers.csv").write_text("x\n3\n2\n1\n")
    told = kedro(project, "msf", "status", "--params=factor=3")
    assert re.search(r"run +scale +numbers has changed|run +scale ", told)
    assert changed_run(project, "--params=factor=3")[:2] == ["shift", "scale"]
    assert total(project) == 28

    lineage = kedro(project, "msf", "lineage", "total")
    assert "params:factor = 3" in lineage
    assert "as they were saved" in kedro(project, "msf", "verify")
