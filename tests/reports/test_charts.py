"""A run's tables as charts."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from msf_kedro.reports import charts
from msf_kedro.reports.examples import examples
from msf_kedro.reports.shown import Classes, Shown

SVG = "{http://www.w3.org/2000/svg}"
SHOWN = Shown({"run": {"gate": "threshold"}, "strict": {}, "paper": {}})
RUN = {"protocol": "strict", "gate": "threshold"}
TEXTS = pd.DataFrame({"class_id": [1, 2, 3, 4], "label": ["a & b", "walk", "sit", "wave"]})


@pytest.fixture
def predictions() -> pd.DataFrame:
    rows = [
        # class, side, predicted, by the seen classifier, by the unseen one, score
        *[(1, "seen", 1, 1, 3, 0.9)] * 3,
        (1, "seen", 3, 1, 3, 0.2),
        *[(2, "seen", 1, 1, 4, 0.8)] * 2,
        *[(3, "unseen", 3, 2, 3, 0.1)] * 2,
        *[(4, "unseen", 3, 2, 3, 0.3)] * 3,
    ]
    columns = ["class_id", "side", "predicted", "seen_prediction", "unseen_prediction", "score"]
    table = pd.DataFrame(rows, columns=columns).assign(**RUN, seed=0)
    return table.assign(name=[f"clip {n:02}" for n in range(len(table))])


def drawn(svg: str) -> ET.Element:
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert "script" not in svg
    assert "nan" not in svg
    return root


def texts(root: ET.Element) -> list[str]:
    return [text.text for text in root.iter(f"{SVG}text")]


def test_the_curve_has_the_operating_point_where_it_is():
    curve = pd.DataFrame({"acc_seen": [0, 0.5, 1], "acc_unseen": [0.8, 0.4, 0]})
    curves = curve.assign(**RUN, seed=0, threshold=0.5)
    gzssar = pd.DataFrame([{**RUN, "seed": 0, "acc_seen": 0.5, "acc_unseen": 0.4, "ausuc": 0.4}])
    root = drawn(charts.tradeoff(SHOWN, curves, gzssar))
    (point,) = root.iter(f"{SVG}circle")
    lines = [path.get("d") for path in root.iter(f"{SVG}path") if "seen" in path.get("class")]
    assert f"L{point.get('cx')} {point.get('cy')}L" in lines[0]
    assert "H = 44.4" in texts(root)


def test_histograms_show_both_sides_and_the_threshold(predictions):
    gates = pd.DataFrame([{"protocol": "strict", "kind": "threshold", "seed": 0, "threshold": 0.5}])
    root = drawn(charts.gate_scores(SHOWN, predictions, gates))
    areas = [path.get("class") for path in root.iter(f"{SVG}path") if "area" in path.get("class")]
    assert areas == ["area seen", "area unseen"]
    assert "called seen →" in texts(root)


def test_a_row_of_the_confusion_matrix_is_a_class(predictions):
    keys = ["protocol", "gate", "class_id", "predicted"]
    table = predictions.groupby(keys).size().rename("clips").reset_index()
    root = drawn(charts.confusion(SHOWN, table, Classes.of(predictions, TEXTS)))
    told = [title.text for title in root.iter(f"{SVG}title")]
    assert told == [
        "a & b taken for a & b: 75 %",
        "a & b taken for sit: 25 %",
        "walk taken for a & b: 100 %",
        "sit taken for sit: 100 %",
        "wave taken for sit: 100 %",
    ]


def test_trainings_without_epochs_are_left_out():
    whole = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0], "accuracy": [0.5, 0.75]})
    histories = {"joint": whole, "bone": pd.DataFrame({"epoch": []}), "alignment": whole[:1]}
    root = drawn(charts.trainings("test", histories))
    assert "75 percent right" in root.get("aria-label")
    assert {"joint", "alignment"} < set(texts(root))
    assert "bone" not in texts(root)
    assert len(texts(drawn(charts.trainings("test", {"bone": histories["bone"]})))) == 1


def test_principal_axes_keep_distances_of_flat_points():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(20, 2)) * (3, 1)
    turned = flat @ np.linalg.qr(rng.normal(size=(5, 5)))[0][:2]
    found = charts.principal(turned)
    distances = [np.linalg.norm(p[:, None] - p[None], axis=-1) for p in (flat, found)]
    np.testing.assert_allclose(*distances, atol=1e-9)
    assert found[:, 0].std() > found[:, 1].std()
    assert charts.principal(turned[:, :1]).shape == (20, 2)


def test_no_tick_is_a_negative_zero():
    curve = pd.DataFrame({"acc_seen": [0, 1], "acc_unseen": [1, 0]})
    gzssar = pd.DataFrame([{**RUN, "seed": 0, "acc_seen": 0, "acc_unseen": 1, "ausuc": 0.5}])
    svg = charts.tradeoff(SHOWN, curve.assign(**RUN, seed=0), gzssar)
    assert not re.search(">-0<", svg)


def test_right_clips_and_the_commonest_mistakes_are_shown(predictions):
    right, wrong = examples(predictions)
    assert [(e.class_id, e.predicted, e.of) for e in right] == [(3, 3, (2, 2)), (1, 1, (3, 4))]
    assert [(e.class_id, e.predicted, e.of) for e in wrong] == [
        *((4, 3, (3, 3)), (2, 1, (2, 2)), (1, 3, (1, 4)))
    ]
    assert [e.beside for e in wrong] == ["clip 06", "clip 00", "clip 06"]
    assert right[0].name == "clip 06"
