"""Matrices in tables: one row per clip or class, one column per dimension."""

import numpy as np
import pandas as pd
from jaxtyping import Float


def to_table(
    keys: pd.DataFrame, matrix: Float[np.ndarray, "n C"], columns: list[str]
) -> pd.DataFrame:
    """Key columns, then the matrix's columns as float32."""
    values = pd.DataFrame(matrix.astype(np.float32), columns=columns)
    return pd.concat([keys.reset_index(drop=True), values], axis=1)


def to_matrix(table: pd.DataFrame, keys: list[str]) -> Float[np.ndarray, "n C"]:
    """All columns but the keys, as float32."""
    return table.drop(columns=keys).to_numpy(dtype=np.float32, copy=True)
