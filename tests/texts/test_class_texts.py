"""The table of class texts: what is read from CSV, and what is refused."""

from pathlib import Path

import pandas as pd
import pytest

from msf_kedro.texts.class_texts import check_class_texts

CLASS_TEXTS = Path(__file__).parents[2] / "data/01_raw/class_texts"


def class_table() -> pd.DataFrame:
    columns = ["label", "verb", "noun", "action_description", "motion_description"]
    return pd.DataFrame({"class_id": [1, 2]} | {c: [f"{c} a", f"{c} b"] for c in columns})


@pytest.mark.parametrize("name", ["ntu_120", "utd_mhad"])
def test_the_projects_tables_are_usable(name):
    check_class_texts(pd.read_csv(CLASS_TEXTS / f"{name}.csv"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.drop(columns=["verb", "noun"]), r"columns \['verb', 'noun'\] are missing"),
        (lambda t: t.assign(class_id=[2, 2]), r"class_id \[2\] comes more than once"),
        (lambda t: t.assign(noun=["x", " "]), r"column noun is empty for classes \[2\]"),
        (lambda t: t.assign(label=[None, "x"]), r"column label is empty for classes \[1\]"),
    ],
)
def test_an_unusable_table_is_refused(spoil, message):
    check_class_texts(class_table())
    with pytest.raises(ValueError, match=f"^class texts: {message}"):
        check_class_texts(spoil(class_table()))
