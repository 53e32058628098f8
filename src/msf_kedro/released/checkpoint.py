"""Released Shift-GCN checkpoints: every key checked, and mapped to the project's names."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

PERSONS, JOINTS, CHANNELS = 2, 25, 3
WRAPPERS = ("state_dict", "model")
LARGEST_XPOS = 1e-6  # the release's shifts across joints stay where they start, about 1e-8
LISTED = 20  # problems listed at once
SHOWN = 100  # characters of a key
LARGEST = 2**24  # numbers in all tensors; the release's have less than a million
DTYPES = {
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
}

Architecture = dict[str, Any]


def convert(state_dict: Any) -> tuple[Architecture, int, dict[str, Tensor]]:
    """A released state dict as what `ShiftGCN.from_state` takes.

    Units, widths and classes are read off the weights. A unit after the first whose residual is
    a convolution halves the number of frames, as in the release.

    Args:
        state_dict: tensors under the release's names, all with the prefix `module.` or none; or
            a dictionary that holds such a one as `state_dict` or `model`.

    Returns:
        The architecture (`widths`, `strided_units`, `joints`, `channels`), the number of classes,
        and the state under the project's names, float32 on the CPU.

    Raises:
        ValueError: keys are missing or surplus, or values are not as expected; names up to 20
            keys, each with what was found and what was expected.
    """
    found = _without_prefix(_unwrapped(state_dict))
    _check_tensors(found)
    architecture, classes = _architecture(found)
    entries = dict(_entries(architecture, classes))
    problems = list(_problems(found, entries))
    if problems:
        more = [f"and {len(problems) - LISTED} more"] if len(problems) > LISTED else []
        listed = "\n  ".join(problems[:LISTED] + more)
        raise ValueError(
            "not a released Shift-GCN, though its keys suggest one of"
            f" {len(architecture['widths'])} units and {classes} classes; use a file of the release"
            f" unchanged:\n  {listed}"
        )
    state = {}
    for key, entry in entries.items():
        if entry.ours:
            value = found[key].detach().to("cpu", torch.float32)
            state |= zip(entry.ours, entry.rows(value), strict=True)
    return architecture, classes, state


def _unwrapped(state_dict: Any) -> Mapping[str, Any]:
    if not isinstance(state_dict, Mapping):
        raise ValueError(
            f"found a {type(state_dict).__name__}, expected a state dict: a dictionary of names"
            " and tensors; save the model's state_dict()"
        )
    inside = [name for name in WRAPPERS if isinstance(state_dict.get(name), Mapping)]
    if len(inside) > 1:
        raise ValueError(
            f"found dictionaries under {inside}, expected one; keep the one that is Shift-GCN's"
            " state dict"
        )
    return state_dict[inside[0]] if inside else state_dict


def _without_prefix(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """The entries without the prefix that data parallelism gives to all keys."""
    others = [type(key).__name__ for key in state_dict if not isinstance(key, str)]
    if others:
        raise ValueError(f"found a key that is a {others[0]}, expected names of tensors")
    prefixed = [key for key in state_dict if key.startswith("module.")]
    if prefixed and len(prefixed) < len(state_dict):
        raise ValueError(
            f"found the prefix 'module.' on {len(prefixed)} of {len(state_dict)} keys, such as"
            f" {prefixed[0][:SHOWN]!r}; expected it on all or on none"
        )
    return {key.removeprefix("module."): value for key, value in state_dict.items()}


def _check_tensors(found: Mapping[str, Any]) -> None:
    """Refuse tensors of a kind that no network has, and more of them than memory is taken for."""
    total = 0
    for key, value in found.items():
        if not isinstance(value, Tensor):
            continue
        plain = value.layout == torch.strided and value.device.type == "cpu"
        if not plain or value.is_quantized or value.dtype not in DTYPES:
            raise ValueError(
                f"{key[:SHOWN]}: found a tensor of {value.layout}, {value.dtype}, on"
                f" {value.device}; expected plain numbers"
            )
        total += value.numel()
    if total > LARGEST:
        raise ValueError(f"found tensors of {total:,} numbers, expected at most {LARGEST:,}")


# --- the architecture, from keys and shapes ---


WIDTHS = {  # dimensions that are as large as the unit is wide
    "gcn1.Linear_weight": 1,
    "gcn1.Linear_bias": 2,
    "tcn1.bn.weight": 0,
    "tcn1.bn2.weight": 0,
    "tcn1.temporal_linear.weight": 0,
}


def _architecture(found: Mapping[str, Any]) -> tuple[Architecture, int]:
    units = _units(found, r"l([0-9]{1,4})\.")
    if not units or units != list(range(1, len(units) + 1)):
        raise ValueError(
            f"not a released Shift-GCN: found units {str(units)[:SHOWN]} in {len(found)} keys"
            f" ({', '.join([*found][:3])[:SHOWN]}, …), expected l1, l2, … without gaps"
        )
    places = [{f"l{unit}.{key}": place for key, place in WIDTHS.items()} for unit in units]
    widths = [_size(found, of_unit) for of_unit in places]
    residual = _units(found, r"l([0-9]{1,4})\.residual\.")
    strided = [u for u in units[1:] if u in residual or widths[u - 1] != widths[u - 2]]
    architecture = {"widths": widths, "strided_units": strided}
    architecture |= {"joints": JOINTS, "channels": CHANNELS}
    return architecture, _size(found, {"fc.weight": 0, "fc.bias": 0})


def _units(found: Mapping[str, Any], pattern: str) -> list[int]:
    matches = (re.match(pattern, key) for key in found)
    return sorted({int(match[1]) for match in matches if match})


def _size(found: Mapping[str, Any], places: dict[str, int]) -> int:
    """The size at these places that most keys agree on, so that a single bad one is reported."""
    shapes = {key: tuple(getattr(found.get(key), "shape", ())) for key in places}
    sizes = [shapes[key][place] for key, place in places.items() if len(shapes[key]) > place]
    if not any(sizes):
        raise ValueError(
            f"not a released Shift-GCN: found no tensor of the expected shape among"
            f" {', '.join(places)}"
        )
    return Counter(size for size in sizes if size).most_common(1)[0][0]


# --- what each key has to hold, and where it goes ---


_whole = partial(torch.unsqueeze, dim=0)
_flat = partial(torch.reshape, shape=(1, -1))
_mask = partial(torch.transpose, dim0=1, dim1=2)  # (1, V, C)


def _by_channel(persons: int, value: Float[Tensor, " features"]) -> Float[Tensor, "P CV"]:
    """From the order person, joint, channel to a row per person, ordered channel, joint."""
    return value.view(persons, JOINTS, -1).transpose(1, 2).flatten(1)


def _numbers(value: Tensor) -> str | None:
    """What is wrong with weights, if anything is."""
    if not value.is_floating_point():
        return f"found {value.dtype}, expected floating-point numbers"
    bad = value.numel() - int(value.isfinite().sum())
    return f"found {bad} of {value.numel()} values not finite, expected none" if bad else None


def _variances(value: Tensor) -> str | None:
    wrong = _numbers(value)
    if not wrong and (value < 0).any():
        wrong = f"found {value.min():.3g}, expected none below 0"
    return wrong


def _unmoved(value: Tensor) -> str | None:
    wrong = _numbers(value)
    if not wrong and (largest := value.abs().max().item()) > LARGEST_XPOS:
        wrong = f"found a shift across joints of {largest:.3g}, expected at most {LARGEST_XPOS}"
    return wrong


def _shifted(channels: int, direction: int, value: Tensor) -> str | None:
    """Slot (joint v, channel c) must take (v + direction·c mod V, c), joints first."""
    joint, channel = torch.arange(JOINTS)[:, None], torch.arange(channels)
    expected = ((joint + direction * channel) % JOINTS * channels + channel).flatten()
    value = value.detach().cpu()
    wrong = value != expected
    if not wrong.any():
        return None
    first = int(wrong.int().argmax())
    return (
        f"found another permutation: {value[first].item()} at place {first}, expected"
        f" {expected[first].item()} ({int(wrong.sum())} of {value.numel()} places differ)"
    )


@dataclass(frozen=True)
class _Entry:
    """One key of the release.

    Attributes:
        shape: expected shape.
        ours: names in the project's state; none where the value is only checked.
        rows: from the value to a row for each of these names.
        problem: what is wrong with a value of the right shape, or None.
        any_ones: whether dimensions of size 1 are ignored.
    """

    shape: tuple[int, ...]
    ours: tuple[str, ...] = ()
    rows: Callable[[Tensor], Tensor] = _whole
    problem: Callable[[Tensor], str | None] = _numbers
    any_ones: bool = False

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a value may have this shape."""
        found, expected = ([n for n in sizes if n != 1] for sizes in (shape, self.shape))
        return found == expected if self.any_ones else shape == self.shape


Entries = Iterator[tuple[str, _Entry]]


def _entries(architecture: Architecture, classes: int) -> Entries:
    """All keys of the release for an architecture, except its batch norms' counters."""
    norms = tuple(f"norms.{person}.norm" for person in range(PERSONS))
    by_channel = partial(_by_channel, PERSONS)
    yield from _norm("data_bn", norms, PERSONS * JOINTS * CHANNELS, by_channel)
    before = CHANNELS
    for unit, width in enumerate(architecture["widths"], 1):
        theirs, ours = f"l{unit}", f"units.{unit - 1}"
        yield from _spatial(f"{theirs}.gcn1", f"{ours}.spatial", before, width)
        yield from _temporal(f"{theirs}.tcn1", f"{ours}.temporal", width)
        if unit in architecture["strided_units"]:
            yield from _convolution(f"{theirs}.residual.conv", f"{ours}.residual.0", before, width)
            yield from _norm(f"{theirs}.residual.bn", (f"{ours}.residual.1",), width)
        before = width
    yield "fc.weight", _Entry((classes, before), ("classifier.weight",))
    yield "fc.bias", _Entry((classes,), ("classifier.bias",))


def _spatial(theirs: str, ours: str, inputs: int, outputs: int) -> Entries:
    yield f"{theirs}.Linear_weight", _Entry((inputs, outputs), (f"{ours}.weight",))
    yield f"{theirs}.Linear_bias", _Entry((1, 1, outputs), (f"{ours}.bias",), _flat)
    yield f"{theirs}.Feature_Mask", _Entry((1, JOINTS, inputs), (f"{ours}.mask",), _mask)
    for name, channels, direction in (("shift_in", inputs, 1), ("shift_out", outputs, -1)):
        order = partial(_shifted, channels, direction)
        yield f"{theirs}.{name}", _Entry((JOINTS * channels,), problem=order)
    by_channel = partial(_by_channel, 1)
    yield from _norm(f"{theirs}.bn", (f"{ours}.norm.norm",), JOINTS * outputs, by_channel)
    if inputs != outputs:
        yield from _convolution(f"{theirs}.down.0", f"{ours}.down.0", inputs, outputs)
        yield from _norm(f"{theirs}.down.1", (f"{ours}.down.1",), outputs)


def _temporal(theirs: str, ours: str, width: int) -> Entries:
    yield from _norm(f"{theirs}.bn", (f"{ours}.norm_in",), width)
    for name in ("shift_in", "shift_out"):
        target = (f"{ours}.{name}.shift",)
        yield f"{theirs}.{name}.ypos", _Entry((width,), target, _flat, any_ones=True)
        yield f"{theirs}.{name}.xpos", _Entry((width,), problem=_unmoved, any_ones=True)
    yield from _convolution(f"{theirs}.temporal_linear", f"{ours}.mix", width, width)
    yield from _norm(f"{theirs}.bn2", (f"{ours}.norm_out",), width)


def _convolution(theirs: str, ours: str, inputs: int, outputs: int) -> Entries:
    yield f"{theirs}.weight", _Entry((outputs, inputs, 1, 1), (f"{ours}.weight",))
    yield f"{theirs}.bias", _Entry((outputs,), (f"{ours}.bias",))


def _norm(
    theirs: str, ours: tuple[str, ...], size: int, rows: Callable[[Tensor], Tensor] = _whole
) -> Entries:
    for name in ("weight", "bias", "running_mean", "running_var"):
        problem = _variances if name == "running_var" else _numbers
        targets = tuple(f"{norm}.{name}" for norm in ours)
        yield f"{theirs}.{name}", _Entry((size,), targets, rows, problem)


def _problems(found: Mapping[str, Any], entries: Mapping[str, _Entry]) -> Iterator[str]:
    """Everything that is wrong, key by key."""
    for key, entry in entries.items():
        value = found.get(key)
        if key not in found:
            yield f"{key}: missing, expected shape {entry.shape}"
        elif not isinstance(value, Tensor):
            yield f"{key}: found a {type(value).__name__}, expected a tensor of {entry.shape}"
        elif not entry.fits(tuple(value.shape)):
            yield f"{key}: found shape {tuple(value.shape)}, expected {entry.shape}"
        elif problem := entry.problem(value):
            yield f"{key}: {problem}"
    for key, value in found.items():
        if key.replace("num_batches_tracked", "running_mean") not in entries:
            known = hasattr(value, "shape")
            what = f"shape {tuple(value.shape)}" if known else type(value).__name__
            yield f"{key[:SHOWN]}: surplus, found {what}, expected no such key"
