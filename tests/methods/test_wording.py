"""How alike texts are."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from msf_kedro.methods.contract.wording import Wording
from msf_kedro.texts.body_parts import BODY_PARTS
from msf_kedro.texts.fusion import Texts
from msf_kedro.texts.movements import MOVEMENTS
from msf_kedro.texts.named import NAMED, named

WORDS = ["the left hand rises", "an elbow lowers", "the left arm swings", "quickly", "nothing"]


def texts(words: list[str] = WORDS, seed: int = 0) -> Texts:
    generator = torch.Generator().manual_seed(seed)
    encoded = torch.randn(len(words), 16, generator=generator)
    plain = torch.from_numpy(named(words))
    return Texts(list(range(len(words))), "toy", {"MD": encoded}, {"MD": plain})


def likeness(of: Texts) -> Tensor:
    vectors = Wording.fit(of).vectors(of)
    return vectors @ vectors.mT


def test_thirds_weigh_the_same_and_one_that_names_nothing_is_not_there():
    own = 3 * likeness(texts()).diagonal()
    torch.testing.assert_close(own, torch.tensor([3.0, 3.0, 3.0, 2.0, 1.0]).double())


@pytest.mark.parametrize(
    ("words", "nearer"),
    [
        (["the left hand", "the right foot", "the left arm", "no"], 2),
        (["it rises", "it swings quickly", "it is raised", "no"], 2),
    ],
)
def test_classes_that_name_the_same_are_more_alike(words, nearer):
    of = texts(words)
    gained = likeness(of) - likeness(replace(of, named={}))
    assert gained[0, nearer] > 0.3
    assert gained[0, 1] < gained[0, nearer]
    assert gained[0, 3] == 0, "it names nothing"


def test_where_no_text_names_anything_the_encoder_alone_counts():
    of = replace(texts(), named={})
    vectors = Wording.fit(of).vectors(of)
    encoded = of.fused().double()
    expected = torch.nn.functional.normalize(encoded - encoded.mean(0), dim=-1)
    torch.testing.assert_close(vectors[:, :16] * 3**0.5, expected)
    assert not vectors[:, 16:].any()
    assert vectors.shape[1] == 16 + len(NAMED)


def test_it_comes_back_from_its_state():
    of = texts()
    wording = Wording.fit(of)
    again = Wording.of_state({"other": 1} | wording.state("wording"), "wording")
    assert torch.equal(again.vectors(of), wording.vectors(of))


def test_what_is_named_is_what_any_kind_in_use_names():
    one, other = texts(["the left hand rises"]), texts(["both feet"])
    both = Texts(
        [0], "toy", one.kinds | {"AD": other.kinds["MD"]}, one.named | {"AD": other.named["MD"]}
    )
    joined = dict(zip(BODY_PARTS, both.body_parts[0].tolist(), strict=True))
    assert {part for part, there in joined.items() if there} == {
        *("arm", "left_arm", "leg", "left_leg", "right_leg", "both_legs")
    }
    moves = dict(zip(MOVEMENTS, both.movements[0].tolist(), strict=True))
    assert {kind for kind, there in moves.items() if there} == {"up", "together", "ground"}
    assert torch.equal(both.of(["MD"]).body_parts, one.body_parts)
    assert torch.equal(both.of(["MD"]).movements, one.movements)
