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

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from msf_kedro.configuration import configuration
from msf_kedro.methods.contract.nearest import Ranking, RankingConfig, multi_class_hinge
from msf_kedro.networks.replicated import ReplicatedLinear


@configuration
class ReviseConfig(RankingConfig):
    """Networks and terms of ReViSE.

    Attributes:
        code: dimensions of both auto-encoders' codes.
        embedding: dimensions of the embeddings.
        text_hidden: width of the layer between text and code, on the way in and out.
        contractive_weight: of the contractive penalty.
        discrepancy_weight: of the maximum mean discrepancy.
        kernel_sharpness: `k` of its kernel, exp(-k d^2).
    """

    code: PositiveInt
    embedding: PositiveInt
    text_hidden: PositiveInt
    contractive_weight: NonNegativeFloat
    discrepancy_weight: NonNegativeFloat
    kernel_sharpness: PositiveFloat


class AutoEncoders(nn.Module):
    """Both auto-encoders and both embeddings."""

    def __init__(self, widths: list[int], generators: list[torch.Generator], config: ReviseConfig):
        super().__init__()
        skeleton, text = widths

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

    def rank_skeletons(self, code: Float[Tensor, "R B C"]) -> Float[Tensor, "R B Z"]:
        return self.skeleton_embedding(code).tanh()

    def rank_texts(self, code: Float[Tensor, "R S C"]) -> Float[Tensor, "R S Z"]:
        return self.text_embedding(code).tanh()

    def embed_skeletons(self, x: Float[Tensor, "R B D"]) -> Float[Tensor, "R B Z"]:
        return self.rank_skeletons(self.encode_skeletons(x))

    def embed_texts(self, texts: list[Float[Tensor, "R S E"]]) -> Float[Tensor, "R S Z"]:
        return self.rank_texts(self.encode_texts(texts[0]))


class Revise(Ranking):
    """ReViSE, fitted."""

    Config = ReviseConfig
    Network = AutoEncoders
    RANDOM = "revise"

    @staticmethod
    def skeleton_inputs(features: Float[Tensor, "n D"]) -> Float[Tensor, "n D"]:
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

    @staticmethod
    def loss(
        network: AutoEncoders,
        skeletons: Float[Tensor, "R B D"],
        labels: Int[Tensor, "R B"],
        texts: list[Float[Tensor, "S _"]],
        config: ReviseConfig,
    ) -> dict[str, Float[Tensor, " R"]]:
        """Hinge, both reconstructions, contractive penalty and discrepancy.

        Every class's text is computed once, and counts in reconstruction and discrepancy as often
        as the class is in the batch.
        """
        seen = texts[0].expand(len(skeletons), -1, -1)
        shares = F.one_hot(labels, seen.shape[1]).float().mean(1)
        code, text_code = network.encode_skeletons(skeletons), network.encode_texts(seen)
        text_errors = (network.decode_texts(text_code) - seen).square().mean(-1)
        similarities = network.rank_skeletons(code) @ network.rank_texts(text_code).mT
        figures = {
            "hinge": multi_class_hinge(similarities, labels, config.margin),
            "skeleton_reconstruction": (network.decode_skeletons(code) - skeletons)
            .square()
            .mean(dim=(-2, -1)),
            "text_reconstruction": (shares * text_errors).sum(-1),
            "contractive": contractive_penalty(network.skeleton_in.weight, code),
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


METHOD = Revise
