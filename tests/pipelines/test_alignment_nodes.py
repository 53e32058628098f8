"""Nodes of the alignment stage that are not tested with a whole run."""

import pandas as pd
import torch

from msf_kedro.methods.msf import AlignmentConfig, UnseenClassifierConfig
from msf_kedro.pipelines.alignment.nodes import fit_alignment, generate_latents

ALIGNMENT = AlignmentConfig(
    latent=3,
    cycles=1,
    steps=5,
    batch_size=4,
    learning_rate=1e-2,
    noise="dimension",
    relu_outputs=False,
    inputs="standard",
    input_rms=1.0,
    kl_slope=0.0,
    skeleton_kl_from=0,
    text_kl_from=0,
    text_kl_first_cycle=1,
    cross_from=0,
    cross_error="mean_square",
)
CLASSIFIER = UnseenClassifierConfig(
    latents_per_class=4, steps=1, learning_rate=1e-3, relu_logits=False
)


def test_the_order_of_the_class_text_table_does_not_matter():
    """Texts belong to their class_id, wherever the row stands."""
    numbers = torch.Generator().manual_seed(0)
    actions = [1, 2, 3, 4, 5] * 4
    names = pd.DataFrame({"name": [f"clip{i}" for i in range(len(actions))]})
    side = ["unseen" if action in (2, 5) else "seen" for action in actions]
    roles = names.assign(action=actions, side=side, part="train")
    values = torch.randn(len(actions), 6, generator=numbers).numpy()
    features = pd.concat([names, pd.DataFrame(values).add_prefix("f")], axis=1)
    texts = pd.DataFrame(torch.randn(5, 7, generator=numbers).numpy()).add_prefix("e")
    texts.insert(0, "class_id", [1, 2, 3, 4, 5])
    latents = []
    for table in (texts, texts.iloc[[4, 1, 3, 0, 2]]):
        vaes, _ = fit_alignment(features, roles, table, ALIGNMENT, [0], "cpu")
        latents.append(generate_latents(vaes, roles, table, ALIGNMENT, CLASSIFIER, [0]))
    assert latents[0]["classes"] == [2, 5]
    assert torch.equal(latents[0]["latents"], latents[1]["latents"])
