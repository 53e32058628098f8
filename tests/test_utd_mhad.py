"""The UTD-MHAD study on its real clips; skipped where they are absent."""

import pytest
from support.sessions import artifacts, read, session

from msf_kedro.zero_shot.protocols import best_class

SPLITS = [f"split_{number}" for number in range(1, 6)]
PHASES = {"calibration": 17, "test": 22}  # seen classes


@pytest.fixture(scope="module")
def root(utd_mhad, tmp_path_factory):
    """A data root with the study's skeletons and the roles of all splits."""
    root = tmp_path_factory.mktemp("utd_mhad")
    params = {"data_root": str(root), "raw_clips": str(utd_mhad), "normalise": {"window": 16}}
    for split in SPLITS:
        stages = ["skeletons", "splits"] if split == SPLITS[0] else ["splits"]
        with session("utd_mhad", params | {"split": split}) as opened:
            opened.run(pipeline_names=stages)
    return root


def newest(root, artifact: str):
    return read(artifacts(root)[artifact][-1])


def test_every_clip_is_kept(root):
    clips = newest(root, "02_intermediate/utd_mhad/clips.parquet")
    assert len(clips) == clips.kept.sum() == 861
    assert clips.frames.min() == 41
    assert clips.frames.max() == 125


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("split", SPLITS)
def test_roles(root, split, phase):
    clips = newest(root, "02_intermediate/utd_mhad/clips.parquet")
    roles = newest(root, f"03_primary/utd_mhad/{split}/{phase}/roles.parquet")
    assert roles.name.tolist() == clips.name.tolist()
    subjects = clips.subject.groupby(roles.part).unique().map(set)
    assert subjects["train"] | subjects["held_out"] == {1, 3, 5, 7}
    assert subjects["test"] == {2, 4, 6, 8}
    classes = roles.class_id.groupby(roles.side).unique().map(set)
    assert classes.map(len)["seen"] == PHASES[phase]
    assert classes.map(len)["unseen"] == 5
    assert not classes["seen"] & classes["unseen"]


def test_a_small_shift_gcn_learns_from_real_skeletons(root, utd_mhad):
    """One stream of one phase, hardly trained, is far above chance (1 / 22) on test subjects."""
    params = {
        "data_root": str(root),
        "shift_gcn": {"widths": [16, 32], "strided_units": [2]},
        "shift_gcn_training": {"epochs": 6, "warmup_epochs": 1},
    }
    with session("utd_mhad", params) as opened:
        opened.run(pipeline_names=["features"], namespaces=["features.test.joint_motion"])
    roles = newest(root, "03_primary/utd_mhad/split_1/test/roles.parquet")
    logits = newest(root, "04_feature/utd_mhad/split_1/test/joint_motion/logits.parquet")
    tested = (roles.side == "seen") & (roles.part == "test")
    best = best_class(logits.loc[roles.name[tested]])
    assert (best == roles.class_id[tested]).mean() > 0.3
