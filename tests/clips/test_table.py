"""The table that says what clips show: what it may hold, and that it is of the clips there are."""

import pytest

from msf_kedro.clips.clip import OWN_COLUMNS
from msf_kedro.clips.table import ClipTable, read_clip_table

TEXT = "clip,action,subject,room\nrun,3,1,a\n007,12,2,\n"


def read(text: str | bytes) -> ClipTable:
    content = text if isinstance(text, bytes) else text.encode()
    return read_clip_table(content, "my.csv", OWN_COLUMNS)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace("\n", "\r\n"),
        "\ufeff" + TEXT,
        TEXT.replace(",", " , "),
        "\n" + TEXT + "\n\n",
        'action,clip,subject,room\n"3",run,1,a\n12,"007",2,""\n',
    ],
)
def test_numbers_texts_and_names(text):
    table = read(text)
    assert dict(table.rows) == {"run": (3, 1, "a"), "007": (12, 2, "")}
    assert table.columns == ("action", "subject", "room")


def test_rows_of_some_clips():
    assert read(TEXT).of(["007"]) == ClipTable(("action", "subject", "room"), {"007": (12, 2, "")})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no row, expected a header and a row for every clip"),
        ("clip,action\n", "no row"),
        ("clip,label\na,wave\n", r"columns \['clip', 'label'\], expected clip, action and others"),
        ("clip,action,action\na,1,1\n", ".*expected clip, action and others, each once"),
        ("clip,action,frames\na,1,1\n", "column 'frames', expected letters.* none of name, frames"),
        ("clip,action,class\na,1,1\n", "column 'class', expected letters"),
        ("clip,action,a b\na,1,1\n", "column 'a b', expected letters, digits and _"),
        ("clip,action\na,1,2\n", "line 2: 3 cells, expected 2 as in the header"),
        ("clip,action\na,wave\n", "action 'wave', expected the number of a class"),
        ("clip,action\na,\n", "action '', expected the number of a class"),
        ("clip,action\na,-1\nb,x\n", "action '-1', expected the number of a class"),
        ("clip,action\n,1\n", "line 2: the clip has no name"),
        ("clip,action\na,1\nb,2\na,3\n", "line 4: clip 'a' comes more than once"),
        ('clip,action\n"a,1\n', "line 2: .*; expected CSV"),
        (f"clip,action\n{'a' * 501},1\n", "line 2: a cell of 501 characters"),
        (b"clip,action\n\xff,1\n", "byte 13 is not UTF-8"),
    ],
)
def test_what_is_no_table_is_refused(text, message):
    with pytest.raises(ValueError, match=rf"^my\.csv: {message}"):
        read(text)


def test_a_table_is_of_the_clips_there_are():
    table = read(TEXT)
    table.check_clips({"run", "007"})
    with pytest.raises(ValueError, match="no row for 1 of 3 raw clips, such as jump; add"):
        table.check_clips({"run", "007", "jump"})
    with pytest.raises(
        ValueError, match=r"1 of 2 rows of the clip table name no raw clip, .* 007;"
    ):
        table.check_clips({"run"})
