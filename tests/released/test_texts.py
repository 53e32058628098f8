"""Text files: which are taken, what they replace, and what is wrong with them."""

import numpy as np
import pandas as pd
import pytest

from msf_kedro.pipelines.semantics.nodes import embed_texts
from msf_kedro.released.texts import check_kinds, read_text_files
from msf_kedro.texts.body_parts import BODY_PARTS
from msf_kedro.texts.fusion import NAMES, TEXT_COLUMNS, Texts
from msf_kedro.texts.movements import MOVEMENTS
from msf_kedro.texts.named import NAMED

ENCODERS = {"toy": {"library": "sentence_transformers", "model": "none", "weights": ""}}
CLASSES = [1, 2, 3, 4]
TABLE = pd.DataFrame(
    {"class_id": [4, 3, 2, 1, 5]}
    | {c: [f"{c} {n}" for n in (4, 3, 2, 1, 5)] for c in TEXT_COLUMNS.values()}
)


def rows(numbers, header=("idx", "dcp")) -> list[list[str]]:
    return [list(header), *([str(n), f"text {n}"] for n in numbers)]


def files(**contents) -> dict:
    """`lb_4__csv=...` for `lb_4.csv`."""
    return {name.replace("__", "."): lambda c=c: c for name, c in contents.items()}


@pytest.fixture
def embedded(monkeypatch) -> list[list[str]]:
    """The texts of every call of the encoder, which gives each the length and a 1."""
    calls = []

    def embed(texts, config):
        calls.append(texts)
        return np.array([[len(text), int(text[-1]), 1.0] for text in texts], np.float32)

    monkeypatch.setattr("msf_kedro.pipelines.semantics.nodes.embed", embed)
    return calls


def embed(given: dict, classes: str = "1-4") -> pd.DataFrame:
    return embed_texts(TABLE, given, classes, ENCODERS, "toy")


def matrix(table: pd.DataFrame, kind: str) -> np.ndarray:
    assert table.loc[kind].index.tolist() == CLASSES
    return table.loc[kind].filter(regex=r"^e\d").to_numpy()


def kinds(table: pd.DataFrame) -> list[str]:
    return table.index.unique("kind").tolist()


# --- what replaces what ---


def test_without_files_the_whole_class_text_table_is_embedded(embedded):
    table = embed({})
    assert embedded == [[f"{c} {n}" for c in TEXT_COLUMNS.values() for n in TABLE.class_id]]
    expected = [(kind, n) for kind in TEXT_COLUMNS for n in TABLE.class_id]
    assert table.index.tolist() == expected
    assert table.index.names == ["kind", "class_id"]
    assert table.e1.tolist() == [n for _, n in expected]


def test_texts_replace_one_kind(embedded):
    table = embed(files(ad_4__csv=rows([3, 1, 2, 4])))
    sources = ("label", "text", "motion_description", "verb", "noun")
    assert embedded == [[f"{source} {n}" for source in sources for n in CLASSES]]
    for kind in TEXT_COLUMNS:
        assert matrix(table, kind)[:, 1].tolist() == CLASSES


def test_features_need_no_encoder(embedded):
    """And the kinds that have no file are not there, rather than embedded."""
    features = np.arange(12, dtype=np.float16).reshape(4, 3) + 1
    table = embed(files(LB__npy=features))
    assert embedded == []
    assert kinds(table) == ["LB"]
    np.testing.assert_array_equal(matrix(table, "LB"), features)
    assert table.e0.dtype == np.float32
    with pytest.raises(ValueError, match="none of the kinds MD, only LB"):
        Texts.of_table(table, ["LB", "MD"], CLASSES, "toy")


def test_features_of_one_kind_and_texts_of_another(embedded):
    features = np.ones((4, 3), np.float32)
    table = embed(files(lb_4__csv=rows(CLASSES), md_4__npy=features))
    assert embedded == [[f"text {n}" for n in CLASSES]]
    assert kinds(table) == ["LB", "MD"]
    np.testing.assert_array_equal(matrix(table, "MD"), features)
    assert matrix(table, "LB")[:, 1].tolist() == CLASSES


def test_other_widths_than_the_encoders_are_refused(embedded):
    given = files(lb_4__csv=rows(CLASSES), md_4__npy=np.ones((4, 2), np.float32))
    message = r"widths differ \(\{'MD': 2, 'LB': 3\}\); give all text kinds as \.npy .*or none"
    with pytest.raises(ValueError, match=message):
        embed(given)
    features = {"LB__npy": np.ones((4, 2), np.float32), "AD__npy": np.ones((4, 3), np.float32)}
    with pytest.raises(ValueError, match="widths differ"):
        embed(files(**features))


def test_classes_with_gaps_take_their_rows(embedded):
    """Row n - 1 of a `.npy` is class n, whatever the study's classes."""
    features = np.arange(1, 9, dtype=np.float32).reshape(4, 2)
    table = embed(files(LB__npy=features), "2, 4")
    assert table.loc["LB"].index.tolist() == [2, 4]
    assert table.e0.tolist() == [3, 7]
    texts = read_text_files(files(LB__csv=rows([1, 2, 3, 4, 5])), [2, 4]).texts
    assert texts == {"LB": {2: "text 2", 4: "text 4"}}


def test_what_is_named_is_what_the_text_in_use_names(embedded):
    """The file's text; where it holds features, the text of the class text table."""
    own = [["idx", "dcp"], *([str(n), f"the left hand rises {n}"] for n in CLASSES)]
    words = TABLE.assign(motion_description="both knees 1")
    given = files(lb_4__csv=own, md_4__npy=np.ones((4, 3), np.float32))
    table = embed_texts(words, given, "1-4", ENCODERS, "toy").filter(like=NAMES)
    assert list(table) == [f"{NAMES}{name}" for name in NAMED]
    named = {kind: set(table.columns[table.loc[kind].iloc[0] == 1]) for kind in ("LB", "MD")}
    assert named["LB"] == {f"{NAMES}{n}" for n in ("part_arm", "part_left_arm", "moves_up")}
    legs = ("leg", "left_leg", "right_leg", "both_legs")
    assert named["MD"] == {f"{NAMES}part_{leg}" for leg in legs} | {
        *(f"{NAMES}moves_{kind}" for kind in ("together", "ground"))
    }
    texts = Texts.of_table(embed_texts(words, given, "1-4", ENCODERS, "toy"), ["LB"], [2], "toy")
    assert texts.body_parts[0].tolist() == [float(p in ("arm", "left_arm")) for p in BODY_PARTS]
    assert texts.movements[0].tolist() == [float(kind == "up") for kind in MOVEMENTS]
    assert texts.kinds["LB"].shape == (1, 3)


# --- which files ---


@pytest.mark.parametrize("name", ["lb_4.csv", "LB_4.CSV", "lb.csv", "LB.csv", "Lb.csv"])
def test_names_in_any_case_with_or_without_the_number_of_classes(name):
    given = read_text_files({name: lambda: rows(CLASSES)}, CLASSES)
    assert given.texts == {"LB": {n: f"text {n}" for n in CLASSES}}
    assert given.notes == [f"LB: texts of {name}"]


def test_other_files_are_ignored_and_named():
    """The release keeps both data sets' files in one folder."""
    names = ["lb_120.csv", "README.md", "lb_4.txt", "lb_4.csv"]
    given = read_text_files({name: lambda: rows(CLASSES) for name in names}, CLASSES)
    assert given.texts.keys() == {"LB"}
    ignored = [note for note in given.notes if "is ignored" in note]
    assert sorted(note.split()[0] for note in ignored) == sorted(names[:3])


def test_a_folder_without_any_text_file_is_refused():
    message = r"^text_files: no file is called lb_4\.csv, .*; found README\.md, lb_60\.csv"
    with pytest.raises(ValueError, match=message):
        read_text_files({"lb_60.csv": list, "README.md": list}, CLASSES)


@pytest.mark.parametrize(
    "names", [("lb_4.csv", "lb_4.npy"), ("LB.csv", "lb_4.csv"), ("AD.npy", "ad.npy")]
)
def test_two_files_of_a_kind_are_refused(names):
    message = f"{sorted(names)[0]} and {sorted(names)[1]} are both of {names[0][:2].upper()}; keep"
    with pytest.raises(ValueError, match=message):
        read_text_files(dict.fromkeys(names, list), CLASSES)


# --- what they hold ---


def test_classes_counted_from_0_are_accepted_and_named():
    given = read_text_files(files(lb_4__csv=rows([0, 1, 2, 3])), CLASSES)
    assert given.texts["LB"] == {n: f"text {n - 1}" for n in CLASSES}
    assert "lb_4.csv: classes are counted from 0 in it, and taken as 1 to 4" in given.notes


def test_commas_and_quotes_belong_to_the_text():
    content = [["idx", "label"], *([str(n), 'a, "b"'] for n in CLASSES), []]
    given = read_text_files(files(md_4__csv=content), CLASSES)
    assert given.texts["MD"][1] == 'a, "b"'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (rows(CLASSES, ("id", "dcp")), r"columns \['id', 'dcp'\], expected two, the first .* idx"),
        (rows(CLASSES, ("idx", "dcp", "x")), r"columns \['idx', 'dcp', 'x'\], expected two"),
        ([], r"columns \[\], expected two"),
        (rows([1, 2, 4]), r"no text for classes \[3\]; expected a row for each class"),
        (rows([0, 1, 2]), r"no text for classes \[3, 4\]"),
        (rows([0, 1, 2, 3, 4]), "it has a class 0 and classes up to 4, expected 1 to 4"),
        (rows([1, 2, 2, 3, 4]), "class 2 comes more than once"),
        ([*rows([1, 2, 3]), ["4", " "]], r"no text for classes \[4\]"),
        ([*rows([1, 2, 3]), ["4", "a", "b"]], r"row 4 is \['4', 'a', 'b'\], .*commas in quotes"),
        ([*rows([1, 2, 3]), ["four", "a"]], r"row 4 is \['four', 'a'\], expected a class number"),
    ],
)
def test_bad_texts_are_refused(content, message):
    with pytest.raises(ValueError, match=rf"^lb_4\.csv: {message}"):
        read_text_files(files(lb_4__csv=content), CLASSES)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((3, 2), np.float32), r"an array \(3, 2\) of float32, expected \(4, width\)"),
        (np.ones((5, 2), np.float32), r"an array \(5, 2\) of float32, expected \(4, width\)"),
        (np.ones(4, np.float32), r"an array \(4,\) of float32"),
        (np.ones((4, 2), int), r"an array \(4, 2\) of int64"),
        (np.ones((4, 0), np.float32), r"an array \(4, 0\) of float32"),
        (np.diag([1.0, 1, 0, np.nan]), r"features of classes \[3, 4\] are all 0 or not finite"),
    ],
)
def test_bad_features_are_refused(array, message):
    with pytest.raises(ValueError, match=rf"^lb_4\.npy: {message}"):
        read_text_files(files(lb_4__npy=array), CLASSES)


def test_kinds_that_will_not_be_there():
    check_kinds(["LB", "AD", "MD"], ["MD"])
    given = read_text_files(files(LB__npy=np.ones((4, 2))), CLASSES)
    with pytest.raises(ValueError, match="AD\\+LB is asked for"):
        check_kinds(given.kinds(), ["AD", "LB"])
    assert read_text_files(files(LB__csv=rows(CLASSES)), CLASSES).kinds() == list(TEXT_COLUMNS)
    assert read_text_files({}, CLASSES).kinds() == list(TEXT_COLUMNS)
