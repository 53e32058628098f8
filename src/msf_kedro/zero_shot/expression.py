"""Conditions on a table's rows, in a small part of Python's syntax, and evaluated without Python.

    subject in [1, 3, 5] and not (room == "hall" or 100 < frames <= 200)

Column names, numbers, texts in quotes, lists of these behind `in` and `not in`, comparisons, also
chained, of texts `==` and `!=` only, and `and`, `or`, `not`, brackets; `&`, `|` and `~` stand
between and before conditions in brackets.
"""

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool
from pandas.api.types import is_bool_dtype, is_numeric_dtype, is_string_dtype

MAX_LENGTH = 10_000  # characters
LARGEST = 2**53  # of a number: up to here floating-point numbers are exact for integers

_ORDER = {
    **{ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt},
    **{ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge},
}
_SYNTAX = "expected comparisons of columns with numbers or texts, joined by and, or, not"

# A row's value each: float64, missing ones not a number, or objects: texts, missing ones None.
Values = np.ndarray
Column = Callable[[str], Values | None]


def check_condition(text: str) -> None:
    """Raise a ValueError where a text is no condition; whether its columns exist is left open."""
    _evaluate(text, lambda name: None, rows=1)


def select_rows(table: pd.DataFrame, text: str) -> Bool[np.ndarray, " n"]:
    """Which rows of a table meet a condition; a comparison with a missing value is false.

    Raises:
        ValueError: the text is no condition, names a column that is not there or holds neither
            numbers nor texts, or compares the one with the other.
    """

    def column(name: str) -> Values:
        if name not in table.columns:
            there = ", ".join(map(str, table.columns))
            raise ValueError(f"there is no column {name}; columns: {there}")
        values = table[name]
        if is_numeric_dtype(values) and not is_bool_dtype(values):
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        if is_string_dtype(values.dropna()):
            return values.astype(object).where(values.notna(), None).to_numpy()
        raise ValueError(f"column {name} holds {values.dtype} values, not numbers or texts")

    return _evaluate(text, column, len(table))


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
        column: name → values; None where it is not known which there are.
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
                raise ValueError(f"{_shown(right)} is no list of numbers or texts, as in [1, 3]")
            items = [np.full(self.rows, _constant(item), _kind(item)) for item in right.elts]
            inside = np.zeros(self.rows, bool)
            for item in items:
                inside |= self._both(left, ast.Eq(), values, item)
            return inside if isinstance(op, ast.In) else ~inside & ~_missing(values, self.rows)
        if type(op) not in _ORDER:
            raise ValueError(f"`is` does not compare numbers; {_SYNTAX}")
        return self._both(left, op, values, self._values(right))

    def _both(
        self, left: ast.expr, op: ast.cmpop, values: Values | None, others: Values | None
    ) -> Bool[np.ndarray, " n"]:
        """Where two values are there and compare so."""
        texts = [known.dtype == object for known in (values, others) if known is not None]
        if any(texts) and not isinstance(op, ast.Eq | ast.NotEq):
            raise ValueError(f"{_shown(left)}: texts are compared with == and !=, in and not in")
        if values is None or others is None:
            return np.zeros(self.rows, bool)
        if texts[0] != texts[1]:
            raise ValueError(f"{_shown(left)}: a text is compared with a number")
        there = ~_missing(values, self.rows) & ~_missing(others, self.rows)
        return _ORDER[type(op)](values, others).astype(bool) & there

    def _values(self, node: ast.expr) -> Values | None:
        if isinstance(node, ast.Name):
            return self.column(node.id)
        return np.full(self.rows, _constant(node), _kind(node))


def _missing(values: Values | None, rows: int) -> Bool[np.ndarray, " n"]:
    if values is None:
        return np.ones(rows, bool)
    return np.equal(values, None) if values.dtype == object else np.isnan(values)


def _kind(node: ast.expr) -> type:
    return object if isinstance(getattr(node, "value", None), str) else np.float64


def _constant(node: ast.expr) -> float | str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    sign, value = 1, node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, value = -1, node.operand
    value = getattr(value, "value", None)
    if type(value) not in (int, float) or abs(value) > LARGEST:
        raise ValueError(f"{_shown(node)} is no column and no number; {_SYNTAX}")
    return float(sign * value)


def _shown(node: ast.expr) -> str:
    return repr(ast.unparse(node)[:60])
