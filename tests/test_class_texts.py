"""The class texts in data/01_raw/class_texts: complete, unique, inside the motion vocabulary."""

import csv
import re
from pathlib import Path

import pytest
from open_clip.tokenizer import SimpleTokenizer

ROOT = Path(__file__).resolve().parents[1]
TEXTS = ROOT / "data" / "01_raw" / "class_texts"
COLUMNS = [
    "class_id", "label", "verb", "noun", "action_description", "motion_description",
]  # fmt: skip
TABLES = {"ntu_120": 120, "utd_mhad": 27}
TWO_PERSON = {*range(50, 61), *range(106, 121)}  # NTU RGB+D action numbers
CLIP_CONTEXT = 77


def read(name: str) -> list[dict[str, str]]:
    """Rows of one CSV file, every cell a string."""
    with (TEXTS / f"{name}.csv").open(encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))


def words(text: str) -> list[str]:
    """Lower-case tokens of a motion description, hyphenated words whole."""
    return re.findall(r"[a-z]+(?:-[a-z]+)?", text.lower())


VOCABULARY = [row["word"] for row in read("motion_vocabulary")]
table = pytest.mark.parametrize("name", TABLES)


@table
def test_complete(name):
    """Ids run from 1 without gaps, under the right columns, and no cell is empty or padded."""
    rows = read(name)
    assert list(rows[0]) == COLUMNS
    assert [row["class_id"] for row in rows] == [str(k + 1) for k in range(TABLES[name])]
    for row in rows:
        assert list(row) == COLUMNS, f"class {row['class_id']}: too many cells"
        assert all(cell and cell == cell.strip() for cell in row.values()), row


@table
@pytest.mark.parametrize("column", ["label", "action_description", "motion_description"])
def test_unique(name, column):
    """No two classes of a table share a label, an AD or an MD."""
    texts = [row[column].lower() for row in read(name)]
    assert sorted(set(texts)) == sorted(texts)


@table
def test_verb_and_noun_tell_classes_apart(name):
    """No two classes share both verb and noun, which are all that SynSE and JPoSE see."""
    pairs = [(row["verb"], row["noun"]) for row in read(name)]
    assert sorted(set(pairs)) == sorted(pairs)


@table
def test_motion_words_are_in_the_vocabulary(name):
    """Every MD is built from the vocabulary alone, letters and simple punctuation."""
    for row in read(name):
        text = row["motion_description"]
        assert not set(words(text)) - set(VOCABULARY), row["label"]
        assert re.fullmatch(r"[A-Z][A-Za-z ,;-]+\.", text), text


def test_vocabulary():
    """The vocabulary is small, has known kinds, no doubles, and no word that no MD uses."""
    used = {word for name in TABLES for row in read(name) for word in words(row[COLUMNS[-1]])}
    assert sorted(VOCABULARY) == sorted(set(VOCABULARY))
    assert not set(VOCABULARY) - used
    assert len(VOCABULARY) < 180
    assert {row["kind"] for row in read("motion_vocabulary")} == {
        "movement verb", "body part", "direction", "place", "manner", "person", "connective",
    }  # fmt: skip


@table
def test_fits_clip(name):
    """Every text fits CLIP's context of 77 tokens, start and end tokens included."""
    tokenizer = SimpleTokenizer()
    for row in read(name):
        for column in ("label", "action_description", "motion_description"):
            assert len(tokenizer.encode(row[column])) + 2 <= CLIP_CONTEXT, row[column]


def test_persons_are_named_where_there_are_two():
    """MDs of NTU's two-person actions, and of no others, mention persons."""
    persons = {"person", "people"}
    named = {
        int(row["class_id"])
        for row in read("ntu_120")
        if persons & set(words(row["motion_description"]))
    }
    assert named == TWO_PERSON


@pytest.mark.parametrize("name", [*TABLES, "motion_vocabulary"])
def test_plain_text_files(name):
    """ASCII only, Unix line ends, no trailing spaces."""
    text = (TEXTS / f"{name}.csv").read_bytes().decode("ascii")
    assert "\r" not in text
    assert text.endswith("\n")
    assert not re.search(r"[ \t]+$", text, flags=re.MULTILINE)


def test_docs_list_the_vocabulary():
    """docs/class_texts.md lists exactly the vocabulary, kind by kind."""
    page = (ROOT / "docs" / "class_texts.md").read_text(encoding="utf-8")
    for kind in {row["kind"] for row in read("motion_vocabulary")}:
        expected = [row["word"] for row in read("motion_vocabulary") if row["kind"] == kind]
        match = re.search(rf"^\| {kind} \| (\d+) \| (.+) \|$", page, flags=re.MULTILINE)
        assert match, f"docs/class_texts.md has no row for kind {kind!r}"
        assert int(match[1]) == len(expected)
        assert match[2].split(", ") == expected
