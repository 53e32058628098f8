"""Mutations inside compressed arrays and zip archives, behind whose checksums others do not get."""

import io
import random
import zipfile
import zlib
from collections.abc import Callable

import atheris

TAG = 128  # where a `.mat` file's first element begins
COMPRESSED = b"\x0f\0\0\0"
MOST = 100_000  # bytes that are decompressed


def inside(mutate: Callable[[bytes, int], bytes]) -> Callable[[bytes, int, int], bytes]:
    """Three times out of four what a file holds, if it can be unpacked, otherwise any byte."""

    def custom_mutator(data: bytes, max_size: int, seed: int) -> bytes:
        if seed % 4:
            try:
                mutated = mutate(data, seed)
            except Exception:  # what is damaged can make zipfile raise anything
                mutated = b""
            if 0 < len(mutated) <= max_size:
                return mutated
        return atheris.Mutate(data[:max_size], max_size)

    return custom_mutator


def in_array(data: bytes, seed: int) -> bytes:
    """A `.mat` file with another compressed array."""
    if data[TAG : TAG + 4] != COMPRESSED:
        return b""
    array = zlib.decompressobj().decompress(data[TAG + 8 :], MOST)
    packed = zlib.compress(atheris.Mutate(array, len(array) + 64))
    return data[:TAG] + COMPRESSED + len(packed).to_bytes(4, "little") + packed


def in_archive(data: bytes, seed: int) -> bytes:
    """A zip archive with one record changed, half of the time that of the pickle."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        records = {info.filename: archive.read(info) for info in archive.infolist()}
    if not records:
        return b""
    pickles = [name for name in records if name.endswith("data.pkl")]
    chosen = random.Random(seed).choice([*pickles * len(records), *records])
    records[chosen] = atheris.Mutate(records[chosen], len(records[chosen]) + 64)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in records.items():
            archive.writestr(name, content)
    return file.getvalue()


MUTATIONS = {"mat": inside(in_array), "checkpoint": inside(in_archive)}
