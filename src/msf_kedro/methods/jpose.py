"""JPoSE: a space for each part of speech and one that joins them (Wray et al., ICCV 2019).

For verb and noun a pair of networks embeds skeleton and text in a space of the part's own, with a
multi-class hinge between clips and the part's words, and a triplet loss between clips. Both
embeddings, normalised and joined, pass a joint pair with the same hinge between clips and classes.
A clip is of the class of largest inner product in the joint space; all embeddings have norm 1.

From the re-implementation that the skeleton literature compares with (SynSE's): L2-normalised
features, layers and their sizes, margin, the triplet loss on skeletons only, its weight, the rate
and batch size. Different here: it compares every clip with every other's mined triplet; it gives
wrong classes' texts no gradient from the hinge, and its text networks end in ReLU; words that
classes share stand in its hinges more than once; it adds weight decay to the joint pair and lowers
the learning rate by test accuracy.
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

TEXTS = ("verb", "noun")


@dataclass(frozen=True)
class JposeConfig:
    """Networks, terms and training of JPoSE.

    Attributes:
        embedding: dimensions of each part's space and of the joint space.
        text_hidden: width of the text networks' hidden layers.
        margin: of hinge and triplet losses.
        triplet_weight: of the triplet losses.
        batch_size: clips per step; all of them where they are fewer.
        learning_rate: of Adam.
        steps: optimiser steps.
        checkpoints: how many models are kept, at equal intervals of the training.
        temperatures: of the soft-max over inner products, to choose from on calibration clips.
    """

    embedding: int
    text_hidden: int
    margin: float
    triplet_weight: float
    batch_size: int
    learning_rate: float
    steps: int
    checkpoints: int
    temperatures: list[float]

    def __post_init__(self):
        sizes = ("embedding", "text_hidden", "batch_size", "steps", "checkpoints")
        require_positive("jpose", self, *sizes, "margin", "learning_rate")
        check_training("jpose", self)
        if self.triplet_weight < 0:
            raise ValueError(f"jpose.triplet_weight is {self.triplet_weight}, expected at least 0")


class Part(nn.Module):
    """The pair of networks of one part of speech."""

    def __init__(
        self, skeleton: int, text: int, generators: list[torch.Generator], config: JposeConfig
    ):
        super().__init__()
        self.skeleton = ReplicatedLinear(skeleton, config.embedding, generators)
        self.text_in = ReplicatedLinear(text, config.text_hidden, generators)
        self.text_out = ReplicatedLinear(config.text_hidden, config.embedding, generators)

    def embed_skeletons(self, x: Float[Tensor, "R B D"]) -> Float[Tensor, "R B Z"]:
        return F.normalize(self.skeleton(x).tanh(), dim=-1)

    def embed_texts(self, x: Float[Tensor, "R K E"]) -> Float[Tensor, "R K Z"]:
        return F.normalize(self.text_out(self.text_in(x).tanh()).tanh(), dim=-1)


class Jpose(nn.Module):
    """The parts' pairs and the joint pair."""

    def __init__(
        self,
        skeleton: int,
        texts: list[int],
        generators: list[torch.Generator],
        config: JposeConfig,
    ):
        super().__init__()
        self.parts = nn.ModuleList(Part(skeleton, text, generators, config) for text in texts)
        joined = len(texts) * config.embedding
        self.skeleton = ReplicatedLinear(joined, config.embedding, generators)
        self.text = ReplicatedLinear(joined, config.embedding, generators)

    def similarities(
        self, skeletons: list[Float[Tensor, "R B Z"]], texts: list[Float[Tensor, "R S Z"]]
    ) -> Float[Tensor, "R B S"]:
        """Inner products in the joint space, from the parts' embeddings of clips and classes."""
        clips = F.normalize(self.skeleton(torch.cat(skeletons, dim=-1)).tanh(), dim=-1)
        classes = F.normalize(self.text(torch.cat(texts, dim=-1)).tanh(), dim=-1)
        return clips @ classes.mT


def scores(
    name: str,
    task: Task,
    texts: tuple[str, ...],
    seeds: list[int],
    config: JposeConfig,
    device: torch.device,
) -> Scores:
    """JPoSE on a task: its candidates are the check-points.

    Args:
        name: for progress and errors.
        texts: the text kinds, one for each part.
        seeds: a root seed per replica.

    Raises:
        ValueError: the task lacks a text kind.
    """
    features, clips = (F.normalize(x).to(device) for x in (task.features, task.clips))
    labels = task.labels.to(device)
    pairs = [task.texts([kind]) for kind in texts]
    words = [torch.unique(seen, dim=0, return_inverse=True) for seen, _ in pairs]
    words = [(texts.to(device), word_of.to(device)) for texts, word_of in words]
    unseen = [part.to(device) for _, part in pairs]
    generators = [runtime.generator(seed, "jpose") for seed in seeds]
    widths = [part.shape[1] for part in unseen]
    model = Jpose(features.shape[1], widths, generators, config).to(device)

    def loss(batch: Int[Tensor, "R B"]) -> dict[str, Tensor]:
        return jpose_loss(model, features[batch], labels[batch], words, config)

    def score() -> Float[Tensor, "R m U"]:
        x = clips.expand(len(seeds), -1, -1)
        embedded = [
            (part.embed_skeletons(x), part.embed_texts(text.expand(len(seeds), -1, -1)))
            for part, text in zip(model.parts, unseen, strict=True)
        ]
        return model.similarities([s for s, _ in embedded], [t for _, t in embedded])

    return train_checkpoints(name, model, loss, score, len(features), generators, config)


def jpose_loss(
    model: Jpose,
    skeletons: Float[Tensor, "R B D"],
    labels: Int[Tensor, "R B"],
    words: list[tuple[Float[Tensor, "_ E"], Int[Tensor, " S"]]],
    config: JposeConfig,
) -> dict[str, Float[Tensor, " R"]]:
    """All terms of one step, and their weighted sum.

    Args:
        words: for each part its different texts, and of each seen class its row in them.
    """
    hinge, triplet, clips, classes = 0.0, 0.0, [], []
    for part, (texts, word_of) in zip(model.parts, words, strict=True):
        clips.append(part.embed_skeletons(skeletons))
        embedded = part.embed_texts(texts.expand(len(skeletons), -1, -1))
        classes.append(embedded[:, word_of])
        own = word_of[labels]
        hinge = hinge + multi_class_hinge(clips[-1] @ embedded.mT, own, config.margin)
        triplet = triplet + hard_triplet(clips[-1], own, config.margin)
    figures = {
        "part_hinge": hinge,
        "triplet": triplet,
        "joint_hinge": multi_class_hinge(model.similarities(clips, classes), labels, config.margin),
    }
    total = hinge + config.triplet_weight * triplet + figures["joint_hinge"]
    return {"loss": total} | figures


def hard_triplet(
    embeddings: Float[Tensor, "R B Z"], labels: Int[Tensor, "R B"], margin: float
) -> Float[Tensor, " R"]:
    """Triplet loss of each clip with its hardest partners in the batch, averaged over clips.

    The hardest positive is the clip of the same label with the least inner product (itself where
    there is no other), the hardest negative that of another label with the largest. A clip
    without negatives adds nothing.
    """
    with torch.no_grad():  # only the choice needs every pair
        similarity = embeddings @ embeddings.mT
        same = labels[..., :, None] == labels[..., None, :]
        positive = similarity.masked_fill(~same, torch.inf).argmin(-1)
        negative = similarity.masked_fill(same, -torch.inf).argmax(-1)

    def product(partner: Int[Tensor, "R B"]) -> Float[Tensor, "R B"]:
        chosen = embeddings.gather(1, partner[..., None].expand_as(embeddings))
        return (embeddings * chosen).sum(-1)

    excess = (margin + product(negative) - product(positive)).relu()
    return (excess * ~same.all(-1)).mean(-1)
