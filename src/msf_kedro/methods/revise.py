"""ReViSE: auto-encoders whose codes are matched, embeddings that rank classes (Tsai et al. 2017).

Features enter as log(1 + x). Each modality has an auto-encoder with a code, and an embedding of
the code behind tanh. Five terms: both reconstructions, a contractive penalty on the skeleton's
encoder, the maximum mean discrepancy between both modalities' codes, and a multi-class hinge
between embeddings of clips and classes. A clip is of the class of largest inner product.

From the re-implementation that the skeleton literature compares with (SynSE's): sizes, ReLU
behind the codes, the text's hidden layer, kernel, margin, and the terms' weights, which are 1 but
for the penalty's. Different here: its penalty is the norm of the summed codes' gradient, and takes
no part in training; it gives wrong classes' texts no gradient from the hinge; its text decoder
ends in ReLU, which cannot rebuild negative numbers; it adds weight decay to the text side and
lowers the learning rate by test accuracy.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from msf_kedro import runtime
from msf_kedro.methods.contract.ranking import check_training, multi_class_hinge, train_checkpoints
from msf_kedro.methods.contract.task import Scores, Task, require_positive
from msf_kedro.networks.replicated import ReplicatedLinear

TEXTS = ("LB",)


@dataclass(frozen=True)
class ReviseConfig:
    """Networks, terms and training of ReViSE.

    Attributes:
        code: dimensions of both auto-encoders' codes.
        embedding: dimensions of the embeddings.
        text_hidden: width of the layer between text and code, on the way in and out.
        margin: of the hinge.
        contractive_weight: of the contractive penalty.
        discrepancy_weight: of the maximum mean discrepancy.
        kernel_sharpness: `k` of its kernel, exp(-k d^2).
        batch_size: clips per step; all of them where they are fewer.
        learning_rate: of Adam.
        steps: optimiser steps.
        checkpoints: how many models are kept, at equal intervals of the training.
        temperatures: of the soft-max over inner products, to choose from on calibration clips.
    """

    code: int
    embedding: int
    text_hidden: int
    margin: float
    contractive_weight: float
    discrepancy_weight: float
    kernel_sharpness: float
    batch_size: int
    learning_rate: float
    steps: int
    checkpoints: int
    temperatures: list[float]

    def __post_init__(self):
        sizes = ("code", "embedding", "text_hidden", "batch_size", "steps", "checkpoints")
        numbers = ("margin", "kernel_sharpness", "learning_rate")
        require_positive("revise", self, *sizes, *numbers)
        check_training("revise", self)
        for field in ("contractive_weight", "discrepancy_weight"):
            if getattr(self, field) < 0:
                raise ValueError(f"revise.{field} is {getattr(self, field)}, expected at least 0")


class Revise(nn.Module):
    """Both auto-encoders and both embeddings."""

    def __init__(
        self, skeleton: int, text: int, generators: list[torch.Generator], config: ReviseConfig
    ):
        super().__init__()

        def linear(inputs: int, outputs: int) -> ReplicatedLinear:
            return ReplicatedLinear(inputs, outputs, generators)

        self.skeleton_in = linear(skeleton, config.code)
        self.skeleton_out = linear(config.code, skeleton)
        self.skeleton_embedding = linear(config.code, config.embedding)
        self.text_in = linear(text, config.text_hidden)
        self.text_code = linear(config.text_hidden, config.code)
        self.text_back = linear(config.code, config.text_hidden)
        self.text_out = linear(config.text_hidden, text)
        self.text_embedding = linear(config.code, config.embedding)

    def encode_skeletons(self, x: Float[Tensor, "R B D"]) -> Float[Tensor, "R B C"]:
        return self.skeleton_in(x).relu()

    def decode_skeletons(self, code: Float[Tensor, "R B C"]) -> Float[Tensor, "R B D"]:
        return self.skeleton_out(code).relu()  # log(1 + x) is not negative either

    def encode_texts(self, x: Float[Tensor, "R S E"]) -> Float[Tensor, "R S C"]:
        return self.text_code(self.text_in(x).relu()).relu()

    def decode_texts(self, code: Float[Tensor, "R S C"]) -> Float[Tensor, "R S E"]:
        return self.text_out(self.text_back(code).relu())

    def similarities(
        self, skeleton_code: Float[Tensor, "R B C"], text_code: Float[Tensor, "R S C"]
    ) -> Float[Tensor, "R B S"]:
        """Inner products of the embeddings of clips and classes."""
        clips = self.skeleton_embedding(skeleton_code).tanh()
        return clips @ self.text_embedding(text_code).tanh().mT


def scores(
    name: str,
    task: Task,
    texts: tuple[str, ...],
    seeds: list[int],
    config: ReviseConfig,
    device: torch.device,
) -> Scores:
    """ReViSE on a task: its candidates are the check-points.

    Args:
        name: for progress and errors.
        texts: the text kinds that are fused.
        seeds: a root seed per replica.

    Raises:
        ValueError: the task lacks a text kind, or a feature is negative.
    """
    features, clips = (compress(x).to(device) for x in (task.features, task.clips))
    labels, count = task.labels.to(device), len(seeds)
    seen, unseen = (t.to(device).expand(count, -1, -1) for t in task.texts(texts))
    generators = [runtime.generator(seed, "revise") for seed in seeds]
    model = Revise(features.shape[1], seen.shape[2], generators, config).to(device)

    def loss(batch: Int[Tensor, "R B"]) -> dict[str, Tensor]:
        return revise_loss(model, features[batch], labels[batch], seen, config)

    def score() -> Float[Tensor, "R m U"]:
        codes = model.encode_skeletons(clips.expand(count, -1, -1))
        return model.similarities(codes, model.encode_texts(unseen))

    return train_checkpoints(name, model, loss, score, len(features), generators, config)


def compress(features: Float[Tensor, "n D"]) -> Float[Tensor, "n D"]:
    """log(1 + x).

    Raises:
        ValueError: a feature is negative.
    """
    if features.numel() and features.min() < 0:
        raise ValueError(
            f"revise: a skeleton feature is {features.min():.3g}, expected 0 or more for"
            " log(1 + x); features must be means of ReLU outputs, not standardised"
        )
    return features.log1p()


def revise_loss(
    model: Revise,
    skeletons: Float[Tensor, "R B D"],
    labels: Int[Tensor, "R B"],
    texts: Float[Tensor, "R S E"],
    config: ReviseConfig,
) -> dict[str, Float[Tensor, " R"]]:
    """All terms of one step, and their weighted sum.

    Every class's text is computed once, and counts in reconstruction and discrepancy as often as
    the class is in the batch.
    """
    shares = F.one_hot(labels, texts.shape[1]).float().mean(1)
    code, text_code = model.encode_skeletons(skeletons), model.encode_texts(texts)
    text_errors = (model.decode_texts(text_code) - texts).square().mean(-1)
    figures = {
        "hinge": multi_class_hinge(model.similarities(code, text_code), labels, config.margin),
        "skeleton_reconstruction": (model.decode_skeletons(code) - skeletons)
        .square()
        .mean(dim=(-2, -1)),
        "text_reconstruction": (shares * text_errors).sum(-1),
        "contractive": contractive_penalty(model.skeleton_in.weight, code),
        "discrepancy": discrepancy(code, text_code, shares, config.kernel_sharpness),
    }
    total = (
        figures["hinge"]
        + figures["skeleton_reconstruction"]
        + figures["text_reconstruction"]
        + config.contractive_weight * figures["contractive"]
        + config.discrepancy_weight * figures["discrepancy"]
    )
    return {"loss": total} | figures


def contractive_penalty(
    weight: Float[Tensor, "R D C"], code: Float[Tensor, "R B C"]
) -> Float[Tensor, " R"]:
    """Squared Frobenius norm of the Jacobian of `code = relu(x @ weight + b)`, batch mean.

    The Jacobian's rows are the weights of the code's dimensions that are not cut off.
    """
    return ((code > 0) * weight.square().sum(1, keepdim=True)).sum(-1).mean(-1)


def discrepancy(
    x: Float[Tensor, "R B C"],
    y: Float[Tensor, "R S C"],
    shares: Float[Tensor, "R S"],
    sharpness: float,
) -> Float[Tensor, " R"]:
    """Squared maximum mean discrepancy of samples x and y (biased estimate).

    The kernel is exp(-sharpness d^2). Sample `s` of `y` counts with its share; shares sum to 1.
    """

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        # Beyond 40 the kernel is nothing beside its 1 at d = 0, and denormal numbers are slow.
        return (-(sharpness * torch.cdist(a, b).square()).clamp(max=40)).exp()

    within_x = kernel(x, x).mean(dim=(-2, -1))
    within_y = (shares[:, None, :] @ kernel(y, y) @ shares[..., None])[:, 0, 0]
    between = (kernel(x, y).mean(-2) * shares).sum(-1)
    return within_x + within_y - 2 * between
