"""Matrices to tables and back."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from msf_kedro.tables import to_matrix, to_table

SHAPES = st.tuples(st.integers(0, 5), st.integers(1, 4))


@given(arrays(np.float32, SHAPES, elements=st.floats(width=32, allow_nan=False)))
def test_a_matrix_comes_back(matrix):
    keys = pd.DataFrame({"name": [f"c{n}" for n in range(len(matrix))], "seed": 1})
    columns = [f"f{c}" for c in range(matrix.shape[1])]
    table = to_table(keys, matrix, columns)
    assert table.columns.tolist() == ["name", "seed", *columns]
    pd.testing.assert_frame_equal(table[["name", "seed"]], keys)
    found = to_matrix(table, ["name", "seed"])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, matrix)


def test_rows_stay_together_whatever_the_keys_index():
    keys = pd.DataFrame({"name": ["a", "b"]}, index=[7, 3])
    table = to_table(keys, np.array([[1.0], [2.0]]), ["x"])
    assert table.to_dict("list") == {"name": ["a", "b"], "x": [1.0, 2.0]}
    assert table.x.dtype == np.float32


def test_changing_the_matrix_leaves_the_table():
    table = to_table(pd.DataFrame({"name": ["a"]}), np.zeros((1, 2)), ["x", "y"])
    to_matrix(table, ["name"])[:] = 1
    assert table.x.tolist() == [0]
