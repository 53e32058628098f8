"""The table of class texts, read only."""

from typing import Any

import pandas as pd
from kedro.io.core import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview

from msf_kedro.datasets.files import read_file
from msf_kedro.runner.places import place
from msf_kedro.texts.class_texts import MAX_ROWS, read_class_texts

MAX_BYTES = 10_000_000


class ClassTextsDataset(AbstractDataset):
    """A CSV file of class texts, as `read_class_texts` takes it.

    Raises:
        DatasetError: on load, if the file cannot be read or is no usable table.
    """

    def __init__(self, filepath: str, metadata: dict | None = None):
        self._path = place(filepath)
        self.metadata = metadata  # read by Kedro-Viz

    def load(self) -> pd.DataFrame:
        limit = f"a table of at most {MAX_ROWS:,} classes"
        try:
            return read_class_texts(read_file(self._path, MAX_BYTES, limit), str(self._path))
        except ValueError as error:
            raise DatasetError(f"{error} (docs/class_texts.md)") from error

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._path}: class texts are read only")

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows, for Kedro-Viz."""
        return self.load().head(nrows).to_dict(orient="split")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}
