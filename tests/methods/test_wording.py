"""How alike texts are."""

from dataclasses import replace

import torch
from torch import Tensor

from msf_kedro.methods.contract.wording import Wording
from msf_kedro.texts.body_parts import BODY_PARTS, body_parts
from msf_kedro.texts.fusion import Texts

WORDS = ["both hands", "the left foot", "both arms", "the head", "quickly"]


def texts(words: list[str] = WORDS, seed: int = 0) -> Texts:
    generator = torch.Generator().manual_seed(seed)
    encoded = torch.randn(len(words), 16, generator=generator)
    named = torch.from_numpy(body_parts(words))
    return Texts(list(range(len(words))), "toy", {"MD": encoded}, {"MD": named})


def likeness(of: Texts) -> Tensor:
    vectors = Wording.fit(of).vectors(of)
    return vectors @ vectors.mT


def test_both_halves_weigh_the_same_and_one_that_names_nothing_has_one():
    own = likeness(texts()).diagonal()
    torch.testing.assert_close(own, torch.tensor([1.0, 1.0, 1.0, 1.0, 0.5]).double())


def test_classes_that_name_the_same_parts_are_more_alike():
    of = texts()
    nameless = replace(of, named={})
    gained = likeness(of) - likeness(nameless)
    assert gained[0, 2] > 0.45
    assert gained[0, 1] < gained[0, 2]
    assert gained[0, 4] == 0, "it names none"


def test_where_no_text_names_a_part_the_encoder_alone_counts():
    of = replace(texts(), named={})
    vectors = Wording.fit(of).vectors(of)
    encoded = of.fused().double()
    expected = torch.nn.functional.normalize(encoded - encoded.mean(0), dim=-1)
    torch.testing.assert_close(vectors[:, :16] * 2**0.5, expected)
    assert not vectors[:, 16:].any()
    assert vectors.shape[1] == 16 + len(BODY_PARTS)


def test_it_comes_back_from_its_state():
    of = texts()
    wording = Wording.fit(of)
    again = Wording.of_state({"other": 1} | wording.state("wording"), "wording")
    assert torch.equal(again.vectors(of), wording.vectors(of))


def test_parts_are_those_that_any_kind_in_use_names():
    one, other = texts(["the left hand"]), texts(["both feet"])
    both = Texts(
        [0], "toy", one.kinds | {"AD": other.kinds["MD"]}, one.named | {"AD": other.named["MD"]}
    )
    joined = dict(zip(BODY_PARTS, both.body_parts[0].tolist(), strict=True))
    assert {part for part, there in joined.items() if there} == {
        *("arm", "left_arm", "leg", "left_leg", "right_leg", "both_legs")
    }
    assert torch.equal(both.of(["MD"]).body_parts, one.body_parts)
