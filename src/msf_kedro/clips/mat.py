"""Clips of UTD-MHAD: MATLAB level-5 `.mat` bytes to arrays.

Only what those files hold is read: one real array `d_skel`, its numbers stored as any numeric type,
in either byte order, compressed or not. After a header of 128 bytes come elements, each with a tag
of 8 bytes: its type and its number of bytes. An array is an element that holds four others: flags,
dimensions, name, numbers. A compressed element holds an array, tag and all.
"""

import math
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from msf_kedro.clips.limits import Limits

VARIABLE = "d_skel"

_HEADER, _TAG = 128, 8  # bytes
_HEAD = 1024  # bytes of an array's content within which its numbers must begin
_ORDERS = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}  # version and byte order mark
_INT8, _INT32, _UINT32, _ARRAY, _COMPRESSED = 1, 5, 6, 14, 15
_DTYPES = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4"},
    **{7: "f4", 9: "f8", 12: "i8", 13: "u8"},
}
_NUMERIC = range(6, 16)  # classes of arrays: double, single, integers of 8 to 64 bits
_COMPLEX = 8  # a flag


class _Element(NamedTuple):
    """An element: its type, and where its content begins and ends."""

    kind: int
    start: int
    end: int


class _Array(NamedTuple):
    """What stands before an array's numbers, and where these begin."""

    name: str
    kind: int
    is_complex: bool
    shape: tuple[int, ...]
    numbers: int


def read_mat(content: bytes, name: str, limits: Limits) -> Float[np.ndarray, "1 T V 3"]:
    """Read the array `d_skel` of `(joints, 3, frames)`.

    Args:
        content: the file's.
        name: what to call the file in errors.
        limits: of the clip; `limits.bytes` also bounds what is decompressed.

    Returns:
        float32, metres, camera coordinates.

    Raises:
        ValueError: the content is no such file, or goes beyond the limits; the message names the
            file, what was found and what was expected.
    """
    limits.check(name, size=len(content))
    order = _ORDERS.get(content[_HEADER - 4 : _HEADER])
    if order is None:
        raise ValueError(f"{name}: not a MATLAB level-5 file; save it in MATLAB with -v7 or -v6")
    others = []
    for head, whole in _arrays(content, order, name, limits):
        array = _array(head, order, name)
        if array.name == VARIABLE:
            _check(array, name, limits)
            return _numbers(whole(), array, order, name)
        others.append(array.name[:40])
    raise ValueError(
        f"{name}: no array {VARIABLE} (joints, 3, frames) among {len(others)} arrays {others[:5]}"
    )


def _arrays(
    content: bytes, order: str, name: str, limits: Limits
) -> Iterator[tuple[bytes, Callable[[], bytes]]]:
    """The content of each array: how it begins, and a function that gives all of it."""
    place = _HEADER
    while place < len(content):
        kind, start, end = _element(content, place, order, name)
        if kind == _COMPRESSED:
            packed = _Packed(content[start:end], order, name, limits)
            yield packed.head, packed.whole
        elif kind == _ARRAY:
            yield content[start : min(end, start + _HEAD)], lambda s=start, e=end: content[s:e]
        else:
            raise ValueError(f"{name}: byte {place + 1} begins an element of type {kind}, no array")
        place = end


class _Packed:
    """A compressed array, decompressed as far as is asked for."""

    def __init__(self, packed: bytes, order: str, name: str, limits: Limits):
        self._name, self._stream = name, zlib.decompressobj()
        begins = self._inflate(packed, _TAG + _HEAD)
        if len(begins) < _TAG:
            raise ValueError(f"{name}: its compressed array ends after {len(begins)} bytes")
        kind, self._size = struct.unpack_from(f"{order}II", begins)
        if kind != _ARRAY:
            raise ValueError(f"{name}: it holds a compressed element of type {kind}, no array")
        limits.check(name, size=self._size)
        self.head = begins[_TAG : _TAG + self._size]

    def whole(self) -> bytes:
        """The whole content; its checksum is compared."""
        missing = self._size - len(self.head)
        rest = self._inflate(self._stream.unconsumed_tail, missing) if missing else b""
        over = self._inflate(self._stream.unconsumed_tail, 1)
        if len(rest) < missing or over or not self._stream.eof:
            raise ValueError(f"{self._name}: its compressed array does not have {self._size} bytes")
        return self.head + rest

    def _inflate(self, packed: bytes, most: int) -> bytes:
        try:
            return self._stream.decompress(packed, most)
        except zlib.error as error:
            raise ValueError(f"{self._name}: its compressed array is damaged ({error})") from error


def _element(content: bytes, place: int, order: str, name: str, whole: bool = True) -> _Element:
    """The element that begins at a place; one of up to four bytes has them inside its tag.

    Args:
        whole: whether its content must be there too, and not only its tag.
    """
    if place + _TAG > len(content):
        raise ValueError(f"{name}: ends at byte {len(content)}, inside the tag of an element")
    kind, size = struct.unpack_from(f"{order}II", content, place)
    start = place + _TAG
    if kind >> 16:
        kind, size, start = kind & 0xFFFF, min(kind >> 16, 4), place + 4
    if whole and start + size > len(content):
        raise ValueError(
            f"{name}: an element announces {size} bytes, but {len(content) - start} are left of"
            f" its {len(content)}"
        )
    return _Element(kind, start, start + size)


def _array(head: bytes, order: str, name: str) -> _Array:
    """What stands before an array's numbers."""
    parts, place = [], 0
    for what, kind in (("flags", _UINT32), ("dimensions", _INT32), ("name", _INT8)):
        part = _element(head, place, order, name)
        if part.kind != kind:
            raise ValueError(f"{name}: an array's {what} are of type {part.kind}, expected {kind}")
        parts.append(head[part.start : part.end])
        place += -(-(part.end - place) // 8) * 8  # elements begin at multiples of 8
    flags, dimensions, label = parts
    if len(flags) != 8 or len(dimensions) % 4:
        raise ValueError(f"{name}: an array's flags or dimensions are cut off")
    word = struct.unpack_from(f"{order}I", flags)[0]
    shape = struct.unpack(f"{order}{len(dimensions) // 4}i", dimensions)
    return _Array(label.decode("latin-1"), word & 0xFF, bool(word >> 8 & _COMPLEX), shape, place)


def _check(array: _Array, name: str, limits: Limits) -> None:
    if array.kind not in _NUMERIC or array.is_complex:
        raise ValueError(f"{name}: {VARIABLE} is not an array of real numbers")
    if len(array.shape) != 3 or array.shape[1] != 3 or min(array.shape) < 0:
        raise ValueError(f"{name}: {VARIABLE} is {array.shape}, expected (joints, 3, frames)")
    limits.check(name, frames=array.shape[2])


def _numbers(content: bytes, array: _Array, order: str, name: str) -> Float[np.ndarray, "1 T V 3"]:
    part = _element(content, array.numbers, order, name)
    dtype = np.dtype(order + _DTYPES[part.kind]) if part.kind in _DTYPES else None
    size = part.end - part.start
    if dtype is None or size != math.prod(array.shape) * dtype.itemsize:
        raise ValueError(
            f"{name}: {VARIABLE} is {array.shape}, but has {size} bytes of type {part.kind}"
        )
    numbers = np.frombuffer(content, dtype, math.prod(array.shape), part.start)
    with np.errstate(over="ignore", invalid="ignore"):  # infinity, which `check_clip` finds
        numbers = numbers.astype(np.float32)
    return np.ascontiguousarray(numbers.reshape(array.shape, order="F").transpose(2, 0, 1))[None]
