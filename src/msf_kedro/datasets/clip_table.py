"""The table that says what clips show, read only."""

from typing import Any

from kedro.io.core import AbstractDataset, DatasetError

from msf_kedro.clips.clip import OWN_COLUMNS
from msf_kedro.clips.table import MAX_ROWS, ClipTable, read_clip_table
from msf_kedro.datasets.files import read_file
from msf_kedro.runner.places import Place, place

MAX_BYTES = 200_000_000


class ClipTableDataset(AbstractDataset):
    """A CSV file of clips, as `read_clip_table` takes it; None if no file is named.

    Raises:
        DatasetError: on load, if the file cannot be read or is no usable table.
    """

    def __init__(self, table: str, metadata: dict | None = None):
        self.metadata = metadata  # read by Kedro-Viz
        self._table = table

    def sources(self) -> dict[str, Place]:
        """The table's file."""
        return {"file": place(self._table)} if self._table else {}

    def load(self) -> ClipTable | None:
        if not self._table:
            return None
        try:
            limit = f"a table of at most {MAX_ROWS:,} clips"
            content = read_file(place(self._table), MAX_BYTES, limit)
            return read_clip_table(content, self._table, OWN_COLUMNS)
        except ValueError as error:
            raise DatasetError(f"clip table {error} (docs/own_data.md)") from error

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._table}: clip tables are read only")

    def _describe(self) -> dict[str, Any]:
        return {"table": self._table}
