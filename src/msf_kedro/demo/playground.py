"""What the page asks for: a clip's skeleton, and what it shows among classes in a user's words."""

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from threading import Event, Lock
from typing import Any

import numpy as np
from jaxtyping import Float
from markupsafe import Markup

from msf_kedro.clips.normalise import check_clip
from msf_kedro.clips.readers import read_clip
from msf_kedro.demo.offers import Load, Offer
from msf_kedro.drawings.motion import raw_motion
from msf_kedro.drawings.player import Shown, player
from msf_kedro.recognizer.model import SEEN, UNSEEN, Model
from msf_kedro.recognizer.recognizer import Recognizer

UPLOADS = 20  # that are kept, the latest
AT_HAND = 4  # clips that need not be read again
MAX_NAME = 80  # characters of an uploaded file's
MAX_CLASSES = 200  # in words
TOLD = 6  # classes of each side that are listed
# Text kind → what to call it. The label is not among them: it has a field of its own.
ASKED = {
    "AD": "What is done, and to what end",
    "MD": "How the body moves",
    "verb": "Verb",
    "noun": "Noun",
}


class Playground:
    """A recogniser and clips, for one page; several threads may ask, one at a time is served.

    Attributes:
        model: what recognises.
        offers: key → clip that may be picked.
    """

    def __init__(self, model: Model, offers: Iterable[Offer] = ()):
        self.model = model
        self.offers = {f"clip{number}": offer for number, offer in enumerate(offers, 1)}
        self._recognizer = Recognizer(model)
        self._uploads: OrderedDict[str, Offer] = OrderedDict()
        self._number = 0
        self._read: OrderedDict[str, np.ndarray] = OrderedDict()
        self._turn, self._tried = Lock(), Event()

    def warm_up(self) -> None:
        """Load the text encoder, which takes seconds; new words wait for it."""
        try:
            Recognizer(self.model).describe({"warm-up": "Nothing is to be recognised as this."})
        except ValueError:
            pass  # whoever describes a class will be told why it cannot be
        finally:
            self._tried.set()

    def about(self) -> dict[str, Any]:
        """What the page has to know at its start, plain values."""
        kinds = {kind: ASKED[kind] for kind in self.model.fitted.about["kinds"] if kind in ASKED}
        return {
            "clips": [
                {"key": key, "name": offer.name, "group": offer.group, "label": offer.label}
                for key, offer in self.offers.items()
            ],
            "classes": [
                {"label": known.label, "texts": {kind: known.words[kind] for kind in kinds}}
                for known in self.model.of(UNSEEN)
            ],
            "seen": [known.label for known in self.model.of(SEEN)],
            "kinds": kinds,
            "bytes": self.model.limits.bytes,
            "told": TOLD,
        }

    def take(self, name: str, content: bytes) -> dict[str, str]:
        """Take a file of one clip, and say under which key it can be picked.

        Args:
            name: of the file; its suffix says which format it has. Nothing is opened by it.

        Raises:
            ValueError: it is no clip, or none that the model can look at.
        """
        name = PurePath(name.replace("\\", "/")).name[-MAX_NAME:]
        model = self.model
        model.limits.check(name, size=len(content))
        with self._turn:
            try:
                clip = read_clip(content, name, model.limits)
            except ValueError:
                raise
            except Exception as error:  # a damaged file can make a reader raise anything
                raise ValueError(f"{name} is unreadable: {error}") from error
            if reason := check_clip(clip, model.layout, model.normalise):
                raise ValueError(f"{name}: {reason}")
            self._number += 1
            key = f"upload{self._number}"
            self._uploads[key] = Offer(name, _given(clip))
            while len(self._uploads) > UPLOADS:
                self._uploads.popitem(last=False)
        return {"key": key, "name": name}

    def figure(self, key: str) -> Markup:
        """A clip's moving skeleton, HTML.

        Raises:
            ValueError: there is no such clip, or it cannot be looked at.
        """
        with self._turn:
            offer, clip = self._clip(key)
            motion = raw_motion(clip, self.model.layout, self.model.normalise)
        bodies = int(clip.any(axis=(1, 2, 3)).sum())
        caption = f"{motion.frames} frames, {bodies} {'body' if bodies == 1 else 'bodies'}"
        return player([Shown(offer.name, caption, motion)])

    def answer(self, key: str, classes: Any) -> dict[str, Any]:
        """What a clip shows among the seen classes and those given in words, plain values.

        Args:
            classes: a list of `{"label": …, "texts": {kind: text}}`; a text may also be called
                `description`. A class without any text is known by its label alone.

        Raises:
            ValueError: there is no such clip, it cannot be looked at, or the classes are not
                usable.
        """
        asked = self._asked(classes)
        if self._are_new(asked):
            self._tried.wait()
        with self._turn:
            began = time.perf_counter()
            offer, clip = self._clip(key)
            (found,) = self._recognizer.predict({offer.name: clip}, asked)
            seconds = time.perf_counter() - began
        if found.refused:
            raise ValueError(f"{offer.name}: {found.refused}")
        ranked = {SEEN: found.seen or {}, UNSEEN: found.unseen or {}}
        return {
            "label": found.label,
            "share": found.probability,
            "side": found.side,
            "score": found.score,
            "threshold": found.threshold,
            "seen": list(ranked[SEEN].items()),
            "unseen": list(ranked[UNSEEN].items()),
            "truth": offer.label,
            "seconds": round(seconds, 2),
        }

    def _clip(self, key: str) -> tuple[Offer, Float[np.ndarray, "M T V C"]]:
        """A clip that can be looked at; to be called by whoever has the turn."""
        offer = self.offers.get(key) or self._uploads.get(key)
        if offer is None:
            raise ValueError("this clip is not there any more; pick another, or upload it again")
        if key not in self._read:
            try:
                clip = offer.load(self.model.limits)
            except Exception as error:  # a damaged file can make a reader raise anything
                raise ValueError(f"{offer.name} is unreadable: {error}") from error
            if reason := check_clip(clip, self.model.layout, self.model.normalise):
                raise ValueError(f"{offer.name}: {reason}")
            self._read[key] = clip
        self._read.move_to_end(key)
        while len(self._read) > AT_HAND:
            self._read.popitem(last=False)
        return offer, self._read[key]

    def _asked(self, classes: Any) -> dict[str, dict[str, str] | None]:
        """Classes as the recogniser takes them: all seen ones, and those of the page."""
        if not isinstance(classes, list) or len(classes) > MAX_CLASSES:
            raise ValueError(f"expected a list of at most {MAX_CLASSES} classes in words")
        known = {known.label: known.words for known in self.model.of(UNSEEN)}
        asked: dict[str, dict[str, str] | None] = {}
        for one in classes:
            label, texts = _parsed(one)
            if label in asked:
                raise ValueError(f"two classes are called {label!r}; give one of them another name")
            name = known[label].get("LB", label) if label in known else label
            asked[label] = {"LB": name} | texts
        return {known.label: None for known in self.model.of(SEEN)} | asked

    def _are_new(self, asked: Mapping[str, dict[str, str] | None]) -> bool:
        """Whether there are words that the bundle has not encoded."""
        words = {known.label: known.words for known in self.model.classes}
        return any(
            texts and not words.get(label, {}).items() <= texts.items()
            for label, texts in asked.items()
        )


def _parsed(one: Any) -> tuple[str, dict[str, str]]:
    """A class's label and its texts, those that are empty left out."""
    label, texts = (one.get("label"), one.get("texts")) if isinstance(one, dict) else (None, None)
    told = [label, *texts.values()] if isinstance(texts, dict) else [None]
    if not all(isinstance(text, str) for text in told) or not label.strip():
        raise ValueError(f"a class is {str(one)[:60]}, expected a label and texts")
    return label.strip(), {kind: text for kind, text in texts.items() if text.strip()}


def _given(clip: np.ndarray) -> Load:
    """Reads a clip that is at hand."""
    return lambda limits: clip
