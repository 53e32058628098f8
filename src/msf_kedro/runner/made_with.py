"""The parameters that an artifact was made with, as a dataset that nodes can read."""

from typing import Any

from kedro.io import DatasetError

from .placed import PlacedDataset
from .records import parameters


class MadeWithDataset(PlacedDataset):
    """Parameter → value, of all that an artifact was made with, from the records.

    A parameter that had several values is a list of `{"value": ..., "nodes": [...]}`, one each,
    under `several`.

    Args:
        filepath: of the artifact, as in its own entry of the catalog.
    """

    def load(self) -> dict[str, Any]:
        uses: dict[str, list[dict[str, Any]]] = {}
        for node, name, value in parameters(self._load_place()):
            values = uses.setdefault(name, [])
            same = next((use for use in values if use["value"] == value), None)
            if same is None:
                values.append(same := {"value": value, "nodes": []})
            same["nodes"].append(node)
        made = {name: values[0]["value"] for name, values in uses.items() if len(values) == 1}
        several = {name: values for name, values in uses.items() if len(values) > 1}
        return dict(sorted(made.items())) | ({"several": several} if several else {})

    def save(self, data: Any) -> None:
        raise DatasetError(f"{self._filepath}: what an artifact was made with is read only")
