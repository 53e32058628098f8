"""A small recogniser for every test of this folder."""

import pytest
from support import recognisers

from msf_kedro.recognizer import Recognizer


@pytest.fixture(autouse=True)
def _counting_encoder(monkeypatch):
    monkeypatch.setattr("msf_kedro.recognizer.recognizer.embed", recognisers.embed)


@pytest.fixture(scope="session")
def model():
    return recognisers.model()


@pytest.fixture(scope="session")
def clips():
    return recognisers.clips()


@pytest.fixture
def recognizer(model):
    return Recognizer(model)
