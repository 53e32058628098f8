"""What clips show: among which classes, by which gate, in whose words."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import softmax
from support import recognisers

from msf_kedro.recognizer import Recognizer
from msf_kedro.recognizer.incoming import prepared
from msf_kedro.texts.fusion import Texts
from msf_kedro.zero_shot.inference import INFERENCES
from msf_kedro.zero_shot.transduction import refined

SEEN, UNSEEN = ["throw", "hop", "clap"], ["kick", "squat"]


def looked(model, clips):
    """Features and seen logits, clip by clip."""
    found = []
    for clip in clips:
        bodies = prepared(clip, model.layout, model.normalise, model.limits)
        found.append(model.look([bodies]))
    features, logits = zip(*found, strict=True)
    return torch.cat(features), torch.cat(logits).numpy().astype(float)


def shares(predictions, side):
    """Probabilities of a side's classes, a row for each clip, in the order of the labels."""
    rows = [getattr(prediction, side) for prediction in predictions]
    return np.array([[row[label] for label in sorted(row)] for row in rows])


# --- clips that are looked at together ---


@pytest.mark.parametrize("of_study", INFERENCES)
def test_clips_that_are_looked_at_together_tell_of_each_others_class(model, clips, of_study):
    """Unseen classes are told apart anew; the logistic gate sees what it was fitted on."""
    facts = model.facts | {"inference": of_study}
    recognizer = Recognizer(replace(model, gate="logistic", facts=facts))
    alone, together = (recognizer.predict(clips, inference=i) for i in INFERENCES)
    features, _ = looked(model, clips)
    probs = (model.classifier.logits(model.read(features))[0, 0] / 0.5).softmax(-1)
    expected = refined(*model.witness.beside_seen(features), probs)
    np.testing.assert_allclose(shares(together, "unseen"), expected, atol=1e-5)
    assert np.abs(shares(alone, "unseen") - shares(together, "unseen")).max() > 0.0003
    np.testing.assert_array_equal(shares(alone, "seen"), shares(together, "seen"))
    same = np.allclose([p.score for p in alone], [p.score for p in together], atol=1e-6)
    assert same == (of_study == "inductive")


def test_together_also_among_described_classes_and_beside_refused_clips(recognizer, clips):
    among = {"throw": None, "bow": "The spine leans forward.", "kick": None}
    bad = np.full((8, 20, 3), np.nan)
    found = recognizer.predict([*clips, bad], among, inference="transductive")
    assert [bool(p.refused) for p in found] == [False] * len(clips) + [True]
    assert set(found[0].unseen) == {"bow", "kick"}
    only_seen = recognizer.predict(clips, ["throw", "hop"], inference="transductive")
    assert only_seen == recognizer.predict(clips, ["throw", "hop"])


def test_an_unknown_inference_is_refused_before_clips_are_read(recognizer):
    with pytest.raises(ValueError, match="unknown inference 'both'"):
        recognizer.predict("no such folder", inference="both")


# --- probabilities ---


def test_probabilities_are_those_of_both_classifiers(recognizer, model, clips):
    predictions = recognizer.predict(clips)
    features, logits = looked(model, clips)
    seen = softmax(logits / 2, axis=1)[:, np.argsort(SEEN)]  # the gate's temperature
    unseen = (model.classifier.logits(model.read(features))[0, 0] / 0.5).softmax(-1)
    np.testing.assert_allclose(shares(predictions, "seen"), seen, atol=1e-5)
    np.testing.assert_allclose(shares(predictions, "unseen"), unseen, atol=1e-5)
    for prediction in predictions:
        for classes in (prediction.seen, prediction.unseen):
            assert list(classes.values()) == sorted(classes.values(), reverse=True)
        assert prediction.label == next(iter(getattr(prediction, prediction.side)))


def test_the_threshold_gate_looks_at_the_largest_seen_probability(model, clips):
    scores = softmax(looked(model, clips)[1] / 2, axis=1).max(axis=1)
    between = float(np.sort(scores)[:2].mean())
    gate = replace(model.gates["threshold"], threshold=between)
    moved = replace(model, gates=model.gates | {"threshold": gate})
    predictions = Recognizer(moved).predict(clips)
    np.testing.assert_allclose([p.score for p in predictions], scores, atol=1e-5)
    assert [p.side == "seen" for p in predictions] == (scores >= between).tolist()
    assert {p.side for p in predictions} == {"seen", "unseen"}
    assert all(p.threshold == between for p in predictions)


def test_seen_classes_that_are_asked_for_share_the_probability_but_not_the_gate(
    recognizer, model, clips
):
    """A clip of another seen class is not called seen for want of it."""
    _, logits = looked(model, clips)
    predictions = recognizer.predict(clips, ["clap", "hop", "kick"])
    assert all(set(p.seen) == {"hop", "clap"} and set(p.unseen) == {"kick"} for p in predictions)
    np.testing.assert_allclose(
        shares(predictions, "seen"), softmax(logits[:, [2, 1]] / 2, axis=1), atol=1e-5
    )
    among_all = softmax(logits / 2, axis=1)[:, [1, 2]].max(axis=1)
    np.testing.assert_allclose([p.score for p in predictions], among_all, atol=1e-5)


def test_the_logistic_gate_decides_only_as_many_classes_as_it_was_fitted_for(clips):
    model = recognisers.model(gate="logistic")
    recognizer = Recognizer(model)
    assert {p.threshold for p in recognizer.predict(clips)} == {0.5}
    assert {p.threshold for p in recognizer.predict(clips, ["throw", "kick", "squat"])} == {0.4}
    words = {"bow": "To bend.", "wave": "To swing a hand."}
    assert {p.threshold for p in recognizer.predict(clips, dict.fromkeys(SEEN) | words)} == {0.5}
    recognizer.describe(words)
    assert {p.threshold for p in recognizer.predict(clips)} == {0.4}


@pytest.mark.parametrize(
    ("gate", "method"), [("evidence", "msf"), ("evidence", "msf_plus"), ("conformal", "msf_plus")]
)
def test_gates_on_evidence_decide_any_number_of_classes(clips, gate, method):
    model = recognisers.model(method, gate=gate)
    recognizer = Recognizer(model)
    words = {"bow": "To bend the spine.", "kick": None}
    predictions = recognizer.predict(clips, ["hop", "clap", "kick"])
    others = recognizer.predict(clips, words | {"hop": None})
    assert {p.threshold for p in (*predictions, *others)} == {0.5}
    features, _ = looked(model, clips)
    kick = next(known for known in model.classes if known.label == "kick")
    texts = Texts([1], "counts words", {k: v[None] for k, v in kick.features.items()})
    asked = [SEEN.index("hop"), SEEN.index("clap")]
    scores = model.witness.measure(features, texts, sorted(asked))
    weights = model.gates[gate].weights
    expected = 1 / (1 + np.exp(-(scores @ weights[:-1] + weights[-1])))
    np.testing.assert_allclose([p.score for p in predictions], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("classes", "side"), [(SEEN, "seen"), (UNSEEN, "unseen"), (["hop"], "seen")]
)
def test_classes_of_one_side_need_no_gate(recognizer, clips, classes, side):
    for prediction in recognizer.predict(clips, classes):
        assert (prediction.side, prediction.score, prediction.threshold) == (side, None, None)
        assert set(prediction.classes) == set(classes)
        assert sum(prediction.classes.values()) == pytest.approx(1)


# --- classes in words ---


def test_a_description_makes_a_class(recognizer, clips):
    predictions = recognizer.predict(clips, {"hop": None, "kick": "", "bow": "To bend the spine."})
    assert all(set(p.unseen) == {"kick", "bow"} for p in predictions)
    assert "bow" not in recognizer.classes.label.tolist()  # only `describe` keeps it
    sentences = recognizer.describe({"bow": "To bend the spine."})
    assert list(sentences) == ["bow"]
    assert recognizer.classes.label.tolist() == [*SEEN, *UNSEEN, "bow"]
    assert recognizer.classes.side.tolist() == ["seen"] * 3 + ["unseen"] * 2 + ["described"]
    by_name = recognizer.predict(clips, ["bow", "hop", "kick"])
    assert [p.unseen for p in by_name] == [p.unseen for p in predictions]


def test_the_order_and_the_company_of_classes_do_not_matter(recognizer, clips):
    recognizer.describe({"bow": "To bend the spine."})
    one = recognizer.predict(clips, ["bow", "kick", "hop"])
    assert recognizer.predict(clips, ["hop", "kick", "bow"]) == one
    alone = [recognizer.predict(clip, ["hop", "kick", "bow"])[0] for clip in clips]
    for together, single in zip(one, alone, strict=True):
        assert together.unseen == pytest.approx(single.unseen, abs=1e-4)
        assert together.score == pytest.approx(single.score, abs=1e-4)


@pytest.mark.parametrize("method", ["msf", "ridge"])
def test_the_studys_words_said_again_are_the_studys_classes(method, clips):
    """The same answers whether its classifier is the study's or one made now."""
    recognizer = Recognizer(recognisers.model(method))
    said = recognizer.classes.drop(columns="side")
    whole = recognizer.predict(clips)
    assert recognizer.predict(clips, said) == whole
    unseen = said.set_index("label").loc[UNSEEN].T.to_dict()
    renamed = {f"my {label}": words for label, words in unseen.items()}
    again = recognizer.predict(clips, dict.fromkeys(SEEN) | renamed)
    for one, other in zip(whole, again, strict=True):
        mine = {label.removeprefix("my "): share for label, share in other.unseen.items()}
        assert mine == pytest.approx(one.unseen, abs=0.01)


def test_an_unseen_class_can_be_described_anew(recognizer, clips):
    before = recognizer.predict(clips, UNSEEN)
    recognizer.describe({"kick": "Nothing but other words stand here."})
    assert recognizer.classes.set_index("label").side["kick"] == "described"
    after = recognizer.predict(clips, UNSEEN)
    assert [p.unseen for p in after] != [p.unseen for p in before]
    assert set(after[0].unseen) == set(UNSEEN)


def test_a_set_of_classes_is_learnt_once(recognizer, clips, monkeypatch):
    calls = []
    fitted = type(recognizer._model.fitted)
    real = fitted.classifier
    monkeypatch.setattr(fitted, "classifier", lambda *given: calls.append(1) or real(*given))
    for _ in range(2):
        recognizer.predict(clips, UNSEEN)
        recognizer.predict(clips, {"bow": "To bend.", "kick": None})
    assert len(calls) == 1
    recognizer.predict(clips, {"bow": "To bend far.", "kick": None})
    assert len(calls) == 2


def test_describing_says_what_is_near_and_what_is_made_up(recognizer):
    words = {
        "jump": {"AD": "To jump on one foot, the body jumps up and down."},
        "nod": {"MD": "The head tilts.", "verb": "nod"},
        "hopping": {"AD": "To jump on one foot.", "MD": "The body jumps up and down on one foot."},
        "zzz": "Ceilings echo.",
    }
    said = recognizer.describe(words)
    assert said["jump"].startswith("jump: nearest to hop (seen, cosine 0.")
    assert said["jump"].endswith("its AD stands in for its MD.")
    assert "its MD stands in for its AD" in said["nod"]
    assert "its verb is not read: the method reads LB+AD+MD" in said["nod"]
    assert "nearest to hop (seen" in said["hopping"]
    assert "hard to tell apart from the first" in said["hopping"]
    assert "expect little" in said["zzz"]
    assert "stands in" not in said["zzz"]  # a description is meant for both


def test_describing_says_what_words_name_where_that_counts(recognizer):
    words = {"nod": "The head tilts forward once."}
    told = "its words name head; of movements forward, once, head."
    assert Recognizer(recognisers.model("msf_plus")).describe(words)["nod"].endswith(told)
    assert "name head" not in recognizer.describe(words)["nod"]


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({"hop": "My own words."}, "'hop' is a seen class, whose clips trained the networks"),
        (["hpo"], "'hpo' is no class that it knows, .*did you mean 'hop'?"),
        ({"bow": ""}, "'bow' is no class that it knows, and has no description"),
        ([], "classes: 0 classes, expected 1"),
        (7, "classes: int, expected labels"),
    ],
)
def test_classes_that_cannot_be_are_named(recognizer, clips, classes, message):
    with pytest.raises(ValueError, match=message):
        recognizer.predict(clips, classes)


def test_a_class_without_description_cannot_be_described(recognizer):
    with pytest.raises(ValueError, match="'bow' has no description"):
        recognizer.describe({"bow": None})
    with pytest.raises(ValueError, match="'hop' is a seen class"):
        recognizer.describe({"hop": "My own words."})
    assert recognizer.classes.label.tolist() == [*SEEN, *UNSEEN]


def test_another_encoder_than_the_bundles_is_noticed(recognizer, monkeypatch):
    def other(texts, config):
        return -recognisers.embed(texts, config)

    monkeypatch.setattr("msf_kedro.recognizer.recognizer.embed", other)
    with pytest.raises(ValueError, match="encoder 'counts words' here is not the one"):
        recognizer.describe({"bow": "To bend."})


# --- clips ---


def test_a_bad_clip_stops_none_of_the_others(recognizer, clips, tmp_path):
    np.save(tmp_path / "good.npy", clips[0])
    (tmp_path / "torn.npy").write_bytes((tmp_path / "good.npy").read_bytes()[:-50])
    given = {
        "one": clips[0],
        "no numbers": np.array([["a"]]),
        "few joints": clips[0][:, :, :20],
        "nobody": np.zeros_like(clips[0]),
        "good": tmp_path / "good.npy",
        "torn": str(tmp_path / "torn.npy"),
        "gone": tmp_path / "gone.npy",
        "one body": clips[0][0],
    }
    predictions = recognizer.predict(given)
    assert [p.name for p in predictions] == list(given)
    refused = {p.name: p.refused for p in predictions if p.refused}
    assert set(refused) == {"no numbers", "few joints", "nobody", "torn", "gone"}
    assert "expected numbers" in refused["no numbers"]
    assert "20 joints" in refused["few joints"]
    assert refused["nobody"] == "no body in any frame"
    assert "torn.npy: an array" in refused["torn"]
    assert "there is no such file" in refused["gone"]
    answers = {p.name: p.seen for p in predictions if not p.refused}
    for name in ("good", "one body"):
        assert answers[name] == pytest.approx(answers["one"], abs=1e-5)


def test_many_clips_are_looked_at_in_parts(recognizer, clips, monkeypatch):
    whole = recognizer.predict(clips)
    monkeypatch.setattr("msf_kedro.recognizer.recognizer.AT_ONCE", 2)
    parts = recognizer.predict(clips)
    assert [p.name for p in parts] == [p.name for p in whole] == ["clip 1", "clip 2", "clip 3"]
    for one, other in zip(parts, whole, strict=True):
        assert one.seen == pytest.approx(other.seen, abs=1e-5)


# --- frames that arrive one by one ---


def test_a_stream_is_told_as_its_latest_frames_are(recognizer, clips):
    frames = clips[1].transpose(1, 0, 2, 3)  # of two people
    told = list(recognizer.stream(frames, length=20, every=8))
    assert [number for number, _ in told] == [16, 24, 32, 40, 48, 56, 64][: len(told)]
    assert len(told) == len(frames) // 8 - 1
    for number, prediction in told:
        latest = clips[1][:, max(0, number - 20) : number]
        assert prediction.name == f"frame {number}"
        assert prediction.seen == recognizer.predict(latest)[0].seen


def test_a_stream_waits_for_no_frame_that_it_does_not_need(recognizer, clips):
    given = []

    def frames():
        for frame in clips[0][0]:
            given.append(len(given))
            yield frame

    stream = recognizer.stream(frames(), UNSEEN)
    assert next(stream)[0] == len(given) == 20  # half of a usual clip's 40


def test_frames_without_anybody_are_refused_not_fatal(recognizer, clips):
    frames = np.zeros((30, 25, 3), np.float32)
    frames[20:] = clips[0][0, :10]
    told = dict(recognizer.stream(frames, length=10, every=10))
    assert told[10].refused == "no body in any frame"
    assert told[30].label
