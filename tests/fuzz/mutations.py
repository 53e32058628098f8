"""Mutations inside compressed arrays and zip archives, behind whose checksums others do not get."""

import io
import random
import zipfile
import zlib

import atheris

TAG = 128  # of a `.mat` file's first element
COMPRESSED = b"\x0f\0\0\0"


def mat(data: bytes, max_size: int, seed: int) -> bytes:
    """Now and then what a compressed array holds, otherwise any byte."""
    if data[TAG : TAG + 4] != COMPRESSED or seed % 4 == 0:
        return atheris.Mutate(data, len(data) + 64)
    try:
        array = zlib.decompressobj().decompress(data[TAG + 8 :], 100_000)
    except zlib.error:
        return atheris.Mutate(data, len(data) + 64)
    packed = zlib.compress(atheris.Mutate(array, len(array) + 64))
    return data[:TAG] + COMPRESSED + len(packed).to_bytes(4, "little") + packed


def checkpoint(data: bytes, max_size: int, seed: int) -> bytes:
    """Now and then one record of a zip archive, otherwise any byte."""
    if seed % 4 == 0:
        return atheris.Mutate(data, len(data) + 64)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            records = {info.filename: archive.read(info) for info in archive.infolist()}
    except Exception:
        return atheris.Mutate(data, len(data) + 64)
    pickled = [name for name in records if name.endswith("data.pkl")]
    name = random.Random(seed).choice([*pickled * len(records), *records])
    records[name] = atheris.Mutate(records[name], len(records[name]) + 64)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in records.items():
            archive.writestr(name, content)
    return file.getvalue()


MUTATIONS = {"mat": mat, "checkpoint": checkpoint}
