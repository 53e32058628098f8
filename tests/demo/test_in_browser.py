"""The page in a browser, as a user has it.

That the right words make a clip right is no luck of one recogniser: of 12 that were tried (four
streams, three networks each), all took both clips for their class once it was described.
"""

import json
import time

import numpy as np
import pytest
from support import playable
from support.browser import browser, errors, hangs_over, until, widen

CONTROL = "\ue009"  # the key, as WebDriver has it
SMALL = 10  # pixels by which a page may hang over


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        widen(opened, 1280)
        yield opened


@pytest.fixture
def page(driver, address):
    driver.get(address)
    assert until(lambda: settled(driver) and verdict(driver)["moves"])
    yield driver
    assert errors(driver) == []


def settled(driver) -> bool:
    """Whether the latest question has been answered."""
    return driver.execute_script("""
        return !!document.querySelector("#verdict b")
          && !document.getElementById("answer").classList.contains("busy")""")


def verdict(driver) -> dict:
    """What the page says of the clip, and whether there is a moving skeleton."""
    return driver.execute_script("""
        const text = query => document.querySelector(query)?.textContent ?? "";
        const rows = [...document.querySelectorAll("#unseen li")].map(row =>
          [".name", ".share"].map(part => row.querySelector(part).textContent));
        return {
          label: text("#verdict b"), right: text("#verdict .right"), wrong: text("#verdict .wrong"),
          first: text("#unseen .name"), gate: text("#gate p"),
          shares: Object.fromEntries(rows.map(([label, share]) => [label, parseFloat(share)])),
          error: text("#error"), refused: text("#refused"),
          moves: !!document.querySelector("#figure canvas"),
        };""")


def write(driver, label: str, text: str, field: str = "textarea") -> None:
    """Type a text in place of what stands in a field of a class."""
    card = driver.execute_script(
        """return [...document.querySelectorAll("#classes details")].find(
             one => one.querySelector(".name").textContent === arguments[0])""",
        label,
    )
    driver.execute_script("arguments[0].open = true", card)
    place = card.find_element("css selector", field)
    place.send_keys(CONTROL, "a")
    place.send_keys(text)


def pick(driver, number: int) -> None:
    driver.find_elements("css selector", "#picked option")[number].click()


def test_a_clip_goes_from_wrong_to_right_when_its_description_is_typed_in(page):
    before = verdict(page)
    assert before["wrong"] == "✗ Wrong: the clip shows “cheer up”."
    assert before["label"] != "cheer up"
    write(page, "cheer up", playable.words()[playable.CHEER_UP][1])
    assert until(lambda: verdict(page)["right"])
    after = verdict(page)
    assert after["right"] == "✓ Right."
    assert after["label"] == after["first"] == "cheer up"
    assert after["shares"]["cheer up"] > before["shares"]["cheer up"] + 30
    assert "known from words (unseen)" in after["gate"]
    page.find_element("id", "reset").click()
    assert until(lambda: verdict(page)["wrong"])
    assert verdict(page)["shares"] == before["shares"]


def test_a_class_may_be_added_and_removed(page):
    page.find_element("id", "add").click()
    name = page.switch_to.active_element
    name.send_keys("hurrah")
    write(page, "hurrah", playable.words()[playable.CHEER_UP][1])
    assert until(lambda: verdict(page)["label"] == "hurrah")
    page.find_elements("xpath", "//button[.='Remove']")[0].click()
    assert until(lambda: settled(page) and "hurrah" not in verdict(page)["shares"])


def test_the_skeleton_moves_and_another_clip_takes_its_place(page):
    look = "return document.querySelector('#figure canvas').toDataURL()"
    first = page.execute_script(look)
    assert until(lambda: page.execute_script(look) != first)
    pick(page, 1)
    assert until(lambda: settled(page) and "A027" in page.find_element("id", "figure").text)
    assert len(page.find_elements("css selector", "#figure canvas")) == 1
    label = verdict(page)["label"]
    assert label == "jump up" or "jump up" in verdict(page)["wrong"]


def test_what_cannot_be_is_a_sentence_and_goes_when_it_is_mended(page, tmp_path):
    page.find_element("id", "add").click()
    page.switch_to.active_element.send_keys("throw")
    write(page, "throw", "A hand moves.")
    assert until(lambda: "'throw' is a seen class" in verdict(page)["error"])
    page.find_elements("xpath", "//button[.='Remove']")[0].click()
    assert until(lambda: settled(page) and not verdict(page)["error"])
    page.get_log("browser")  # the refusal


def test_a_file_is_taken(page, tmp_path):
    np.save(tmp_path / "<b>mine.npy", playable.clip(playable.CHEER_UP))
    page.find_element("id", "file").send_keys(str(tmp_path / "<b>mine.npy"))
    assert until(lambda: "<b>mine.npy" in page.find_element("id", "figure").text)
    (tmp_path / "bad.npy").write_text("no array")
    page.find_element("id", "file").send_keys(str(tmp_path / "bad.npy"))
    assert until(lambda: "bad.npy" in verdict(page)["refused"])
    page.get_log("browser")  # the refusal


def test_late_answers_do_not_take_the_place_of_newer_ones(page, playground, monkeypatch):
    """Words typed while an answer is under way: only what was asked last is shown."""
    asked, answer = [], playground.answer

    def slowly(key, classes):
        asked.append(json.dumps(classes))
        time.sleep(0.6 if len(asked) == 1 else 0)
        return answer(key, classes)

    monkeypatch.setattr(playground, "answer", slowly)
    write(page, "cheer up", "Both knees bend.")
    assert until(lambda: len(asked) == 1)
    write(page, "cheer up", playable.words()[playable.CHEER_UP][1])
    seen = set()
    assert until(lambda: seen.add(verdict(page)["label"]) or (settled(page) and len(asked) > 1))
    assert verdict(page)["label"] == "cheer up"
    assert playable.words()[playable.CHEER_UP][1] in asked[-1]


@pytest.mark.parametrize("width", [400, 800, 1280])
def test_it_fits(page, width):
    widen(page, width)
    assert hangs_over(page) <= SMALL
    widen(page, 1280)
