"""What a table in the catalog must hold, so that a wrong one is noticed where it is made."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype, is_string_dtype

KINDS = {
    "string": lambda values: is_string_dtype(values.dropna()),
    "boolean": is_bool_dtype,
    "integer": is_integer_dtype,
    "number": lambda values: is_numeric_dtype(values) and not is_bool_dtype(values),
    "value": lambda values: KINDS["integer"](values) or KINDS["string"](values),
    "finite": lambda values: KINDS["number"](values) and _all_finite(values),
    "vector": lambda values: all(np.isfinite(vector).all() for vector in values),
}


@dataclass(frozen=True)
class Schema:
    """The kinds of a table's columns, and what tells its rows apart.

    Attributes:
        kinds: column or named index level → one of `KINDS`; `*` stands for all columns not
            listed, which otherwise may be of any kind. `finite` numbers are never missing, nor
            are those in a `vector`; values of the other kinds may be.
        key: columns or named index levels that are never missing and, together, unique.
    """

    kinds: dict[str | int, str]
    key: list[str | int]

    def __post_init__(self):
        if unknown := set(self.kinds.values()) - set(KINDS):
            raise ValueError(f"schema has kinds {sorted(unknown)}, expected some of {list(KINDS)}")

    def misfit(self, table: pd.DataFrame) -> str | None:
        """Where a table does not fit, with what was found and expected; None if it fits."""
        levels = {n: table.index.get_level_values(n) for n in table.index.names if n is not None}
        others = [name for name in table.columns if name not in self.kinds]
        if self.kinds.get("*") == "finite" and _finite_throughout(table[others]):
            table = table.drop(columns=set(others).difference(self.key))
        columns = levels | dict(table.items())
        for name in (*self.kinds, *self.key):
            if name not in columns and name != "*":
                return f"there is no column {name!r}, expected one beside {list(columns)[:24]}"
        for name, values in columns.items():
            kind = self.kinds.get(name, self.kinds.get("*"))
            if kind and not KINDS[kind](values):
                return f"column {name!r} {_found(values, kind)}"
        keys = pd.DataFrame({name: columns[name].array for name in self.key})
        bad = keys[keys.isna().any(axis=1) | keys.duplicated()]
        if len(bad):
            row = f"row {bad.index[0] + 1} of {len(keys)} has {bad.iloc[0].to_dict()}"
            return f"{row}, expected every {', '.join(map(str, self.key))} once and none missing"
        return None


def _finite_throughout(table: pd.DataFrame) -> bool:
    """Whether all columns are plain floats and finite; one look, where there may be hundreds."""
    if not all(isinstance(kind, np.dtype) and kind.kind == "f" for kind in set(table.dtypes)):
        return False
    return bool(np.isfinite(table.to_numpy()).all())


def _found(values: pd.Series | pd.Index, kind: str) -> str:
    """What a column holds in place of its kind."""
    if kind == "finite" and KINDS["number"](values):
        bad = len(values) - int(_finite(values).sum())
        return f"holds {bad} of {len(values)} values that are not finite, expected none"
    return f"holds {values.dtype} values, expected {kind} ones"


def _all_finite(values: pd.Series | pd.Index) -> bool:
    return bool(_finite(values).all())


def _finite(values: pd.Series | pd.Index) -> np.ndarray:
    return np.isfinite(values.to_numpy(dtype=float, na_value=np.nan))
