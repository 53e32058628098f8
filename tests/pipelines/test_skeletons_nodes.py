"""The skeletons stage's node: what it saves is found by the clips' names."""

import torch
from support.limits import MOST

from msf_kedro.clips.clip import ClipsConfig
from msf_kedro.clips.normalise import NormaliseConfig
from msf_kedro.clips.store import Skeletons
from msf_kedro.pipelines.skeletons.nodes import prepare_clips
from msf_kedro.sample import clip_name, generate_clip

PATTERN = r"S\d{3}C\d{3}P(?P<performer>\d{3})R\d{3}A(?P<action>\d{3})"
PAIR, ALONE, OTHER, BAD = (clip_name(*key, 1) for key in ((51, 2), (1, 2), (99, 1), (1, 1)))


def test_skeletons_are_saved_with_the_names_of_the_kept_clips():
    loaders = {
        name: lambda limits, n=name: generate_clip(int(n[-3:]), 2, 1, seed=0)
        for name in (PAIR, ALONE)
    }
    raw = loaders | {BAD: lambda limits: torch.zeros(3).numpy(), OTHER: loaders[ALONE]}
    clips = ClipsConfig(PATTERN, "kinect_v2_25", 0.5, **MOST)
    table, saved = prepare_clips(raw, {}, {}, None, "1, 51", clips, NormaliseConfig(8, True), {}, 1)
    assert saved["names"] == [ALONE, PAIR] == table.name[table.kept].tolist()
    assert set(table.name) == set(raw)
    skeletons = Skeletons(**saved | {"bodies": torch.cat(list(saved["bodies"]))})
    _, clip, _ = skeletons.batch(skeletons.places([PAIR, ALONE]))
    assert clip.tolist() == [0, 0, 1], "two people, then one"
