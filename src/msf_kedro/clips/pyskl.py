"""PYSKL's annotation pickles to clips, without running what a pickle asks for.

A pickle is a program that may call any function by its name. Here every name that it looks up is
refused, but for the few by which NumPy's arrays and numbers are written, and these stand for
functions of this file, which only take apart what they are given. No function of NumPy or of
another package is called by a pickle. Before that the pickle's codes are gone through: others than
plain values need are refused, and so are those that claim more memory than they have content for.
"""

import io
import math
from collections.abc import Callable, Iterator, Mapping
from pickle import Unpickler
from pickletools import genops
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

KINDS = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"f2", "f4", "f8", "b1"}


# Of Python's pickle machine, by the names that `pickletools` gives its codes.
CODES = {
    *("PROTO", "FRAME", "STOP", "NONE", "NEWTRUE", "NEWFALSE"),
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("EMPTY_LIST", "APPEND", "APPENDS", "LIST", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "MARK", "POP", "POP_MARK"),
    *("GET", "BINGET", "LONG_BINGET", "PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"),
    *("GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD"),
}


class Annotation(NamedTuple):
    """A clip: its name, label from 0, coordinates with confidences, and the parts that list it."""

    name: str
    label: int
    clip: Float[np.ndarray, "M T V C"]
    parts: tuple[str, ...]


class _Dtype:
    """What `numpy.dtype` stands for: the kind of numbers, and later their byte order."""

    def __init__(self, kind: Any = None, *_: Any):
        if not isinstance(kind, str) or kind not in KINDS:
            found = repr(kind[:40]) if isinstance(kind, str) else type(kind).__name__
            raise ValueError(f"an array of {found}, expected plain numbers")
        self.kind, self.order = kind, "="

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise ValueError("an array's numbers are of an unknown order")
        self.order = state[1]

    def numbers(self, content: Any, count: int) -> np.ndarray:
        """So many numbers, from their bytes."""
        dtype = np.dtype(self.order + self.kind)
        if not isinstance(content, bytes) or len(content) != count * dtype.itemsize:
            raise ValueError("an array whose bytes are not of its shape")
        return np.frombuffer(content, dtype)


class _Array:
    """What an array stands for: its numbers, once the pickle has given them."""

    array: np.ndarray

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise ValueError("an array that is not written as NumPy writes arrays")
        _, shape, dtype, fortran, content = state
        self.fill(content, dtype, shape, "F" if fortran is True else "C")

    def fill(self, content: Any, dtype: Any, shape: Any, order: Any) -> None:
        """Take the numbers."""
        sizes = isinstance(shape, tuple) and all(type(n) is int and 0 <= n < 2**40 for n in shape)
        if not sizes or not isinstance(dtype, _Dtype) or order not in ("C", "F"):
            raise ValueError("an array that is not written as NumPy writes arrays")
        self.array = dtype.numbers(content, math.prod(shape)).reshape(shape, order=order)


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    array = _Array()
    array.fill(bytes(content) if isinstance(content, bytearray) else content, dtype, shape, order)
    return array


def _scalar(dtype: Any, content: Any) -> Any:
    if not isinstance(dtype, _Dtype):
        raise ValueError("a number that is not written as NumPy writes numbers")
    return dtype.numbers(content, 1)[0].item()


def _encode(text: Any, encoding: Any) -> bytes:
    """How protocol 2 writes bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError("bytes that are not written as Python writes bytes")
    return text.encode("latin-1")


class _StandIn:
    """A function that a pickle may call, and cannot change."""

    def __init__(self, function: Callable):
        self._function = function

    def __call__(self, *given: Any) -> Any:
        return self._function(*given)

    def __setstate__(self, state: Any) -> None:
        raise ValueError("it changes what it calls")


STAND_INS: dict[tuple[str, str], Callable] = {
    ("numpy", "ndarray"): _reconstruct,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}
for core in ("numpy.core", "numpy._core"):
    STAND_INS[f"{core}.multiarray", "_reconstruct"] = _reconstruct
    STAND_INS[f"{core}.multiarray", "scalar"] = _scalar
    STAND_INS[f"{core}.numeric", "_frombuffer"] = _from_buffer


class _Plain(Unpickler):
    """Reads plain values and NumPy's arrays; anything else is an error."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _StandIn(STAND_INS[module, name])
        except KeyError:
            raise ValueError(
                f"it asks for {f'{module}.{name}'[:80]!r}, and nothing but NumPy's arrays and plain"
                " values is read from a pickle"
            ) from None


def read_pyskl(content: bytes, name: str) -> Iterator[Annotation]:
    """The clips of an annotation file: `annotations`, and `split` with names of clips.

    Args:
        content: the file's, a pickle.
        name: what to call the file in errors.

    Raises:
        ValueError: it is no such file, or holds anything but plain values and arrays.
    """
    try:
        _check_codes(content)
        whole = _Plain(io.BytesIO(content)).load()
    except Exception as error:  # a damaged pickle can end in any
        why = " ".join(str(error).split())
        raise ValueError(f"{name}: not read as a pickle of annotations: {why}") from error
    annotations, split = whole, {}
    if isinstance(whole, Mapping):
        annotations, split = whole.get("annotations"), whole.get("split") or {}
    if not isinstance(annotations, list) or not isinstance(split, Mapping):
        raise ValueError(f"{name}: no list of annotations, expected annotations and split")
    parts: dict[str, list[str]] = {}
    for part, names in split.items():
        for clip in names if isinstance(names, list) and isinstance(part, str) else []:
            if isinstance(clip, str):
                parts.setdefault(clip, []).append(part)
    for number, annotation in enumerate(annotations, 1):
        yield _annotation(annotation, parts, f"{name}: annotation {number}")


def _check_codes(content: bytes) -> None:
    """Raise a ValueError at the first code that plain values do not need, or is cut off."""
    for number, (code, argument, place) in enumerate(genops(content)):
        if code.name not in CODES:
            raise ValueError(f"code {code.name} at byte {place}, which plain values do not need")
        if code.name.endswith("PUT") and argument > number:  # memory for all numbers up to it
            raise ValueError(f"code {code.name} at byte {place} keeps value {argument}")


def _annotation(annotation: Any, parts: Mapping[str, list[str]], where: str) -> Annotation:
    if not isinstance(annotation, Mapping):
        raise ValueError(f"{where}: {type(annotation).__name__}, expected its fields")
    name, label = annotation.get("frame_dir"), annotation.get("label")
    points, scores = annotation.get("keypoint"), annotation.get("keypoint_score")
    if not isinstance(name, str) or type(label) is not int or not 0 <= label < 10**6:
        raise ValueError(f"{where}: no frame_dir (a name) and label (a number from 0)")
    if not isinstance(points, _Array) or points.array.ndim != 4:
        raise ValueError(
            f"{where}, {name[:80]}: no keypoint (bodies, frames, joints, coordinates); those of"
            " Kinetics are in other files and cannot be converted"
        )
    clip = points.array.astype(np.float32)
    if isinstance(scores, _Array):
        if scores.array.shape != clip.shape[:3]:
            raise ValueError(
                f"{where}, {name[:80]}: keypoint_score is {scores.array.shape}, expected"
                f" {clip.shape[:3]}"
            )
        clip = np.concatenate([clip, scores.array.astype(np.float32)[..., None]], axis=-1)
    return Annotation(name, label, clip, tuple(parts.get(name, ())))
