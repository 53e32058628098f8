"""MATLAB level-5 files in every form that the format allows, for tests of their reader."""

import struct
import zlib

import numpy as np

ORDERS = {"<": b"\x00\x01IM", ">": b"\x01\x00MI"}
STORED = {  # NumPy type → type of an element, class of an array
    **{"i1": (1, 8), "u1": (2, 9), "i2": (3, 10), "u2": (4, 11), "i4": (5, 12), "u4": (6, 13)},
    **{"f4": (7, 7), "f8": (9, 6), "i8": (12, 14), "u8": (13, 15)},
}


def write_mat(
    arrays: dict[str, np.ndarray],
    stored: str = "f8",
    order: str = "<",
    packed: bool = False,
    shape: tuple[int, ...] | None = None,
) -> bytes:
    """A file of arrays.

    Args:
        stored: the numbers' type in the file.
        order: of bytes.
        packed: whether each array is compressed.
        shape: what is announced in place of the arrays' own.
    """
    parts = [b"MATLAB 5.0 MAT-file".ljust(124), ORDERS[order]]
    for name, array in arrays.items():
        kind, of_class = STORED[stored]
        numbers = array.astype(order + stored).tobytes(order="F")
        sizes = shape or array.shape
        content = b"".join(
            [
                _element(6, struct.pack(f"{order}II", of_class, 0), order),
                _element(5, struct.pack(f"{order}{len(sizes)}i", *sizes), order),
                _element(1, name.encode(), order),
                _element(kind, numbers, order),
            ]
        )
        element = _element(14, content, order)
        if packed:
            data = zlib.compress(element)
            element = struct.pack(f"{order}II", 15, len(data)) + data
        parts.append(element)
    return b"".join(parts)


def _element(kind: int, content: bytes, order: str) -> bytes:
    if 0 < len(content) <= 4:  # inside the tag
        return struct.pack(f"{order}I", len(content) << 16 | kind) + content.ljust(4, b"\0")
    padded = content.ljust(-(-len(content) // 8) * 8, b"\0")
    return struct.pack(f"{order}II", kind, len(content)) + padded
