"""Builds the wheel with the project's own tables, which lie in `data/01_raw` as all data do.

In the wheel they are `msf_kedro/raw/`; `own_table` in `src/msf_kedro/context.py` finds them in
either place.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
TABLES = ("published_figures.csv", "class_texts/*.csv")


class WithTables(build_py):
    """Copies the tables beside the package's modules, unless the install is editable."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        raw = ROOT / "data" / "01_raw"
        for table in (file for pattern in TABLES for file in sorted(raw.glob(pattern))):
            target = Path(self.build_lib, "msf_kedro", "raw", table.relative_to(raw))
            self.mkpath(str(target.parent))
            self.copy_file(str(table), str(target))


setup(cmdclass={"build_py": WithTables})
