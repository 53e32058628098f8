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

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from msf_kedro.configuration import configuration
from msf_kedro.methods.contract.nearest import Ranking, RankingConfig, multi_class_hinge
from msf_kedro.networks.replicated import ReplicatedLinear


@configuration
class JposeConfig(RankingConfig):
    """Networks and terms of JPoSE.

    Attributes:
        embedding: dimensions of each kind's space and of the joint space.
        text_hidden: width of the text networks' hidden layers.
        triplet_weight: of the triplet losses.
    """

    embedding: PositiveInt
    text_hidden: PositiveInt
    triplet_weight: NonNegativeFloat


class Spaces(nn.Module):
    """A pair of networks for each text kind, and the joint pair. All embeddings have norm 1."""

    def __init__(self, widths: list[int], generators: list[torch.Generator], config: JposeConfig):
        super().__init__()
        skeleton, *texts = widths
        names = ("skeletons", "texts_in", "texts_out")
        self.skeletons, self.texts_in, self.texts_out = (nn.ModuleList() for _ in names)
        for text in texts:
            self.skeletons.append(ReplicatedLinear(skeleton, config.embedding, generators))
            self.texts_in.append(ReplicatedLinear(text, config.text_hidden, generators))
            self.texts_out.append(
                ReplicatedLinear(config.text_hidden, config.embedding, generators)
            )
        joined = len(texts) * config.embedding
        self.skeleton_joint = ReplicatedLinear(joined, config.embedding, generators)
        self.text_joint = ReplicatedLinear(joined, config.embedding, generators)

    def of_skeletons(self, x: Float[Tensor, "R B D"]) -> list[Float[Tensor, "R B Z"]]:
        """Clips in each kind's space."""
        return [F.normalize(linear(x).tanh(), dim=-1) for linear in self.skeletons]

    def of_texts(self, texts: list[Float[Tensor, "R _ _"]]) -> list[Float[Tensor, "R _ Z"]]:
        """Texts, each in its kind's space; kinds may have unlike numbers of words."""
        layers = zip(self.texts_in, self.texts_out, texts, strict=True)
        return [F.normalize(out(into(x).tanh()).tanh(), dim=-1) for into, out, x in layers]

    def join_skeletons(self, parts: list[Float[Tensor, "R B Z"]]) -> Float[Tensor, "R B Z"]:
        """Clips in the joint space."""
        return F.normalize(self.skeleton_joint(torch.cat(parts, dim=-1)).tanh(), dim=-1)

    def join_texts(self, parts: list[Float[Tensor, "R K Z"]]) -> Float[Tensor, "R K Z"]:
        """Classes in the joint space."""
        return F.normalize(self.text_joint(torch.cat(parts, dim=-1)).tanh(), dim=-1)

    def embed_skeletons(self, x: Float[Tensor, "R B D"]) -> Float[Tensor, "R B Z"]:
        return self.join_skeletons(self.of_skeletons(x))

    def embed_texts(self, texts: list[Float[Tensor, "R K _"]]) -> Float[Tensor, "R K Z"]:
        return self.join_texts(self.of_texts(texts))


class Jpose(Ranking):
    """JPoSE, fitted."""

    Config = JposeConfig
    Network = Spaces
    RANDOM = "jpose"
    APART = True

    @staticmethod
    def skeleton_inputs(features: Float[Tensor, "n D"]) -> Float[Tensor, "n D"]:
        """L2-normalised."""
        return F.normalize(features)

    @staticmethod
    def loss(
        network: Spaces,
        skeletons: Float[Tensor, "R B D"],
        labels: Int[Tensor, "R B"],
        texts: list[Float[Tensor, "S _"]],
        config: JposeConfig,
    ) -> dict[str, Float[Tensor, " R"]]:
        """Hinge and triplet loss of each kind, the hinge of the joint space.

        Classes that share a word count as one in that kind's hinge.
        """
        words = [torch.unique(seen, dim=0, return_inverse=True) for seen in texts]
        embedded = network.of_texts([word.expand(len(skeletons), -1, -1) for word, _ in words])
        clips = network.of_skeletons(skeletons)
        hinge, triplet, classes = 0.0, 0.0, []
        for (_, word_of), text, clip in zip(words, embedded, clips, strict=True):
            classes.append(text[:, word_of])
            own = word_of[labels]
            hinge = hinge + multi_class_hinge(clip @ text.mT, own, config.margin)
            triplet = triplet + hard_triplet(clip, own, config.margin)
        similarities = network.join_skeletons(clips) @ network.join_texts(classes).mT
        figures = {
            "kind_hinge": hinge,
            "triplet": triplet,
            "joint_hinge": multi_class_hinge(similarities, labels, config.margin),
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


METHOD = Jpose
