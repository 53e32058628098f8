"""Released state dicts: every form becomes the project's own, and what does not fit is refused."""

import math

import pytest
import torch
from support.released_states import RELEASE, released_state

from msf_kedro.networks.shift_gcn import ShiftGCN
from msf_kedro.released.checkpoint import convert

STATE = released_state([4, 4, 6, 6], {3, 4}, classes=60)


# --- forms of a state dict ---


@pytest.mark.parametrize(
    "form",
    [
        lambda state: {f"module.{key}": value for key, value in state.items()},
        lambda state: {"state_dict": state, "epoch": 140},
        lambda state: {"model": {f"module.{key}": value for key, value in state.items()}},
        lambda state: {key: value for key, value in state.items() if "num_batches" not in key},
        lambda state: {k: v[None, :, None, None] if "pos" in k else v for k, v in state.items()},
        lambda state: {k: v.double() if v.is_floating_point() else v for k, v in state.items()},
        lambda state: {k: v.double() if ".shift_" in k else v for k, v in state.items()},
        lambda state: dict(reversed(state.items())),
        lambda state: {
            k: torch.nn.Parameter(v, requires_grad=v.is_floating_point()) for k, v in state.items()
        },
    ],
)
def test_every_form_gives_the_same_network(form):
    *plain, state = convert(form(dict(STATE)))
    *expected, tensors = convert(STATE)
    assert plain == expected
    assert state.keys() == tensors.keys()
    for key, value in state.items():
        assert torch.equal(value, tensors[key]), key
        assert value.dtype == torch.float32
        assert not value.requires_grad


def test_what_it_becomes_is_the_projects_own_form():
    architecture, classes, state = convert(STATE)
    sizes = {"joints": 25, "channels": 3}
    assert architecture == {"widths": [4, 4, 6, 6], "strided_units": [3, 4]} | sizes
    assert classes == 60
    network = ShiftGCN.from_state(architecture, classes, state)
    assert network.architecture == architecture
    assert set(state) == {key for key in network.state_dict() if "num_batches" not in key}
    release, _, _ = convert(released_state(*RELEASE, classes=120))
    assert (release["widths"], release["strided_units"]) == (RELEASE[0], sorted(RELEASE[1]))


# --- what is refused ---


def but(**changed) -> dict:
    """The state dict with values changed, or taken away where they are None; `__` is a dot."""
    state = dict(STATE)
    for name, value in changed.items():
        key = name.replace("__", ".")
        if value is None:
            del state[key]
        else:
            state[key] = value(state[key]) if callable(value) else value
    return state


def spoil(value: float, place: int = 0):
    """A copy of a tensor with one value replaced."""

    def change(tensor: torch.Tensor) -> torch.Tensor:
        tensor = tensor.clone()
        tensor.view(-1)[place] = value
        return tensor

    return change


def swap(tensor: torch.Tensor) -> torch.Tensor:
    return tensor[[0, 2, 1, *range(3, len(tensor))]]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (but(l2__gcn1__bn__bias=None), r"l2\.gcn1\.bn\.bias: missing, expected shape \(100,\)"),
        (but(l3__residual__bn__weight=None), r"l3\.residual\.bn\.weight: missing, expected shape"),
        (but(fc__weight=None), r"60 classes.*fc\.weight: missing, expected shape \(60, 6\)"),
        (but(l1__gcn1__Linear_weight=None), r"Linear_weight: missing, expected shape \(3, 4\)"),
        (but(l2__tcn1__shift_in__xpos=None), r"l2\.tcn1\.shift_in\.xpos: missing"),
        (but(l1__A=torch.ones(3)), r"l1\.A: surplus, found shape \(3,\), expected no such key"),
        (but(epoch=3), r"epoch: surplus, found int, expected no such key"),
        (
            but(l1__residual__conv__weight=torch.ones(4, 3, 1, 1)),
            r"l1\.residual\.conv\.weight: surplus",
        ),
        (
            but(l2__gcn1__Linear_weight=lambda w: w[:, :3]),
            r"l2\.gcn1\.Linear_weight: found shape \(4, 3\), expected \(4, 4\)$",
        ),
        (
            but(l2__gcn1__Feature_Mask=torch.zeros(1, 18, 4)),
            r"l2\.gcn1\.Feature_Mask: found shape \(1, 18, 4\), expected \(1, 25, 4\)$",
        ),
        (
            but(l2__tcn1__temporal_linear__weight=lambda w: w[:, :, 0, 0]),
            r"found shape \(4, 4\), expected \(4, 4, 1, 1\)",
        ),
        (but(l2__tcn1__shift_in__ypos=torch.zeros(2, 2)), r"ypos: found shape \(2, 2\), expected"),
        (but(data_bn__weight=torch.ones(108)), r"data_bn\.weight: found shape \(108,\), .*150"),
        (but(fc__bias=[0.0] * 60), r"fc\.bias: found a list, expected a tensor of \(60,\)"),
        (but(fc__bias=lambda b: b.int()), r"fc\.bias: found torch\.int32, expected floating"),
        (
            but(l4__tcn1__bn__running_mean=spoil(math.nan)),
            r"l4\.tcn1\.bn\.running_mean: found 1 of 6 values not finite",
        ),
        (but(l4__tcn1__shift_out__ypos=spoil(math.inf)), r"ypos: found 1 of 6 values not finite"),
        (but(data_bn__running_var=spoil(-0.5)), r"running_var: found -0\.5, expected none below 0"),
        (
            but(l3__tcn1__shift_out__xpos=spoil(-2e-6)),
            r"l3\.tcn1\.shift_out\.xpos: found a shift across joints of 2e-06, .* at most 1e-06",
        ),
        (
            but(l2__gcn1__shift_in=swap),
            r"l2\.gcn1\.shift_in: found another permutation: 10 at place 1, expected 5"
            r" \(2 of 100 places differ\)",
        ),
        (
            but(l1__gcn1__shift_out=lambda order: torch.argsort(order)),
            r"l1\.gcn1\.shift_out: found another permutation: 5 at place 1, expected 97",
        ),
        (but(l1__gcn1__shift_in=torch.full((75,), math.nan)), r"shift_in: found"),
        ({f"m.{key}": value for key, value in STATE.items()}, r"found units \[\] .*expected l1"),
        ({}, r"found units \[\] in 0 keys"),
        (
            {key: value for key, value in STATE.items() if not key.startswith("l2.")},
            r"found units \[1, 3, 4\] .*without gaps",
        ),
        (
            {key: value for key, value in STATE.items() if not key.startswith("fc.")},
            r"expected shape among fc\.weight, fc\.bias",
        ),
        ({**STATE, "module.fc.bias": STATE["fc.bias"]}, r"'module\.' on 1 of \d+ keys.*all or on"),
        ({"state_dict": STATE, "model": STATE}, r"dictionaries under \['state_dict', 'model'\]"),
        ([1, 2], r"found a list, expected a state dict"),
    ],
)
def test_another_state_dict_is_refused(state, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        convert(state)


def test_several_problems_are_told_at_once():
    state = but(fc__bias=None, l1__gcn1__bn__bias=None, data_bn__bias=spoil(math.nan), extra=1)
    state["l3.tcn1.bn2.weight"] = torch.ones(5)
    with pytest.raises(ValueError, match="not a released Shift-GCN") as caught:
        convert(state)
    lines = str(caught.value).splitlines()
    for key in ("data_bn.bias", "l1.gcn1.bn.bias", "l3.tcn1.bn2.weight", "fc.bias", "extra"):
        assert sum(line.startswith(f"  {key}: ") for line in lines) == 1, key
    assert len(lines) == 1 + 5


def test_of_very_many_problems_the_first_are_told():
    state = {k: v for k, v in STATE.items() if "Linear" in k or k == "fc.bias"}
    with pytest.raises(ValueError, match=r"\n  and \d+ more$") as caught:
        convert(state)
    assert len(str(caught.value).splitlines()) == 1 + 20 + 1
