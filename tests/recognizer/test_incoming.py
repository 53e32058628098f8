"""Clips as users have them."""

import numpy as np
import pytest

from msf_kedro.recognizer.incoming import named_clips, prepared
from msf_kedro.sample import write_skeleton


def names(clips):
    return [name for name, _ in named_clips(clips)]


def test_arrays_files_lists_and_mappings_have_names(clips, tmp_path):
    np.save(tmp_path / "a.npy", clips[0])
    assert names(clips[0]) == ["clip 1"]
    assert names(clips) == ["clip 1", "clip 2", "clip 3"]
    assert names(iter([clips[0], tmp_path / "a.npy", str(tmp_path / "b.mat")])) == [
        *("clip 1", "a", "b")
    ]
    assert names({"x": clips[0], 2: clips[1]}) == ["x", "2"]
    assert names(tmp_path / "a.npy") == names(str(tmp_path / "a.npy")) == ["a"]


def test_folders_are_searched_in_order(clips, tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("b.npy", "a.npy", "sub/c.npy", "notes.txt"):
        np.save(tmp_path / "any.npy", clips[0])
        (tmp_path / "any.npy").rename(tmp_path / name)
    assert names(tmp_path) == ["a", "b", "sub/c"]


def test_every_format_gives_the_same_clip(model, clips, tmp_path):
    np.save(tmp_path / "clip.npy", clips[1])
    (tmp_path / "clip.skeleton").write_text(write_skeleton(clips[1]))
    expected = prepared(clips[1], model.layout, model.normalise, model.limits)
    assert expected.shape == (2, 3, 25, 8)
    for file in tmp_path.iterdir():
        found = prepared(file, model.layout, model.normalise, model.limits)
        np.testing.assert_array_equal(found, expected)


def test_one_body_may_come_without_its_axis(model, clips):
    whole, *others = (
        prepared(clip, model.layout, model.normalise, model.limits)
        for clip in (clips[0], clips[0][0], clips[0].astype(np.float64))
    )
    for found in others:
        np.testing.assert_array_equal(found, whole)


def test_a_place_without_clips_is_named(tmp_path):
    with pytest.raises(ValueError, match="gone: there is no such file or folder of clips"):
        names(tmp_path / "gone")
    with pytest.raises(ValueError, match=r"it holds no clip, a file that ends in \.skeleton"):
        names(tmp_path)
    with pytest.raises(ValueError, match="clips: int, expected an array"):
        names(3)


def test_limits_hold_before_a_file_is_read(model, clips, tmp_path):
    np.save(tmp_path / "long.npy", np.zeros((1, 1100, 25, 3), np.float32))
    reason = prepared(tmp_path / "long.npy", model.layout, model.normalise, model.limits)
    assert "bytes, accepted are at most 300,000" in reason


def test_a_file_of_an_unknown_format_is_refused(model, tmp_path):
    (tmp_path / "a.xyz").write_bytes(b"?")
    reason = prepared(tmp_path / "a.xyz", model.layout, model.normalise, model.limits)
    assert "suffix '.xyz', expected one of .skeleton" in reason
