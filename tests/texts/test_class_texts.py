"""The table of class texts: what is read from CSV, and what is refused."""

import re
from pathlib import Path

import pandas as pd
import pytest

from msf_kedro.texts.class_texts import COLUMNS, check_class_texts, read_class_texts

CLASS_TEXTS = Path(__file__).parents[2] / "data/01_raw/class_texts"


def class_table() -> pd.DataFrame:
    return pd.DataFrame({"class_id": [1, 2]} | {c: [f"{c} a", f"{c} b"] for c in COLUMNS[1:]})


@pytest.mark.parametrize("name", ["ntu_120", "utd_mhad"])
def test_the_projects_tables_are_read_as_pandas_reads_them(name):
    file = CLASS_TEXTS / f"{name}.csv"
    pd.testing.assert_frame_equal(read_class_texts(file.read_bytes(), name), pd.read_csv(file))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.drop(columns=["verb", "noun"]), r"columns \['verb', 'noun'\] are missing"),
        (lambda t: t[:0], "0 rows, expected one for each class, at most 10,000"),
        (lambda t: pd.concat([t] * 5001), "10,002 rows, expected one for each class, at most"),
        (lambda t: t.assign(class_id=[2, 2]), r"class_id \[2\] comes more than once"),
        (lambda t: t.assign(class_id=[1.0, None]), "class_id holds float64 values, expected whole"),
        (lambda t: t.assign(noun=["x", " "]), r"column noun is empty for classes \[2\]"),
        (lambda t: t.assign(label=[None, "x"]), r"column label is empty for classes \[1\]"),
        (lambda t: t.assign(label=[7, 8]), "column label holds '7', which is no text"),
        (lambda t: t.assign(label=["x" * 5001, "x"]), r"label has more than 5,000 .* \[1\]"),
    ],
)
def test_an_unusable_table_is_refused(spoil, message):
    check_class_texts(class_table())
    with pytest.raises(ValueError, match=f"^class texts: .*{message}"):
        check_class_texts(spoil(class_table()))


def rows(*lines: str) -> bytes:
    return "\n".join([",".join(COLUMNS), *lines]).encode()


def test_every_cell_is_a_text():
    """Also those in which pandas would see numbers and missing values."""
    table = read_class_texts(rows("3, 7,None,NA,1e5,-", "", '2,null,"a, b",x,y,"""z"""'), "x.csv")
    assert table.class_id.tolist() == [3, 2]
    assert table.iloc[:, 1:].to_numpy().tolist() == [
        [" 7", "None", "NA", "1e5", "-"],
        ["null", "a, b", "x", "y", '"z"'],
    ]


ROW = "1,a,b,c,d,e"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "columns .* are missing"),
        (rows(), "0 rows"),
        (rows(ROW) + b"\xff", "byte 75 is 0xff, not UTF-8; save the table as CSV in UTF-8"),
        (rows(ROW).decode().encode("utf-16"), "byte 1 is 0xff, not UTF-8"),
        (rows(ROW) + b"\0", "it holds NUL characters"),
        (rows("1,a,b"), "line 2: 3 cells, expected 6 as in the header; put a text that holds comm"),
        (rows(ROW, "2,a,b,c,d,e, f"), "line 3: 7 cells, expected 6"),
        (rows("1.0,a,b,c,d,e"), "line 2: class_id is '1.0', expected a whole number"),
        (rows("-1,a,b,c,d,e"), "line 2: class_id is '-1', expected a whole number"),
        (rows(f"{'9' * 5000},a,b,c,d,e"), "line 2: class_id is '9999"),
        (rows(",a,b,c,d,e"), "line 2: class_id is '', expected a whole number"),
        (rows(ROW, ROW), r"class_id \[1\] comes more than once"),
        (rows('1,a,b,c,d,"e'), "line 2: unexpected end of data; expected CSV"),
        (rows('1,a,b,c,d,"e"f'), "line 2: .* expected .*; expected CSV"),
        (rows(f"1,a,b,c,d,{'e' * 200_000}"), "line 2: field larger than field limit"),
        (rows(*[f"{n},a,b,c,d,e" for n in range(10_001)]), "line 10002: more than 10,000 rows"),
        (rows(ROW).replace(b"verb", b"noun"), "line 2: the header above names a column twice"),
    ],
    ids=range(17),
)
def test_a_bad_file_is_refused_with_its_name(content, message):
    with pytest.raises(ValueError, match=f"^x.csv: {message}"):
        read_class_texts(content, "x.csv")


def test_a_byte_order_mark_is_no_part_of_the_header():
    assert read_class_texts(b"\xef\xbb\xbf" + rows(ROW), "x.csv").columns.tolist() == [*COLUMNS]
    with pytest.raises(ValueError, match=re.escape("columns ['class_id'] are missing")):
        read_class_texts(b"\xef\xbb\xbf" * 2 + rows(ROW), "x.csv")
