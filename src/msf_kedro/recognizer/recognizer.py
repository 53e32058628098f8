"""Recognise clips among classes that were trained on, or are known by their words only."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from scipy.special import softmax
from torch import Tensor

from msf_kedro import runtime
from msf_kedro.methods.contract.fitted import Classifier
from msf_kedro.progress import progress
from msf_kedro.recognizer import stream
from msf_kedro.recognizer.bundle import Bundle, read_bundle
from msf_kedro.recognizer.incoming import named_clips, prepared
from msf_kedro.recognizer.model import DESCRIBED, SEEN, UNSEEN, KnownClass, Model
from msf_kedro.recognizer.nearness import nearness
from msf_kedro.recognizer.predictions import Prediction, Predictions
from msf_kedro.recognizer.words import Given, complete, parse_classes
from msf_kedro.texts.encoders import embed
from msf_kedro.texts.fusion import Texts
from msf_kedro.texts.named import named
from msf_kedro.texts.named import told as plain_words
from msf_kedro.zero_shot.gate import ON_EVIDENCE, Gate, score
from msf_kedro.zero_shot.inference import INDUCTIVE, TRANSDUCTIVE, check_inference
from msf_kedro.zero_shot.transduction import refined

AT_ONCE = 256  # clips that are held in memory together
KEPT = 32  # classifiers of other classes than the study's
SAME_ENCODER = 0.5  # cosine of one text's features here and in the bundle; of others it is near 0


@dataclass(frozen=True)
class _Look:
    """What the networks see in clips.

    Attributes:
        names: of the clips.
        refused: why a clip cannot be looked at, or "".
        features: of those that can; None where there are none.
        logits: of the seen classes, of the same clips.
    """

    names: list[str]
    refused: list[str]
    features: Float[Tensor, "n D"] | None = None
    logits: Float[Tensor, "n S"] | None = None

    @classmethod
    def join(cls, looks: list["_Look"]) -> "_Look":
        """All of them as one."""
        names = [name for look in looks for name in look.names]
        refused = [why for look in looks for why in look.refused]
        seen = [(look.features, look.logits) for look in looks if look.features is not None]
        return cls(names, refused, *(torch.cat(of_all) for of_all in zip(*seen, strict=True)))


class Recognizer:
    """Recognises actions in clips.

    It knows the study's classes, `seen` ones, whose clips trained it, and `unseen` ones, of which
    it has words only; `describe` adds further ones by their words.

    Attributes:
        card: what it is and what it can do, Markdown for people.
    """

    def __init__(self, model: Model, device: str = "cpu", card: str = ""):
        self._model = model.to(runtime.pick_device(device))
        self.card = card
        self._known = {known.label: known for known in self._model.classes}
        self._encoded: dict[str, Tensor] = {}
        self._classifiers: OrderedDict[tuple, Classifier] = OrderedDict()

    @classmethod
    def load(cls, folder: str | Path, device: str = "cpu") -> "Recognizer":
        """The recognizer of a bundle.

        Args:
            folder: that `kedro run --pipelines=bundle` wrote.
            device: of the networks; a GPU is worth while for thousands of clips, and rounds
                otherwise.

        Raises:
            ValueError: there is no bundle, or it is damaged or of another format.
        """
        try:
            return cls.of(read_bundle(Path(folder)), device)
        except ValueError as error:
            raise ValueError(f"bundle {folder}: {error}") from error

    @classmethod
    def of(cls, bundle: Bundle, device: str = "cpu") -> "Recognizer":
        """The recognizer of a bundle that has been read.

        Raises:
            ValueError: its parts do not belong together.
        """
        return cls(Model.of_parts(bundle.values, bundle.tensors), device, bundle.card)

    @property
    def classes(self) -> pd.DataFrame:
        """All classes that it knows: `label`, `side` and the texts of each kind."""
        return pd.DataFrame(
            [{"label": k.label, "side": k.side} | k.words for k in self._known.values()]
        )

    @property
    def facts(self) -> dict[str, Any]:
        """What made it, and its figures on the study's test clips."""
        return self._model.facts

    def predict(self, clips: Any, classes: Any = None, inference: str = INDUCTIVE) -> Predictions:
        """What each clip shows.

        A clip that cannot be looked at is refused with the reason, and stops none of the others.

        Args:
            clips: an array `(frames, joints, C)` or `(bodies, frames, joints, C)`, a file, a folder
                of files, or a list or mapping of these; of the layout and in the units of the
                clips that trained it.
            classes: among which to decide; by default all that it knows. Labels of known classes,
                or a mapping or table of labels and descriptions: see `describe`.
            inference: `transductive` looks at all these clips together, as far as classes without
                a training clip are concerned: clips that lie together are mostly of one class. It
                is for many clips; which others are there then counts for each.

        Raises:
            ValueError: there is no clip, the classes are not usable, or there is no such inference.
        """
        check_inference(inference)
        seen, unseen = self._chosen(classes)
        named, looks = named_clips(clips), []
        if isinstance(clips, str | Path):
            clips = list(named)
            named = iter(clips)
        total = len(clips) if isinstance(clips, Sized) else None
        with progress("clips", total, "clip") as shown:
            while part := list(islice(named, AT_ONCE)):
                looks.append(self._look(part))
                shown.advance(len(part))
        together = inference == TRANSDUCTIVE and unseen
        return self._told(_Look.join(looks), seen, unseen, bool(together))

    def describe(self, classes: Any) -> dict[str, str]:
        """Add classes by their words, or give an unseen one other words.

        No network is trained. Of the texts that the method reads, a description stands for action
        and motion description, each of these for the other, and the label for whatever else is
        lacking.

        Args:
            classes: a mapping from labels to a description, or to texts by kind (`LB`, `AD`, `MD`,
                `verb`, `noun`, or the names of the columns of a class text table); or a table with
                a column `label` and some of `description` and these columns.

        Returns:
            For each class a sentence that says how near it is to those known before and, where the
            method reads that, which parts of the body and movements its words name.

        Raises:
            ValueError: a class is seen already, has no description, or cannot be encoded.
        """
        parsed = parse_classes(classes)
        for label, given in parsed.items():
            if not given:
                raise ValueError(f"{label!r} has no description; give one, a sentence or two")
        notes = {label: complete(label, given, self._kinds)[1] for label, given in parsed.items()}
        described = self._in_words(parsed)
        sentences = {}
        for new in described:
            others = [known for known in self._known.values() if known.label != new.label]
            told = [f"{new.label}: {nearness(new, others)}", *notes[new.label]]
            if self._model.fitted.PLAIN_WORDS:
                told.append(plain_words(list(new.words.values())))
            sentences[new.label] = "; ".join(told) + "."
        self._known |= {new.label: new for new in described}
        return sentences

    def stream(
        self, frames: Iterable[Any], classes: Any = None, length: int | None = None, every: int = 10
    ) -> Iterator[tuple[int, Prediction]]:
        """What is shown by frames that arrive one by one: a prediction of the latest ones.

        Args:
            frames: arrays `(joints, C)` or `(bodies, joints, C)`; a frame without a body is all
                zeros.
            classes: as of `predict`.
            length: frames that are looked at together; by default as many as the study's clips
                have. The first prediction comes after half as many.
            every: frames between two predictions.

        Yields:
            The number of frames so far, and the prediction. An action shows once it fills most of
            the latest `length` frames: half of them or more, and up to `every`, after its start.

        Raises:
            ValueError: a number is out of range, or the classes are not usable.
        """
        seen, unseen = self._chosen(classes)
        length = self._model.frames if length is None else length
        for number, clip in stream.windows(frames, length, every):
            yield number, self._told(self._look([(f"frame {number}", clip)]), seen, unseen)[0]

    @property
    def _kinds(self) -> list[str]:
        return self._model.fitted.about["kinds"]

    def _look(self, clips: list[tuple[str, Any]]) -> _Look:
        """What the networks see in clips, all held in memory together."""
        model = self._model
        bodies = [prepared(clip, model.layout, model.normalise, model.limits) for _, clip in clips]
        usable = [found for found in bodies if not isinstance(found, str)]
        refused = [found if isinstance(found, str) else "" for found in bodies]
        return _Look([name for name, _ in clips], refused, *(model.look(usable) if usable else ()))

    def _told(
        self, look: _Look, seen: list[KnownClass], unseen: list[KnownClass], together: bool = False
    ) -> Predictions:
        """Predictions of clips.

        Args:
            together: whether unseen classes are told apart by all clips at once.
        """
        made = iter(())
        if look.features is not None:
            made = self._decide(look.features, look.logits, seen, unseen, together)
        return Predictions(
            Prediction(name, refused=why) if why else Prediction(name, **next(made))
            for name, why in zip(look.names, look.refused, strict=True)
        )

    def _decide(
        self,
        features: Float[Tensor, "n D"],
        logits: Float[Tensor, "n S"],
        seen: list[KnownClass],
        unseen: list[KnownClass],
        together: bool,
    ) -> Iterator[dict[str, Any]]:
        """Fields of the predictions of clips."""
        gate = self._gate(seen, unseen)
        outputs = [known.class_id for known in self._model.of(SEEN)]
        asked = [outputs.index(known.class_id) for known in seen]
        logits = logits.numpy().astype(np.float64)
        of_seen = softmax(logits[:, asked] / gate.temperature, axis=1) if seen else None
        of_unseen = self._unseen_probs(self._model.read(features), unseen) if unseen else None
        scores, gated = None, of_unseen
        if together:
            places = self._model.witness.beside_seen(features)
            of_unseen = refined(*places, torch.from_numpy(of_unseen)).numpy()
            # The gate was fitted on probabilities of the study's own inference.
            if self.facts.get("inference") == TRANSDUCTIVE:
                gated = of_unseen
        if seen and unseen and gate.kind == "threshold":
            # Over all seen classes, so that a clip of one that was not asked for is not called so.
            scores = softmax(logits / gate.temperature, axis=1)[:, asked].max(axis=1)
        elif seen and unseen:
            evidence = self._model.witness.measure(features, self._texts(unseen), asked)
            scores = score(gate, logits, gated, evidence)
        for clip in range(len(logits)):
            fields = {
                SEEN: _ranked(seen, of_seen[clip]) if seen else None,
                UNSEEN: _ranked(unseen, of_unseen[clip]) if unseen else None,
                "side": SEEN if seen else UNSEEN,
            }
            if scores is not None:
                is_seen = bool(scores[clip] >= gate.threshold)
                fields |= {"score": float(scores[clip]), "threshold": gate.threshold}
                fields["side"] = SEEN if is_seen else UNSEEN
            yield fields

    def _gate(self, seen: list[KnownClass], unseen: list[KnownClass]) -> Gate:
        """The study's gate where it holds for the number of classes that are asked for.

        The logistic one holds only for as many as it was fitted for; elsewhere the one that looks
        at the seen classes alone takes its place.
        """
        model = self._model
        if model.gate in ON_EVIDENCE:
            return model.gates[model.gate]
        as_fitted = (len(seen), len(unseen)) == (len(model.of(SEEN)), len(model.of(UNSEEN)))
        return model.gates[model.gate if as_fitted else "threshold"]

    def _unseen_probs(
        self, features: Float[Tensor, "n D"], unseen: list[KnownClass]
    ) -> Float[np.ndarray, "n U"]:
        classifier = self._classifier(unseen)
        logits = classifier.logits(features)[0, 0] / self._model.temperature
        return logits.softmax(-1).numpy().astype(np.float64)

    def _classifier(self, unseen: list[KnownClass]) -> Classifier:
        """A classifier of some classes: the study's own, or one that is made now and kept."""
        if unseen == self._model.of(UNSEEN):
            return self._model.classifier
        key = tuple((known.label, *known.words.items()) for known in unseen)
        if key not in self._classifiers:
            fitted = self._model.fitted
            latents = fitted.latents(self._texts(unseen))
            name = f"classifier of {len(unseen)} classes"
            cpu = runtime.pick_device("cpu")
            self._classifiers[key], _ = fitted.classifier(latents, cpu, name)
        self._classifiers.move_to_end(key)
        while len(self._classifiers) > KEPT:
            self._classifiers.popitem(last=False)
        return self._classifiers[key]

    def _texts(self, classes: list[KnownClass]) -> Texts:
        """Features of some classes' words."""
        features = {
            kind: torch.stack([known.features[kind] for known in classes]) for kind in self._kinds
        }
        plain = {
            kind: torch.from_numpy(named([known.words[kind] for known in classes]))
            for kind in self._kinds
        }
        encoder = self._model.fitted.about["encoder"]
        return Texts(list(range(len(classes))), encoder, features, plain)

    def _chosen(self, classes: Any) -> tuple[list[KnownClass], list[KnownClass]]:
        """The seen and the other classes that are asked for."""
        if classes is None:
            chosen = list(self._known.values())
        else:
            parsed = parse_classes(classes)
            new = {label: given for label, given in parsed.items() if given}
            described = {known.label: known for known in self._in_words(new)}
            # In one order, so that the same classes make the same classifier.
            order = [label for label in self._known if label in parsed]
            order += [label for label in parsed if label not in self._known]
            chosen = [described.get(label) or self._get(label) for label in order]
        seen = [known for known in chosen if known.side == SEEN]
        return seen, [known for known in chosen if known.side != SEEN]

    def _get(self, label: str) -> KnownClass:
        if label not in self._known:
            near = get_close_matches(label, self._known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"{label!r} is no class that it knows, and has no description{hint} All labels are"
                " in `classes` of the recognizer; a new class needs a sentence that describes it"
            )
        return self._known[label]

    def _in_words(self, parsed: dict[str, Given]) -> list[KnownClass]:
        """Classes from what is given for them."""
        words = {label: complete(label, given, self._kinds)[0] for label, given in parsed.items()}
        found = {}
        for label, texts in words.items():
            known = self._known.get(label)
            if known and known.words == texts:
                found[label] = known
            elif known and known.side == SEEN:
                raise ValueError(
                    f"{label!r} is a seen class, whose clips trained the networks: leave out its"
                    " description, or give yours another label"
                )
        new = {label: texts for label, texts in words.items() if label not in found}
        self._encode({text for texts in new.values() for text in texts.values()})
        for place, (label, texts) in enumerate(new.items()):
            features = {kind: self._encoded[text] for kind, text in texts.items()}
            found[label] = KnownClass(-1 - place, label, DESCRIBED, texts, features)
        return [found[label] for label in words]

    def _encode(self, texts: set[str]) -> None:
        """Have the features of texts at hand."""
        new = sorted(texts - self._encoded.keys())
        if not new:
            return
        first = self._model.classes[0]
        kind = self._kinds[0]
        *rows, probe = torch.from_numpy(embed([*new, first.words[kind]], self._model.encoder))
        if torch.cosine_similarity(probe, first.features[kind], dim=0) < SAME_ENCODER:
            raise ValueError(
                f"the text encoder {self._model.encoder.model!r} here is not the one that the"
                " bundle was made with: it encodes the bundle's own texts otherwise"
            )
        self._encoded |= dict(zip(new, rows, strict=True))


def _ranked(classes: list[KnownClass], probs: Float[np.ndarray, " K"]) -> dict[str, float]:
    """Label → probability, the largest first."""
    return {
        classes[place].label: float(probs[place]) for place in np.argsort(-probs, kind="stable")
    }
