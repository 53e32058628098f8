"""A page's parts, over a recogniser that goes by words (`support.playable`)."""

import threading

import pytest
from support import playable

from msf_kedro.demo.offers import Offer
from msf_kedro.demo.playground import Playground


@pytest.fixture(autouse=True)
def _counting_encoder(monkeypatch):
    monkeypatch.setattr("msf_kedro.recognizer.recognizer.embed", playable.embed)


@pytest.fixture(scope="session")
def model():
    return playable.model()


def offers() -> list[Offer]:
    """Clips of two classes without training clips, and of one with them."""
    labels = {action: label for action, (label, _) in playable.words().items()}
    return [
        Offer(
            f"A{action:03}",
            lambda limits, action=action: playable.clip(action),
            group,
            labels[action],
        )
        for action, group in ((playable.CHEER_UP, "Without"), (27, "Without"), (7, "With"))
    ]


@pytest.fixture
def playground(model) -> Playground:
    made = Playground(model, offers())
    made.warm_up()
    return made


@pytest.fixture
def address(playground):
    """Of a page that is served in another thread."""
    server = pytest.importorskip(
        "msf_kedro.demo.server", reason="the extra `demo` is not installed"
    )
    from msf_kedro.demo.app import application

    listening = server.listen(0)
    serving = server.server(application(playground))
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [listening]})
    thread.start()
    yield server.address(listening)
    serving.should_exit = True
    thread.join(30)
    assert not thread.is_alive()
