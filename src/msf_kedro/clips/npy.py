"""NumPy's `.npy` bytes to arrays: numbers only, and nothing is read that the header contradicts."""

import ast
import math
import re
import struct
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from msf_kedro.clips.limits import Limits

MAGIC = b"\x93NUMPY"
HEAD = 4096  # bytes of a file within which its numbers must begin
_LENGTHS = {1: "<H", 2: "<I", 3: "<I"}  # format version → how the header's length is written
_DTYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")
_DIMENSIONS, _SIZE = 8, 10**12  # at most so many, each at most so large


class Header(NamedTuple):
    """What a `.npy` file says of its array, and where the numbers begin."""

    dtype: np.dtype
    order: str
    shape: tuple[int, ...]
    start: int

    @property
    def end(self) -> int:
        """Where the numbers end."""
        return self.start + math.prod(self.shape) * self.dtype.itemsize


def read_header(head: bytes, size: int, name: str) -> Header:
    """Read how a file begins, and compare what it announces with the file's size.

    Args:
        head: the first `HEAD` bytes, or the whole of a smaller file.
        size: of the file, bytes.
        name: what to call the file in errors.

    Raises:
        ValueError: it is no file of numbers, or has more or less of them than announced.
    """
    if head[:4] == b"PK\x03\x04":
        raise ValueError(f"{name}: an .npz archive, expected a .npy file")
    length = _LENGTHS.get(head[6]) if head[:6] == MAGIC and len(head) > 12 else None
    if length is None:
        raise ValueError(f"{name}: not a .npy file")
    begin = 8 + struct.calcsize(length)
    start = begin + struct.unpack_from(length, head, 8)[0]
    if start > len(head):
        raise ValueError(f"{name}: its header ends at byte {start}, expected at most {len(head)}")
    header = Header(*_fields(head[begin:start], name), start)
    if header.end == start:
        raise ValueError(f"{name}: an array {header.shape}, expected some numbers")
    if header.end != size:
        raise ValueError(
            f"{name}: an array {header.shape} of {header.dtype} makes a file of {header.end:,}"
            f" bytes, but it has {size:,}"
        )
    return header


def read_npy(content: bytes, name: str, limits: Limits) -> Float[np.ndarray, "M T V C"]:
    """Read a clip `(bodies, frames, joints, coordinates)`, or for one body without the first axis.

    Args:
        content: the file's.
        name: what to call the file in errors.
        limits: of the clip.

    Returns:
        float32, a row of axes for each body.

    Raises:
        ValueError: the content is no such file, or goes beyond the limits.
    """
    limits.check(name, size=len(content))
    clip = read_array(content, name)
    if clip.ndim not in (3, 4):
        raise ValueError(
            f"{name}: an array {clip.shape}, expected (bodies, frames, joints, coordinates) or,"
            " for one body, (frames, joints, coordinates)"
        )
    clip = clip if clip.ndim == 4 else clip[None]
    limits.check(name, bodies=clip.shape[0], frames=clip.shape[1])
    return clip


def read_array(content: bytes, name: str) -> Float[np.ndarray, "..."]:
    """Read an array of numbers as float32; see `read_header` for errors."""
    header = read_header(content[:HEAD], len(content), name)
    numbers = np.frombuffer(content, header.dtype, offset=header.start)
    with np.errstate(over="ignore"):  # infinity, which `check_clip` finds
        array = numbers.astype(np.float32)
    return np.ascontiguousarray(array.reshape(header.shape, order=header.order))


def _fields(text: bytes, name: str) -> tuple[np.dtype, str, tuple[int, ...]]:
    """The type, order and shape that a header names."""
    literal = re.sub(r"(?<=\d)L\b", "", text.decode("latin-1"))  # Python 2 wrote 5L
    try:
        fields = ast.literal_eval(literal.strip())
        kind, fortran, shape = (fields[key] for key in ("descr", "fortran_order", "shape"))
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise ValueError(
            f"{name}: its header is {literal[:80]!r}, expected descr, fortran_order and shape"
        ) from None
    if not isinstance(kind, str) or not _DTYPE.fullmatch(kind):
        raise ValueError(f"{name}: an array of {str(kind)[:40]!r}, expected plain numbers")
    sizes = isinstance(shape, tuple) and all(type(n) is int and 0 <= n < _SIZE for n in shape)
    if not sizes or len(shape) > _DIMENSIONS or not isinstance(fortran, bool):
        raise ValueError(f"{name}: its header is {literal[:80]!r}, expected a shape and an order")
    return np.dtype(kind), "F" if fortran else "C", shape
