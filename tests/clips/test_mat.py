"""Reading `.mat` bytes: as SciPy reads them, and without what SciPy falls for."""

import io
import re
import struct
import tracemalloc
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.io import loadmat, savemat
from support.limits import LIMITS
from support.mat_files import ORDERS, STORED, write_mat

from msf_kedro.clips.limits import Limits
from msf_kedro.clips.mat import read_mat

NAME = "a1_s1_t1_skeleton.mat"
CLIP = np.random.default_rng(0).normal(size=(20, 3, 7))
SMALL = st.integers(0, 4)


def as_scipy_reads(content: bytes) -> np.ndarray:
    return loadmat(io.BytesIO(content))["d_skel"].transpose(2, 0, 1)[None].astype(np.float32)


def test_all_of_utd_mhad_is_as_scipy_reads_it(utd_mhad):
    for file in sorted(utd_mhad.glob("*.mat")):
        content = file.read_bytes()
        clip = read_mat(content, file.name, LIMITS)
        assert clip.dtype == np.float32
        np.testing.assert_array_equal(clip, as_scipy_reads(content), file.name)


@given(
    st.tuples(SMALL, SMALL).flatmap(lambda s: arrays("i1", (s[0], 3, s[1]))),
    st.sampled_from(sorted(STORED)),
    st.sampled_from(sorted(ORDERS)),
    st.booleans(),
    st.lists(st.sampled_from(["x", "names", "much_longer_name"]), unique=True),
)
def test_every_form_of_the_format_is_read_as_scipy_reads_it(clip, stored, order, packed, others):
    clip = np.abs(clip.astype(int)) if stored[0] == "u" else clip
    content = write_mat(dict.fromkeys(others, CLIP) | {"d_skel": clip}, stored, order, packed)
    read = read_mat(content, NAME, LIMITS)
    assert read.shape == (1, clip.shape[2], clip.shape[0], 3)
    np.testing.assert_array_equal(read[0].transpose(1, 2, 0), clip.astype(np.float32))
    np.testing.assert_array_equal(read, as_scipy_reads(content))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("dtype", ["f8", "f4", "u1", "i2", "i8"])
def test_what_scipy_writes_is_read(dtype, packed):
    file = io.BytesIO()
    clip = (100 * CLIP).clip(0).astype(dtype)
    savemat(file, {"other": "text", "d_skel": clip}, do_compression=packed)
    np.testing.assert_array_equal(
        read_mat(file.getvalue(), NAME, LIMITS)[0].transpose(1, 2, 0), clip.astype(np.float32)
    )


def saved(**arrays) -> bytes:
    file = io.BytesIO()
    savemat(file, arrays)
    return file.getvalue()


PLAIN, PACKED = write_mat({"d_skel": CLIP}), write_mat({"d_skel": CLIP}, packed=True)
FLIPPED = PACKED[:900] + bytes([PACKED[900] ^ 1]) + PACKED[901:]
LONG = b"\x00\x01IM".rjust(128) + struct.pack("<II", 15, 999) + zlib.compress(b"\x0e\0\0\0\xff")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a MATLAB level-5 file; save it in MATLAB with -v7 or -v6"),
        (PLAIN[:100], "not a MATLAB level-5 file"),
        (PLAIN[:124] + b"\x00\x02IM" + PLAIN[128:], "not a MATLAB level-5 file"),
        (PLAIN[:128], "no array d_skel (joints, 3, frames) among 0 arrays []"),
        (saved(a=CLIP, b=CLIP), "no array d_skel (joints, 3, frames) among 2 arrays ['a', 'b']"),
        (saved(d_skel=CLIP[0]), "d_skel is (3, 7), expected (joints, 3, frames)"),
        (saved(d_skel=CLIP.swapaxes(1, 2)), "d_skel is (20, 7, 3), expected"),
        (saved(d_skel="text"), "d_skel is not an array of real numbers"),
        (saved(d_skel=CLIP + 1j), "d_skel is not an array of real numbers"),
        (saved(d_skel={"a": CLIP}), "d_skel is not an array of real numbers"),
        (saved(d_skel=np.array([CLIP, "x"], dtype=object)), "d_skel is not an array of real"),
        (PLAIN[:-9], f"an element announces {len(PLAIN) - 136} bytes, but"),
        (PLAIN[:132], "ends at byte 132, inside the tag"),
        (PLAIN[:128] + struct.pack("<II", 9, 0), "byte 129 begins an element of type 9, no array"),
        (write_mat({"d_skel": CLIP}, shape=(20, 3, 8)), "d_skel is (20, 3, 8), but has 3360 bytes"),
        (write_mat({"d_skel": CLIP}, shape=(20, 3, -7)), "d_skel is (20, 3, -7), expected"),
        (write_mat({"d_skel": CLIP}, shape=(20, 3, 10_001)), "10,001 frames, accepted are at most"),
        (write_mat({"d_skel": CLIP}, shape=(20,) * 999), "an element announces 3996 bytes, but"),
        (PACKED[:-1], f"an element announces {len(PACKED) - 136} bytes, but"),
        (FLIPPED, "its compressed array is damaged"),
        (LONG, "an element announces 999 bytes"),
    ],
)
def test_a_bad_file_is_refused_with_its_name(content, message):
    with pytest.raises(ValueError, match=f"^{re.escape(NAME)}: .*{re.escape(message)}"):
        read_mat(content, NAME, LIMITS)


def test_a_flipped_bit_in_a_compressed_file_never_loads_as_another_clip():
    clip = read_mat(PACKED, NAME, LIMITS)
    for place in range(136, len(PACKED)):
        flipped = PACKED[:place] + bytes([PACKED[place] ^ 1 << place % 8]) + PACKED[place + 1 :]
        with suppress(ValueError):
            np.testing.assert_array_equal(read_mat(flipped, NAME, LIMITS), clip)


def packed_zeros(size: int, announced: int) -> bytes:
    """A file whose compressed array announces some bytes and decompresses to `size` of zeros."""
    head = write_mat({"d_skel": np.zeros((20, 3, 0))})[136:192]
    data = zlib.compress(struct.pack("<II", 14, announced) + head + bytes(size), 9)
    return b"\x00\x01IM".rjust(128) + struct.pack("<II", 15, len(data)) + data


@pytest.mark.parametrize(
    ("announced", "message"),
    [
        (1 << 30, "1,073,741,824 bytes, accepted are at most 1,000,000"),
        (5000, "does not have 5000"),
    ],
)
def test_a_bomb_is_not_unpacked(announced, message):
    content = packed_zeros(1 << 28, announced)
    assert len(content) < 300_000
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=f"{NAME}: .*{message}"):
            read_mat(content, NAME, Limits(10_000, 16, 1_000_000))
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
