"""Conditions on a table's rows, in a small part of Python's syntax, and evaluated without Python.

    subject in [1, 3, 5] and not (trial == 4 or 100 < frames <= 200)

Column names, numbers, lists of numbers behind `in` and `not in`, comparisons, also chained, and
`and`, `or`, `not`, brackets; `&`, `|` and `~` stand between and before conditions in brackets.
"""

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from pandas.api.types import is_bool_dtype, is_numeric_dtype

MAX_LENGTH = 10_000  # characters
LARGEST = 2**53  # of a number: up to here floating-point numbers are exact for integers

_ORDER = {
    **{ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt},
    **{ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge},
}
_SYNTAX = "expected comparisons of columns with numbers, joined by and, or, not"

Column = Callable[[str], Float[np.ndarray, " n"]]


def check_condition(text: str) -> None:
    """Raise a ValueError where a text is no condition; whether its columns exist is left open."""
    _evaluate(text, lambda name: np.zeros(1), rows=1)


def select_rows(table: pd.DataFrame, text: str) -> Bool[np.ndarray, " n"]:
    """Which rows of a table meet a condition; a comparison with a missing value is false.

    Raises:
        ValueError: the text is no condition, or names a column that is not there or holds no
            numbers.
    """

    def column(name: str) -> Float[np.ndarray, " n"]:
        if name not in table.columns:
            there = [name for name in table.columns if _is_numeric(table[name])]
            raise ValueError(f"there is no column {name}; columns: {', '.join(map(str, there))}")
        if not _is_numeric(table[name]):
            raise ValueError(f"column {name} holds {table[name].dtype} values, not numbers")
        return table[name].to_numpy(dtype=np.float64, na_value=np.nan)

    return _evaluate(text, column, len(table))


def _is_numeric(values: pd.Series) -> bool:
    return is_numeric_dtype(values) and not is_bool_dtype(values)


def _evaluate(text: str, column: Column, rows: int) -> Bool[np.ndarray, " n"]:
    if len(text) > MAX_LENGTH:
        raise ValueError(f"{len(text):,} characters, expected at most {MAX_LENGTH:,}")
    try:
        return _Condition(column, rows).of(ast.parse(" ".join(text.split()), mode="eval").body)
    except SyntaxError as error:
        raise ValueError(f"{error.msg}; {_SYNTAX}") from error
    except (MemoryError, RecursionError) as error:  # of the parser, or below
        raise ValueError(f"nested too deeply; {_SYNTAX}") from error


@dataclass(frozen=True)
class _Condition:
    """What an expression's parts say of each row.

    Attributes:
        column: name → values, NaN where they are missing.
        rows: how many rows there are.
    """

    column: Column
    rows: int

    def of(self, node: ast.expr) -> Bool[np.ndarray, " n"]:
        """Where a condition is true."""
        match node:
            case ast.BoolOp(op=op, values=parts):
                join = np.logical_and if isinstance(op, ast.And) else np.logical_or
                return join.reduce([self.of(part) for part in parts])
            case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
                return self.of(left) & self.of(right)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self.of(left) | self.of(right)
            case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=part):
                return ~self.of(part)
            case ast.Compare(left=left, ops=ops, comparators=others):
                pairs = zip([left, *others[:-1]], ops, others, strict=True)
                return np.logical_and.reduce([self._compare(*pair) for pair in pairs])
        raise ValueError(f"{_shown(node)} is no condition; {_SYNTAX}")

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Bool[np.ndarray, " n"]:
        values = self._values(left)
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.List | ast.Tuple):
                raise ValueError(f"{_shown(right)} is no list of numbers, as in [1, 3, 5]")
            inside = np.isin(values, [_number(item) for item in right.elts])
            return inside if isinstance(op, ast.In) else ~inside & ~np.isnan(values)
        if type(op) not in _ORDER:
            raise ValueError(f"`is` does not compare numbers; {_SYNTAX}")
        others = self._values(right)
        return _ORDER[type(op)](values, others) & ~np.isnan(values) & ~np.isnan(others)

    def _values(self, node: ast.expr) -> Float[np.ndarray, " n"]:
        if isinstance(node, ast.Name):
            return self.column(node.id)
        return np.full(self.rows, _number(node))


def _number(node: ast.expr) -> float:
    sign, value = 1, node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, value = -1, node.operand
    value = getattr(value, "value", None)
    if type(value) not in (int, float) or abs(value) > LARGEST:
        raise ValueError(f"{_shown(node)} is no column and no number; {_SYNTAX}")
    return float(sign * value)


def _shown(node: ast.expr) -> str:
    return repr(ast.unparse(node)[:60])
