"""The page over HTTP."""

import http.client
import json
from urllib.parse import urlsplit

import numpy as np
import pytest
from support import playable
from support.playable import CHEER_UP

QUESTION = json.dumps({"clip": "clip1", "classes": []})


def ask(address: str, method: str, path: str, body=None, **headers: str):
    """Status, headers and content of a reply; `headers` have `_` for `-`."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, headers)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, reply.headers, content


def test_the_page_and_its_files_are_there(address):
    for path, kind in {"/": "html", "/demo.css": "css", "/demo.js": "javascript"}.items():
        status, headers, content = ask(address, "GET", path)
        assert (status, kind in headers["Content-Type"]) == (200, True)
        assert b"{{" not in content
        assert b"://" not in content.replace(b"http://www.w3.org", b"")  # nothing from elsewhere
        assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert b"moveSkeletons" in ask(address, "GET", "/player.js")[2]
    assert b"<figure" in ask(address, "GET", "/clips/clip1")[2]


def test_a_question_is_answered(address):
    status, _, content = ask(address, "POST", "/answer", QUESTION)
    answer = json.loads(content)
    assert (status, answer["truth"], answer["side"]) == (200, "cheer up", "seen")


def test_a_file_is_taken_and_can_be_picked(address, tmp_path):
    np.save(tmp_path / "mine.npy", playable.clip(CHEER_UP))
    content = (tmp_path / "mine.npy").read_bytes()
    status, _, reply = ask(address, "POST", "/clips?name=mine.npy", content)
    assert status == 200
    assert ask(address, "GET", f"/clips/{json.loads(reply)['key']}")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "/answer", "{", "a question that is no JSON"),
        ("POST", "/answer", "[" * 100_000, "a question that is no JSON"),
        ("POST", "/answer", "[]", "a question without a clip"),
        ("POST", "/answer", " " * 1_000_001, "more than the 1,000,000 bytes"),
        ("POST", "/clips?name=x.npy", bytes(500_001), "more than the 500,000 bytes"),
        ("POST", "/clips?name=/etc/passwd", b"x", "passwd: suffix ''"),
        ("GET", "/clips/..%2f..%2fetc%2fpasswd", None, ""),
        ("GET", "/clips/gone", None, "this clip is not there any more"),
    ],
)
def test_what_is_wrong_is_a_sentence(address, method, path, body, message):
    status, _, content = ask(address, method, path, body)
    assert 400 <= status < 500
    assert message in content.decode()
    assert "Traceback" not in content.decode()


def test_a_defect_is_not_explained_to_the_page(address, playground, monkeypatch):
    def broken(key, classes):
        raise RuntimeError("secret")

    monkeypatch.setattr(playground, "answer", broken)
    status, _, content = ask(address, "POST", "/answer", QUESTION)
    assert status == 500
    assert "the terminal says more" in json.loads(content)["error"]
    assert b"secret" not in content


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "[", ""])
def test_it_answers_to_no_other_name(address, host):
    """A site whose name points here gets nothing."""
    for method, path in (("GET", "/"), ("POST", "/answer")):
        status, _, content = ask(address, method, path, QUESTION, Host=host)
        assert status in (400, 403)
        assert b"<html" not in content


def test_it_answers_to_localhost(address):
    assert ask(address, "GET", "/", Host=f"localhost:{urlsplit(address).port}")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_another_sites_page_may_not_ask(address, headers):
    for path in ("/answer", "/clips?name=x.npy"):
        status, _, content = ask(address, "POST", path, QUESTION, **headers)
        assert status == 403
        assert "another site's page" in json.loads(content)["error"]


def test_its_own_page_may_ask(address):
    headers = {"Origin": address.rstrip("/"), "Sec_Fetch_Site": "same-origin"}
    assert ask(address, "POST", "/answer", QUESTION, **headers)[0] == 200


def test_only_this_machine_can_reach_it():
    from msf_kedro.demo.server import listen

    with listen(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
        with pytest.raises(ValueError, match=r"port \d+ is not to be had .*--port"):
            listen(listening.getsockname()[1])
