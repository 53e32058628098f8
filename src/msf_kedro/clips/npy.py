"""NumPy's `.npy` bytes to arrays: numbers only, and nothing is read that the header contradicts."""

import math
import re
import struct
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from msf_kedro.clips.limits import Limits

MAGIC = b"\x93NUMPY"
HEAD = 4096  # bytes of a file within which its numbers must begin
VALUES = (2, 3, 4)  # of a joint: coordinates and perhaps a confidence
_LENGTHS = {1: "<H", 2: "<I", 3: "<I"}  # format version → how the header's length is written
_DTYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")
_SIZE = re.compile(r"[0-9]{1,12}L?")  # Python 2 wrote 5L
_DIMENSIONS = 8
_FIELDS = {  # of a header, which is a Python dictionary
    "descr": re.compile(r"""['"]descr['"]\s*:\s*['"]([^'"]*)['"]"""),
    "fortran_order": re.compile(r"""['"]fortran_order['"]\s*:\s*(True|False)"""),
    "shape": re.compile(r"""['"]shape['"]\s*:\s*\(([^()]*)\)"""),
}


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
    header = Header(*_fields(head[begin:start].decode("latin-1"), name), start)
    if header.end == start:
        raise ValueError(f"{name}: an array {header.shape}, expected some numbers")
    if header.end != size:
        raise ValueError(
            f"{name}: an array {header.shape} of {header.dtype} makes a file of {header.end:,}"
            f" bytes, but it has {size:,}"
        )
    return header


def read_npy(content: bytes, name: str, limits: Limits) -> Float[np.ndarray, "M T V C"]:
    """Read a clip `(bodies, frames, joints, values)`, or for one body without the first axis.

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
    header = read_header(content[:HEAD], len(content), name)
    if len(header.shape) not in (3, 4) or header.shape[-1] not in VALUES:
        raise ValueError(
            f"{name}: an array {header.shape}, expected (bodies, frames, joints, values) or, for"
            " one body, (frames, joints, values): 2 or 3 coordinates and perhaps a confidence"
        )
    shape = header.shape if len(header.shape) == 4 else (1, *header.shape)
    limits.check(name, bodies=shape[0], frames=shape[1])
    return read_array(content, name).reshape(shape)


def read_array(content: bytes, name: str) -> Float[np.ndarray, "..."]:
    """Read an array of numbers as float32; see `read_header` for errors."""
    header = read_header(content[:HEAD], len(content), name)
    numbers = np.frombuffer(content, header.dtype, offset=header.start)
    with np.errstate(over="ignore"):  # infinity, which `check_clip` finds
        array = numbers.astype(np.float32)
    return np.ascontiguousarray(array.reshape(header.shape, order=header.order))


def _fields(text: str, name: str) -> tuple[np.dtype, str, tuple[int, ...]]:
    """The type, order and shape that a header names, in any order."""
    found, rest = {}, text
    for field, pattern in _FIELDS.items():
        match = pattern.search(rest)
        if match:
            found[field], rest = match[1], rest[: match.start()] + rest[match.end() :]
    if len(found) < len(_FIELDS) or not re.fullmatch(r"\s*\{[\s,]*\}\s*", rest):
        raise ValueError(
            f"{name}: its header is {text[:80]!r}, expected descr, fortran_order and shape"
        )
    if not _DTYPE.fullmatch(found["descr"]):
        raise ValueError(f"{name}: an array of {found['descr'][:40]!r}, expected plain numbers")
    sizes = [size.strip() for size in found["shape"].split(",") if size.strip()]
    if len(sizes) > _DIMENSIONS or not all(_SIZE.fullmatch(size) for size in sizes):
        raise ValueError(f"{name}: its shape is ({found['shape'][:80]}), expected some sizes")
    shape = tuple(int(size.rstrip("L")) for size in sizes)
    return np.dtype(found["descr"]), "F" if found["fortran_order"] == "True" else "C", shape
