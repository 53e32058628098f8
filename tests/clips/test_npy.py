"""Reading `.npy` bytes: as NumPy reads them, and nothing that the header contradicts."""

import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.limits import LIMITS

from msf_kedro.clips.npy import HEAD, read_header, read_npy

NAME = "x.npy"
DTYPES = st.sampled_from(["<f4", ">f4", "<f8", ">f2", "i1", "<u2", ">i4", "<i8", "?"])


def saved(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version)
    return file.getvalue()


def headed(header: str, numbers: bytes = bytes(300)) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + numbers


@given(
    arrays("i1", st.lists(st.integers(1, 4), min_size=2, max_size=3).map(lambda s: (*s, 3))),
    DTYPES,
    st.booleans(),
    st.sampled_from([None, (1, 0), (2, 0), (3, 0)]),
)
def test_every_form_of_the_format_is_read(clip, dtype, fortran, version):
    clip = np.array(clip.astype(dtype), order="F" if fortran else "C")
    read = read_npy(saved(clip, version), NAME, LIMITS)
    assert read.dtype == np.float32
    assert read.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(read, clip.reshape((-1, *clip.shape[-3:])).astype(np.float32))


def test_headers_of_python_2_and_in_another_order_are_read():
    for header in (
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 25L, 3L), }",
        "{'shape': (1, 25, 3), 'fortran_order': False, 'descr': '<f4'}   \n",
    ):
        assert read_npy(headed(header), NAME, LIMITS).shape == (1, 1, 25, 3)


def fields(descr="'<f4'", order="False", shape="(1, 25, 3)") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}"


CLIP = np.ones((2, 25, 3), np.float32)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a .npy file"),
        (b"\x93NUMPY", "not a .npy file"),
        (b"garbage" * 99, "not a .npy file"),
        (b"\x93NUMPY\x04\x00" + bytes(99), "not a .npy file"),
        (b"PK\x03\x04" + bytes(99), "an .npz archive, expected a .npy file"),
        (saved(CLIP)[:90], "its header ends at byte 128, expected at most 90"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(99), "its header ends at byte 4294967307"),
        (saved(CLIP)[:-4], "(2, 25, 3) of float32 makes a file of 728 bytes, but it has 724"),
        (saved(CLIP) + b"\0", "makes a file of 728 bytes, but it has 729"),
        (
            headed(fields(shape="(10**9, 25, 3)")),
            "its shape is (10**9, 25, 3), expected some sizes",
        ),
        (headed(fields(shape="(1000000000, 25, 3)")), "makes a file of 300,000,000,080 bytes"),
        (headed(fields(shape=f"({'9' * 900}, 25, 3)")), "its shape is (999"),
        (headed(fields(shape=f"({'9' * 3900}, 25, 3)")), "its shape is (999"),
        (headed(fields(shape="(-1, 25, 3)")), "its shape is (-1, 25, 3), expected some sizes"),
        (headed(fields(shape="(True, 25, 3)")), "its shape is (True, 25, 3)"),
        (headed(fields(shape="25")), "expected descr, fortran_order and shape"),
        (headed(fields(shape=str((1,) * 30))), "expected some sizes"),
        (headed(fields(order="None")), "expected descr, fortran_order and shape"),
        (headed(fields(shape="(0, 25, 3)"), b""), "an array (0, 25, 3), expected some numbers"),
        (headed(fields(shape="()"), bytes(4)), "an array (), expected (bodies, frames, joints"),
        (headed(fields(shape="(75,)")), "an array (75,), expected (bodies, frames, joints"),
        (saved(np.ones((2, 25, 5))), "an array (2, 25, 5), expected (bodies, frames, joints"),
        (headed(fields(descr="'|O'")), "an array of '|O', expected plain numbers"),
        (headed(fields(descr="'<c8'")), "an array of '<c8', expected plain numbers"),
        (headed(fields(descr="'<U4'")), "an array of '<U4', expected plain numbers"),
        (headed(fields(descr="[('x', '<f4')]")), "expected descr, fortran_order"),
        (headed("{'descr': '<f4'}"), "expected descr, fortran_order and shape"),
        (headed("{'descr"), "expected descr, fortran_order and shape"),  # tokenize's error once
        (headed("(" * 3000), "expected descr, fortran_order and shape"),
        (headed("-" * 3900 + "1"), "expected descr, fortran_order and shape"),
        (headed("__import__('os').abort()"), "expected descr, fortran_order and shape"),
        (headed("\0"), "expected descr, fortran_order and shape"),
    ],
)
def test_a_bad_file_is_refused_with_its_name(content, message):
    with pytest.raises(ValueError, match=f"^{NAME}: .*{re.escape(message)}"):
        read_npy(content, NAME, LIMITS)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((17, 1, 1, 3), "17 bodies, accepted are at most 16; .* raise clips.max_bodies"),
        ((10_001, 1, 3), "10,001 frames, accepted are at most 10,000; .* raise clips.max_frames"),
        ((1, 1, 40_000_000, 3), "120,000,128 bytes, accepted are at most 32,000,000;"),
    ],
)
def test_a_clip_beyond_the_limits_is_refused(shape, message):
    with pytest.raises(ValueError, match=f"^{NAME}: {message}"):
        read_npy(saved(np.zeros(shape, "i1")), NAME, LIMITS)


def test_the_header_alone_tells_where_the_numbers_are():
    content = saved(np.asfortranarray(CLIP))
    header = read_header(content[:HEAD], len(content), NAME)
    assert header == (np.dtype("<f4"), "F", (2, 25, 3), 128)
    assert header.end == len(content)
