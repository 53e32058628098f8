"""What holds for every method: shapes, seeds, and that it recognises unseen classes."""

import dataclasses
import inspect

import pytest
import torch
from support.toy import ALIGNMENT, CADA_VAE, CLASSIFIER, JPOSE, REVISE, RIDGE

from msf_kedro.methods import cada_vae, jpose, msf, revise, ridge, synse
from msf_kedro.methods.contract.task import Scores, Task

CPU = torch.device("cpu")
METHODS = {
    "msf": (msf, (ALIGNMENT, CLASSIFIER)),
    "cada_vae": (cada_vae, (ALIGNMENT, CLASSIFIER, CADA_VAE)),
    "synse": (synse, (ALIGNMENT, CLASSIFIER)),
    "revise": (revise, (REVISE,)),
    "jpose": (jpose, (JPOSE,)),
    "ridge": (ridge, (RIDGE,)),
}
STOCHASTIC = sorted(set(METHODS) - {"ridge"})


def score(method: str, task: Task, seeds: list[int], **changes) -> Scores:
    """With small changes of the first config, where it has such a field."""
    module, (first, *others) = METHODS[method]
    known = {field.name for field in dataclasses.fields(first)}
    first = dataclasses.replace(first, **{k: v for k, v in changes.items() if k in known})
    return module.scores("toy", task, module.TEXTS, seeds, first, *others, CPU)


@pytest.mark.parametrize("method", METHODS)
def test_unseen_classes_are_recognised_from_their_texts(method, toy):
    task, labels = toy
    found = score(method, task, [1, 2])
    assert found.logits.shape == (2, 2, len(labels), 8)
    assert found.logits.dtype == torch.float32
    assert len(set(found.candidates)) == 2
    accuracy = (found.logits[-1].argmax(-1) == labels).float().mean(-1)
    assert accuracy.min() > 0.6, accuracy  # chance is 1 in 8


@pytest.mark.parametrize("method", STOCHASTIC)
def test_a_seed_does_not_depend_on_the_others(method, toy):
    both, alone, again = (
        score(method, toy[0], seeds, steps=20, batch_size=16).logits for seeds in ([1, 3], [3], [3])
    )
    torch.testing.assert_close(both[:, 1:], alone, atol=1e-3, rtol=1e-3)
    assert torch.equal(alone, again)
    assert not torch.allclose(both[:, 0], both[:, 1], atol=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_clips_are_scored_one_by_one(method, toy):
    """Neither their number nor their order changes a score."""
    task, _ = toy
    fewer = dataclasses.replace(task, clips=task.clips[[7, 2]])
    whole, part = (score(method, t, [1], steps=20) for t in (task, fewer))
    torch.testing.assert_close(part.logits, whole.logits[:, :, [7, 2]], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_a_missing_text_kind_is_refused(method, toy):
    task, kind = toy[0], METHODS[method][0].TEXTS[0]
    seen, unseen = ({k: v for k, v in t.items() if k != kind} for t in (task.seen, task.unseen))
    task = dataclasses.replace(task, seen=seen, unseen=unseen)
    with pytest.raises(ValueError, match=f"'{kind}'.* asked for, expected some of"):
        score(method, task, [1])


def test_the_methods_have_one_signature():
    for module, configs in METHODS.values():
        names = list(inspect.signature(module.scores).parameters)
        assert names[:4] == ["name", "task", "texts", "seeds"]
        assert names[-1] == "device"
        assert len(names) == 5 + len(configs)
