"""Classes in a user's words."""

import pandas as pd
import pytest

from msf_kedro.recognizer.words import complete, parse_classes, read_classes


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["bow", " nod "], {"bow": {}, "nod": {}}),
        (("bow",), {"bow": {}}),
        ({"bow": "To bend."}, {"bow": {"description": "To bend."}}),
        ({"bow": None, "nod": ""}, {"bow": {}, "nod": {}}),
        (
            {"bow": {"action_description": "To bend.", "MD": "It leans."}},
            {"bow": {"AD": "To bend.", "MD": "It leans."}},
        ),
        (
            pd.DataFrame(
                {"label": ["bow", "nod"], "class_id": [1, 2], "description": ["To bend.", None]}
            ),
            {"bow": {"description": "To bend."}, "nod": {}},
        ),
    ],
)
def test_labels_mappings_and_tables_say_the_same(classes, expected):
    assert parse_classes(classes) == expected


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ("bow", "classes: str, expected labels"),
        ({}, "classes: 0 classes"),
        (["bow", " bow"], "classes: 'bow' comes twice"),
        ([3], "classes: a label is 3"),
        ([""], "classes: a label is ''"),
        ({"bow": 3}, "classes: bow: its description is '3', expected a text"),
        ({"bow": "x" * 5001}, "classes: bow: its description is .* at most 5,000"),
        ({"bow": {"descripton": "To bend."}}, "classes: bow: 'descripton' is given, known are"),
        (pd.DataFrame({"name": ["bow"]}), "expected `label` among them"),
    ],
)
def test_what_is_no_class_is_named(classes, message):
    with pytest.raises(ValueError, match=message):
        parse_classes(classes)


@pytest.mark.parametrize(
    ("given", "kinds", "words", "notes"),
    [
        ({"description": "D"}, ["LB", "AD", "MD"], ["bow", "D", "D"], []),
        ({"AD": "A"}, ["LB", "AD", "MD"], ["bow", "A", "A"], ["its AD stands in for its MD"]),
        ({"MD": "M"}, ["AD"], ["M"], ["its MD stands in for its AD"]),
        ({"MD": "M", "description": "D"}, ["AD", "MD"], ["D", "M"], []),
        ({"LB": "to bow", "AD": "A"}, ["LB"], ["to bow"], ["its AD is not read"]),
        ({"description": "D"}, ["LB"], ["bow"], ["its description is not read"]),
        ({"verb": "bow"}, ["verb", "noun"], ["bow", "bow"], ["its label stands in for its noun"]),
    ],
)
def test_what_stands_in_for_what(given, kinds, words, notes):
    notes = [f"{n}: the method reads {'+'.join(kinds)}" if "not read" in n else n for n in notes]
    found, told = complete("bow", given, kinds)
    assert (list(found), list(found.values()), told) == (kinds, words, notes)


def test_a_file_of_classes_is_read(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("\ufefflabel,description\nNA,None\nnod,\n", encoding="utf-8")
    assert parse_classes(read_classes(file)) == {"NA": {"description": "None"}, "nod": {}}


@pytest.mark.parametrize(
    "content",
    [b"", b"name\nbow\n", b"label\n\xff\xfe\n", b'label\na,b\nc\n"', b"label\nbow\nbow\n"],
)
def test_a_file_that_is_no_table_of_classes_is_named(tmp_path, content):
    file = tmp_path / "mine.csv"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"mine\.csv"):
        read_classes(file)
    with pytest.raises(ValueError, match=r"gone\.csv"):
        read_classes(tmp_path / "gone.csv")
