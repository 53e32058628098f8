"""Text kinds, their features by class, and their fusion."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from msf_kedro.texts.fusion import TEXT_COLUMNS, Texts, fuse, parse_texts


@pytest.mark.parametrize(
    ("texts", "kinds"),
    [
        ("LB", ["LB"]),
        ("LB+AD+MD", ["LB", "AD", "MD"]),
        ("MD+LB", ["MD", "LB"]),
        ("noun+verb", ["noun", "verb"]),
    ],
)
def test_text_kinds_are_parsed_in_order(texts, kinds):
    assert parse_texts(texts) == kinds


@pytest.mark.parametrize("texts", ["", "lb", "LB+", "LB,AD", "LB+XX", "LB+AD+LB", "LB + AD"])
def test_unknown_or_repeated_text_kinds_are_refused(texts):
    message = r"^texts is .*, expected kinds of LB, AD, MD, verb, noun joined by \+"
    with pytest.raises(ValueError, match=message):
        parse_texts(texts)


def test_fusing_joins_raw_features_and_normalises_the_whole():
    label, motion = np.array([[3.0, 0.0], [0.0, 5.0]]), np.array([[0.0, 4.0], [12.0, 0.0]])
    expected = [[0.6, 0.0, 0.0, 0.8], [0.0, 5 / 13, 12 / 13, 0.0]]
    np.testing.assert_allclose(fuse([label, motion]), expected)
    np.testing.assert_allclose(fuse(iter([label])), [[1, 0], [0, 1]])


def words() -> Texts:
    kinds = {"LB": torch.tensor([[3.0, 0.0], [0.0, 5.0]]), "MD": torch.tensor([[4.0], [12.0]])}
    return Texts([7, 3], "toy", kinds)


def test_texts_are_fused_or_left_apart_with_norm_one():
    fused = torch.tensor([[0.6, 0.0, 0.8], [0.0, 5 / 13, 12 / 13]])
    torch.testing.assert_close(words().fused(), fused)
    label, motion = words().apart()
    torch.testing.assert_close(label, torch.eye(2))
    torch.testing.assert_close(motion, torch.ones(2, 1))
    assert words().widths == {"LB": 2, "MD": 1}


def features() -> pd.DataFrame:
    """Of three classes; kinds of one encoder are as wide as each other."""
    keys = [(kind, c) for kind in ("MD", "LB", "AD") for c in (3, 9, 7)]
    index = pd.MultiIndex.from_tuples(keys, names=["kind", "class_id"])
    values = [[list(TEXT_COLUMNS).index(kind), c] for kind, c in keys]
    return pd.DataFrame(np.array(values, dtype=np.float32), index, columns=["e0", "e1"])


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_texts_of_a_table_belong_to_their_class_wherever_the_row_stands(order):
    found = Texts.of_table(features()[order], ["LB", "MD"], [7, 3], "toy")
    assert found.class_ids == [7, 3]
    assert found.encoder == "toy"
    assert list(found.kinds) == ["LB", "MD"]
    assert torch.equal(found.kinds["LB"], torch.tensor([[0.0, 7], [0, 3]]))
    assert torch.equal(found.kinds["MD"], torch.tensor([[2.0, 7], [2, 3]]))


def test_missing_kinds_and_classes_are_named():
    message = "text features: none of the kinds verb, noun, only MD, LB, AD"
    with pytest.raises(ValueError, match=message):
        Texts.of_table(features(), ["verb", "LB", "noun"], [7], "toy")
    with pytest.raises(ValueError, match=r"text features: LB lacks classes \[4, 5\]"):
        Texts.of_table(features(), ["LB"], [5, 7, 4], "toy")


def test_other_words_than_those_of_today_are_refused():
    older = features().assign(names_arm=1.0, names_leg=0.0)
    with pytest.raises(ValueError, match="anew: `kedro run --pipelines=semantics`"):
        Texts.of_table(older, ["LB"], [7], "toy")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kinds": {}}, "at least one kind and one class"),
        ({"kinds": {"LB": torch.ones(3, 2)}}, "3 rows of LB, expected one for each of 2 classes"),
        ({"class_ids": [], "kinds": {"LB": torch.ones(0, 2)}}, "at least one kind and one class"),
    ],
)
def test_texts_that_are_none_are_refused(changes, message):
    with pytest.raises(ValueError, match=f"^texts: .*{message}"):
        dataclasses.replace(words(), **changes)
