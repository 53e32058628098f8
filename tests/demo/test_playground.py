"""What the page asks for."""

import io
import threading
import time

import numpy as np
import pandas as pd
import pytest
from support import playable

from msf_kedro.clips.limits import Limits
from msf_kedro.demo.offers import MOST, WITH, WITHOUT, Offer, of_folder, of_study
from msf_kedro.demo.playground import UPLOADS, Playground


def in_words(playground: Playground, **texts: str | None) -> list[dict]:
    """The page's classes, some with other words, those with None left out."""
    texts = {label.replace("_", " "): text for label, text in texts.items()}
    classes = {one["label"]: one["texts"]["MD"] for one in playground.about()["classes"]} | texts
    return [
        {"label": label, "texts": {"MD": text}}
        for label, text in classes.items()
        if text is not None
    ]


def unread(limits: Limits) -> np.ndarray:
    raise AssertionError("a clip is read before it is picked")


def npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def test_the_page_is_told_of_clips_and_classes(playground):
    about = playground.about()
    assert [clip["label"] for clip in about["clips"]] == ["cheer up", "jump up", "throw"]
    assert about["classes"][0] == {"label": "cheer up", "texts": {"MD": playable.VAGUE}}
    assert about["kinds"] == {"MD": "How the body moves"}
    assert len(about["seen"]) == 19


def test_the_right_words_make_it_right(playground):
    before = playground.answer("clip1", in_words(playground))
    motion = playable.words()[playable.CHEER_UP][1]
    after = playground.answer("clip1", in_words(playground, cheer_up=motion))
    assert before["truth"] == after["truth"] == "cheer up"
    assert before["label"] != "cheer up"
    assert after["label"] == "cheer up"
    assert dict(after["unseen"])["cheer up"] > dict(before["unseen"])["cheer up"] + 0.3


def test_the_words_of_another_class_do_not(playground):
    other = playable.words()[80][1]
    assert playground.answer("clip1", in_words(playground, cheer_up=other))["label"] != "cheer up"


def test_a_class_may_be_left_out_or_added(playground):
    motion = playable.words()[playable.CHEER_UP][1]
    asked = in_words(playground, cheer_up=None)
    asked.append({"label": "hurrah", "texts": {"description": motion}})
    answer = playground.answer("clip1", asked)
    assert answer["label"] == "hurrah"
    assert "cheer up" not in dict(answer["unseen"])
    assert sum(dict(answer["unseen"]).values()) == pytest.approx(1)


def test_without_classes_in_words_only_those_of_clips_remain(playground):
    answer = playground.answer("clip1", [])
    assert (answer["side"], answer["unseen"], answer["score"]) == ("seen", [], None)
    assert len(answer["seen"]) == 19


def test_an_emptied_description_leaves_the_label(playground):
    empty, label = (
        playground.answer("clip1", in_words(playground, cheer_up=text))
        for text in (" ", "cheer up")
    )
    assert dict(empty["unseen"]) == pytest.approx(dict(label["unseen"]))


@pytest.mark.parametrize(
    ("key", "classes", "message"),
    [
        ("gone", [], "this clip is not there any more"),
        ("clip1", None, "expected a list of at most 200 classes"),
        ("clip1", [{"label": "x", "texts": {}}] * 201, "expected a list of at most 200 classes"),
        ("clip1", [{"label": "x", "texts": {"MD": "a"}}] * 2, "two classes are called 'x'"),
        ("clip1", [{"label": "throw", "texts": {"MD": "a"}}], "'throw' is a seen class"),
        ("clip1", [{"label": " ", "texts": {}}], "expected a label and texts"),
        ("clip1", ["x"], "expected a label and texts"),
        ("clip1", [{"label": "x", "texts": {"MD": 3}}], "expected a label and texts"),
        ("clip1", [{"label": "x", "texts": {"MD": "a" * 5001}}], "expected a text of at most"),
        ("clip1", [{"label": "x", "texts": {"secret": "a"}}], "'secret' is given, known are"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(playground, key, classes, message):
    with pytest.raises(ValueError, match=message):
        playground.answer(key, classes)


def test_a_file_may_be_given(playground):
    taken = playground.take("C:\\clips\\../wave.npy", npy(playable.clip(playable.CHEER_UP)))
    assert taken["name"] == "wave.npy"
    of_file = playground.answer(taken["key"], in_words(playground))
    assert of_file["truth"] is None
    assert of_file["unseen"] == playground.answer("clip1", in_words(playground))["unseen"]
    assert "wave.npy" in playground.figure(taken["key"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("clip.exe", b"", "suffix '.exe', expected one of .skeleton"),
        ("", b"", "suffix '', expected one of"),
        ("bad.npy", b"no array", "bad.npy"),
        ("flat.npy", npy(np.ones((3, 17, 3))), "flat.npy: 17 joints"),
        ("large.npy", bytes(500_001), "large.npy: 500,001 bytes, accepted are at most 500,000"),
        ("long.npy", npy(np.ones((301, 25, 3), "f2")), "long.npy: 301 frames"),
        ("code.npy", npy(np.array([print], object)), "code.npy"),
        ("bad.skeleton", b"1\n99", "bad.skeleton"),
        ("bad.json", b"[[[[", "bad.json"),
        ("bad.mat", b"MATLAB", "bad.mat"),
    ],
)
def test_a_file_that_is_no_clip_is_refused_in_a_sentence(playground, name, content, message):
    with pytest.raises(ValueError, match=message) as error:
        playground.take(name, content)
    assert "\n" not in str(error.value)


def test_only_the_latest_files_are_kept(playground):
    content = npy(playable.clip(7))
    keys = [playground.take(f"{n}.npy", content)["key"] for n in range(UPLOADS + 1)]
    assert playground.figure(keys[1])
    with pytest.raises(ValueError, match="not there any more"):
        playground.figure(keys[0])


def test_a_name_is_text_in_the_page(model):
    name = "<script>alert(1)</script>"
    figure = Playground(model, [Offer(name, lambda limits: playable.clip(7))]).figure("clip1")
    assert name not in figure
    assert "&lt;script&gt;alert(1)" in figure


def test_an_unreadable_clip_of_a_folder_says_so(model):
    def damaged(limits):
        raise OSError("half of it is missing")

    playground = Playground(model, [Offer("old", damaged)])
    with pytest.raises(ValueError, match="old is unreadable: half of it is missing"):
        playground.figure("clip1")


def test_new_words_wait_for_the_encoder_and_known_ones_do_not(model):
    playground = Playground(model, [Offer("jump", lambda limits: playable.clip(27))])
    assert playground.answer("clip1", in_words(playground))["label"]
    answers = []
    asked = in_words(playground, cheer_up="Both hands rise.")
    thread = threading.Thread(target=lambda: answers.append(playground.answer("clip1", asked)))
    thread.start()
    time.sleep(0.2)
    assert not answers
    playground.warm_up()
    thread.join(30)
    assert answers[0]["label"]


def test_many_may_ask_at_once(playground):
    """And get what each would get alone."""
    motions = [motion for _, motion in playable.words().values()][:6]
    questions = [in_words(playground, cheer_up=motion) for motion in motions]
    alone = [playground.answer("clip2", asked)["unseen"] for asked in questions]
    found = {}

    def ask(number: int) -> None:
        found[number] = playground.answer("clip2", questions[number])["unseen"]

    threads = [threading.Thread(target=ask, args=[number]) for number in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [found[number] for number in range(len(questions))] == alone


def test_some_clips_of_a_study_are_offered():
    clips = {f"c{number:02}": unread for number in range(40)}
    roles = pd.DataFrame({"name": [*clips, "gone"], "class_id": [*[1, 2] * 20, 1]})
    roles["side"] = roles.class_id.map({1: "unseen", 2: "seen"})
    roles["part"] = ["train"] * 20 + ["test"] * 21
    offered = of_study(clips, roles, {1: "hop", 2: "throw"})
    assert [(o.name, o.group, o.label) for o in offered] == [
        *[(name, WITHOUT, "hop") for name in ("c20", "c22", "c24")],
        ("c21", WITH, "throw"),
    ]


def test_of_a_large_folder_the_first_are_offered():
    assert len(list(of_folder({str(number): unread for number in range(MOST + 5)}))) == MOST
