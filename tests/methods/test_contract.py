"""What holds for every method: fitted, saved, loaded, told classes in words, applied to clips."""

import dataclasses
import json

import pytest
import torch
from support.breaking import BrokenOffError, Checkpoint, in_pieces, without_seconds
from support.sessions import assert_equal
from support.toy import CPU, FIELDS, SEEN_IDS, TEXTS, UNSEEN_IDS, Toy, make

from msf_kedro.methods import METHODS, configure, get_method, load_classifier, load_fitted
from msf_kedro.methods.contract.fitted import Classifier, Fitted

SEEDS = [1, 3]
CLOSED_FORMS = {"ridge", "msf_plus"}
STOCHASTIC = sorted(set(METHODS) - CLOSED_FORMS)


def fit(method: str, toy: Toy, seeds=SEEDS, texts: str = "", **changes) -> Fitted:
    task = toy.task(texts or TEXTS[method])
    config = make(method, **changes)
    return get_method(method).fit(task, seeds, config, CPU, method)[0]


def classify(fitted: Fitted, toy: Toy, class_ids: list[int] = UNSEEN_IDS) -> Classifier:
    texts = toy.texts("+".join(fitted.about["kinds"]), class_ids)
    return fitted.classifier(fitted.latents(texts), CPU, "toy")[0]


@pytest.fixture(scope="module", params=METHODS)
def fitted(request, toy) -> Fitted:
    return fit(request.param, toy)


@pytest.fixture(scope="module")
def classifier(fitted, toy) -> Classifier:
    return classify(fitted, toy)


def accuracy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return (logits.argmax(-1) == labels).float().mean(-1)


def test_every_method_is_tested():
    assert set(FIELDS) == set(METHODS)


# --- fit, describe, classify ---


def test_unseen_classes_are_recognised_from_their_texts(fitted, classifier, toy):
    clips, labels = toy.unseen
    logits = classifier.logits(clips)
    assert logits.shape == (2, 2, len(clips), 8)
    assert logits.dtype == torch.float32
    assert not logits.requires_grad
    assert len(set(classifier.candidates)) == 2
    assert (classifier.class_ids, classifier.seeds) == (UNSEEN_IDS, SEEDS)
    found = accuracy(logits[-1], labels)
    assert found.min() > 0.6, found  # chance is 1 in 8


@pytest.mark.parametrize("class_ids", [[32], [30, 25, 27], SEEN_IDS + UNSEEN_IDS])
def test_any_classes_can_be_described(class_ids, fitted, toy):
    """One, some in any order, and all, seen ones among them."""
    latents = fitted.latents(toy.texts(TEXTS[fitted.about["method"]], class_ids))
    assert latents.class_ids == class_ids
    assert latents.values.shape[:3] == (2, 2, len(class_ids))
    assert latents.values.isfinite().all()
    found, history = fitted.classifier(latents, CPU, "toy")
    assert found.class_ids == class_ids
    assert history
    assert all(row["seconds"] >= 0 for row in history)
    logits = found.logits(toy.features)[-1]
    assert logits.shape == (2, len(toy.features), len(class_ids))
    mine = torch.isin(toy.class_ids, torch.tensor(class_ids))
    places = torch.tensor([class_ids.index(c) for c in toy.class_ids[mine].tolist()])
    assert accuracy(logits[:, mine], places).min() > (0.3 if len(class_ids) > 8 else 0.6)


def test_clips_are_scored_one_by_one(classifier, toy):
    """Neither their number nor their order changes a score; products of other sizes round so."""
    clips, _ = toy.unseen
    whole, part = classifier.logits(clips), classifier.logits(clips[[7, 2]])
    torch.testing.assert_close(part, whole[:, :, [7, 2]], atol=1e-4, rtol=1e-4)
    assert classifier.logits(clips[:0]).shape == (2, 2, 0, 8)


@pytest.mark.parametrize("method", STOCHASTIC)
def test_a_seed_does_not_depend_on_the_others(method, toy):
    """Batched products of other sizes round otherwise, and training carries that on."""
    both, alone, again = (
        classify(fit(method, toy, seeds, steps=20, batch_size=16), toy).logits(toy.unseen[0])
        for seeds in (SEEDS, [3], [3])
    )
    torch.testing.assert_close(both[:, 1:], alone, atol=1e-3, rtol=1e-3)
    assert torch.equal(alone, again)
    assert not torch.allclose(both[:, 0], both[:, 1], atol=0.01)


def test_one_model_alone_is_that_of_all(classifier, fitted, toy):
    clips, _ = toy.unseen
    whole = classifier.logits(clips)
    for candidate, replica in ((0, 1), (1, 0)):
        one = classifier.pick(candidate, replica)
        assert one.candidates == [classifier.candidates[candidate]]
        assert one.seeds == [SEEDS[replica]]
        assert one.weight.shape[:2] == one.bias.shape[:2] == (1, 1)
        expected = whole[candidate, replica]
        torch.testing.assert_close(one.logits(clips)[0, 0], expected, atol=1e-4, rtol=1e-4)
        probs = classifier.probs(clips, candidate + 1, SEEDS[replica], 0.5)
        reference = torch.distributions.Categorical(logits=2 * expected).probs
        torch.testing.assert_close(probs, reference, atol=1e-4, rtol=1e-3)
    alone = fitted.pick(1, 0)
    assert alone.about == fitted.about | {
        "candidates": [classifier.candidates[1]],
        "seeds": SEEDS[:1],
    }
    texts = toy.texts(TEXTS[fitted.about["method"]])
    latents, mine = fitted.latents(texts), alone.latents(texts)
    torch.testing.assert_close(mine.values, latents.values[1:, :1], atol=1e-4, rtol=1e-4)
    of_mine, _ = alone.classifier(mine, CPU)
    logits = classifier.logits(clips)[1:, :1]
    torch.testing.assert_close(of_mine.logits(clips), logits, atol=1e-2, rtol=1e-2)


def test_a_model_that_is_not_there_is_refused(classifier, toy):
    """Another run's choice, of more candidates or other seeds."""
    clips, _ = toy.unseen
    count = len(classifier.candidates)
    for candidate, seed in ((0, SEEDS[0]), (count + 1, SEEDS[0]), (1, 12345)):
        message = (
            f"candidate {candidate} of seed {seed} .* {count} candidates .*rerun the alignment"
        )
        with pytest.raises(ValueError, match=message):
            classifier.probs(clips, candidate, seed, 1.0)


# --- going on after a break ---

SHORT = {"cycles": 3, "checkpoints": 3, "steps": 12, "batch_size": 16}


@pytest.mark.parametrize("method", STOCHASTIC)
@pytest.mark.parametrize("epoch", [1, 2])
def test_fitting_goes_on_after_a_break_to_the_same_models(epoch, method, toy):
    """To the bit, after any candidate; what is fitted anew is what was not yet kept."""
    task, config = toy.task(TEXTS[method]), make(method, **SHORT)

    def train(checkpoint: Checkpoint | None):
        fitted, history = get_method(method).fit(task, SEEDS, config, CPU, method, checkpoint)
        return fitted.state(), without_seconds(history)

    whole = train(None)
    checkpoint = Checkpoint(lasts=epoch)
    with pytest.raises(BrokenOffError):
        train(checkpoint)
    assert len(checkpoint.load()["kept"]) == epoch
    assert_equal(train(checkpoint), whole)
    assert checkpoint.saved == 2
    if epoch == 1:
        found, breaks = in_pieces(train)
        assert breaks == 2
        assert_equal(found, whole)


# --- saved and loaded ---


@pytest.mark.parametrize("mmap", [False, True])
def test_what_is_saved_gives_the_same_logits_to_the_bit(mmap, fitted, classifier, toy, tmp_path):
    torch.save(fitted.state(), tmp_path / "fitted.pt")
    torch.save(classifier.state(), tmp_path / "classifier.pt")
    states = {
        name: torch.load(tmp_path / f"{name}.pt", weights_only=True, mmap=mmap)
        for name in ("fitted", "classifier")
    }
    clips, _ = toy.unseen
    expected = classifier.logits(clips)
    loaded = load_classifier(states["classifier"])
    assert torch.equal(loaded.logits(clips), expected)
    assert (loaded.class_ids, loaded.candidates) == (UNSEEN_IDS, classifier.candidates)
    assert loaded.temperatures == classifier.temperatures
    again = load_fitted(states["fitted"])
    assert type(again) is type(fitted)
    assert again.about == fitted.about
    assert torch.equal(classify(again, toy).logits(clips), expected)


def test_a_classifier_holds_no_more_than_clips_need(fitted, classifier):
    kept = classifier.state()["fitted"]["models"]
    assert set(kept) == {name for name in fitted.models if name.startswith(fitted.SKELETON)}
    assert fitted.about["method"] in CLOSED_FORMS or len(kept) < len(fitted.models)


def test_one_model_alone_takes_no_more_room_than_one(classifier, tmp_path):
    if classifier.fitted.about["method"] == "msf_plus":
        pytest.skip("its models share all but one number")
    torch.save(classifier.state(), tmp_path / "all.pt")
    torch.save(classifier.pick(1, 1).state(), tmp_path / "one.pt")
    sizes = [(tmp_path / name).stat().st_size for name in ("all.pt", "one.pt")]
    tensors = [classifier.weight, *classifier.fitted.models.values()]
    models = sum(t.untyped_storage().nbytes() for t in tensors)
    assert sizes[1] < sizes[0] - models / 3


def test_what_is_fitted_says_what_made_it(fitted):
    method = fitted.about["method"]
    kinds = TEXTS[method].split("+")
    assert fitted.about == {
        "method": type(fitted).__module__.rpartition(".")[2],
        "candidates": fitted.about["candidates"],
        "seeds": SEEDS,
        "class_ids": SEEN_IDS,
        "kinds": kinds,
        "encoder": "toy",
        "layout": "toy_layout",
        "widths": {"skeleton": 16} | dict.fromkeys(kinds, 24),
        "kinematics": 0,
        "config": FIELDS[method],
    }
    assert get_method(method) is type(fitted)
    assert fitted.config == make(method)
    assert json.loads(json.dumps(fitted.about)) == fitted.about, "plain values only"
    assert {len(t) for t in fitted.models.values()} == {len(fitted.about["candidates"])}


# --- errors ---


def test_features_of_another_network_are_refused(classifier):
    with pytest.raises(ValueError, match=r"features have 15 dimensions, expected 16: they are not"):
        classifier.logits(torch.zeros(2, 15))


def test_a_missing_text_kind_is_refused(fitted, toy):
    texts = toy.texts(TEXTS[fitted.about["method"]])
    kind, *rest = texts.kinds
    fewer = dataclasses.replace(texts, kinds={k: texts.kinds[k] for k in rest})
    message = rf"{fitted.about['method']} was fitted with texts .*describe lack {kind}$"
    with pytest.raises(ValueError, match=message):
        fitted.latents(fewer)


def test_more_kinds_in_any_order_do_no_harm(fitted, toy):
    """The kinds that it was fitted with enter, in their order."""
    all_kinds = toy.texts("noun+MD+verb+AD+LB")
    expected = fitted.latents(toy.texts(TEXTS[fitted.about["method"]])).values
    assert torch.equal(fitted.latents(all_kinds).values, expected)


def test_texts_of_another_encoder_are_refused(fitted, toy):
    other = dataclasses.replace(toy.texts(TEXTS[fitted.about["method"]]), encoder="other")
    with pytest.raises(ValueError, match=r"with texts of encoder 'toy', but these are of 'other'"):
        fitted.latents(other)


def test_texts_of_another_width_are_refused(fitted, toy):
    texts = toy.texts(TEXTS[fitted.about["method"]])
    kind = list(texts.kinds)[-1]
    wide = dataclasses.replace(texts, kinds=texts.kinds | {kind: torch.ones(8, 25)})
    with pytest.raises(ValueError, match=f"{kind} has 25 dimensions, expected 24"):
        fitted.latents(wide)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="unknown method 'gan'; known methods: cada_vae, jpose, "):
        get_method("gan")


# --- configurations ---


@pytest.mark.parametrize("method", METHODS)
def test_unknown_and_missing_parameters_are_named(method):
    first, *_ = FIELDS[method]
    fields = {k: v for k, v in FIELDS[method].items() if k != first} | {"colour": 1}
    message = f"^parameters {method}: {first}: Field required; colour: Unexpected keyword argument"
    with pytest.raises(ValueError, match=message):
        configure(method, fields)


@pytest.mark.parametrize("method", METHODS)
def test_parameters_of_the_wrong_kind_are_refused(method):
    for field in FIELDS[method]:
        with pytest.raises(ValueError, match=rf"(?s)^parameters {method}: .*{field}"):
            configure(method, FIELDS[method] | {field: None})


@pytest.mark.parametrize(
    ("method", "field"),
    [
        (method, field)
        for method in METHODS
        for field, value in FIELDS[method].items()
        if not isinstance(value, bool | str)
        and not field.endswith(
            ("_from", "_until", "_weight", "_first_cycle", "kl_slope", "shrinkage")
        )
    ],
)
def test_parameters_that_must_be_above_nought(method, field):
    usual = FIELDS[method][field]
    for value in [[], [1.0, 0.0]] if isinstance(usual, list) else [type(usual)(0)]:
        with pytest.raises(ValueError, match=f"^parameters {method}: {field}"):
            configure(method, FIELDS[method] | {field: value})


@pytest.mark.parametrize(
    ("method", "changes", "message"),
    [
        (
            "msf",
            {"noise": "scalar"},
            "noise: Input should be 'dimension' or 'sample', not 'scalar'",
        ),
        ("synse", {"inputs": "unit"}, "inputs: Input should be 'standard' or 'raw', not 'unit'"),
        ("msf", {"cross_error": "l1"}, "cross_error: Input should be .*, not 'l1'"),
        ("cada_vae", {"relu_outputs": True}, "relu_outputs cannot rebuild standard inputs"),
        ("cada_vae", {"kl_weight": -0.1}, "kl_weight: .*greater than or equal to 0, not -0.1"),
        ("cada_vae", {"cross_weight": -0.1}, "cross_weight: .*greater than or equal to 0"),
        (
            "cada_vae",
            {"distribution_weight": -1.0},
            "distribution_weight: .*greater than or equal to 0",
        ),
        ("cada_vae", {"kl_from": 0.9, "kl_until": 0.8}, "kl_from is 0.9, kl_until is 0.8"),
        ("cada_vae", {"cross_from": -0.1}, "cross_from: .*greater than or equal to 0"),
        (
            "cada_vae",
            {"distribution_until": 0.0},
            "distribution_from is 0.1, distribution_until is 0.0",
        ),
        (
            "revise",
            {"contractive_weight": -1.0},
            "contractive_weight: .*greater than or equal to 0",
        ),
        (
            "revise",
            {"discrepancy_weight": -1.0},
            "discrepancy_weight: .*greater than or equal to 0",
        ),
        ("revise", {"steps": 301}, "steps is 301, expected a multiple of checkpoints, 2"),
        ("jpose", {"triplet_weight": -1.0}, "triplet_weight: .*greater than or equal to 0"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(method, changes, message):
    with pytest.raises(ValueError, match=f"^parameters {method}: {message}"):
        make(method, **changes)
