"""Readers of other formats: what they give, and what they refuse, in one sentence."""

import io
import json
import pickle
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation
from support.limits import LIMITS

from msf_kedro.clips.bvh import read_bvh, read_hierarchy
from msf_kedro.clips.estimators import read_mediapipe, read_openpose
from msf_kedro.clips.limits import Limits
from msf_kedro.clips.npz import read_npz
from msf_kedro.clips.pyskl import read_pyskl
from msf_kedro.clips.readers import read_clip
from msf_kedro.clips.rows import read_rows

CLIP = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype(np.float32)
SMALL = Limits(frames=4, bodies=1, bytes=10_000)


def refused(read: Callable, message: str) -> None:
    """One sentence that names the file."""
    with pytest.raises(ValueError, match=rf"^x[^\n]*{message}[^\n]*$"):
        read()


# --- .npz ---


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def test_npz_holds_coordinates_and_perhaps_confidences():
    scores = CLIP[..., 0]
    whole = np.concatenate([CLIP, scores[..., None]], axis=-1)
    np.testing.assert_array_equal(read_npz(npz(any_name=CLIP), "x.npz", LIMITS), CLIP)
    np.testing.assert_array_equal(read_npz(npz(clip=CLIP[0], fps=30), "x.npz", LIMITS), CLIP[:1])
    found = read_npz(npz(keypoint=CLIP, keypoint_score=scores), "x.npz", LIMITS)
    np.testing.assert_array_equal(found, whole)
    found = read_npz(npz(keypoints=CLIP[0], scores=scores[0]), "x.npz", LIMITS)
    np.testing.assert_array_equal(found, whole[:1])


@pytest.mark.parametrize(
    ("content", "limits", "message"),
    [
        (b"PK\x03\x04garbage", LIMITS, r"not a readable \.npz archive"),
        (npz(a=CLIP, b=CLIP), LIMITS, r"arrays \['a', 'b'\], expected a single one, or one of"),
        (npz(clip=CLIP[0, 0]), LIMITS, r"clip: an array \(4, 3\), expected \(bodies, frames"),
        (npz(clip=CLIP, scores=CLIP), LIMITS, r"scores is \(2, 5, 4, 3\), expected \(2, 5, 4\)"),
        (npz(clip=np.array([{}], object)), LIMITS, "an array of '.O', expected plain numbers"),
        (npz(clip=np.zeros((1, 3000, 4, 3))), SMALL, "bytes, accepted are at most 10,000"),
        (npz(clip=CLIP[:1]), SMALL, "5 frames, accepted are at most 4"),
    ],
)
def test_what_is_no_npz_clip_is_refused(content, limits, message):
    refused(lambda: read_npz(content, "x.npz", limits), message)


# --- long form ---


def long_form(clip: np.ndarray = CLIP, **more) -> pd.DataFrame:
    places = np.stack(np.indices(clip.shape[:3]), axis=-1).reshape(-1, 3)
    table = pd.DataFrame(places, columns=["body", "frame", "joint"])
    columns = ["x", "y", "z", "confidence"][: clip.shape[-1]]
    return table.join(pd.DataFrame(clip.reshape(len(table), -1), columns=columns)).assign(**more)


def as_bytes(table: pd.DataFrame, kind: str) -> bytes:
    if kind == "csv":
        return table.to_csv(index=False).encode()
    file = io.BytesIO()
    table.to_parquet(file, index=False)
    return file.getvalue()


def rows(table: pd.DataFrame, kind: str = "csv"):
    return read_rows(as_bytes(table, kind), "alone", "x.csv", 10**6)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_holds_many_clips_in_any_order(kind):
    tables = [long_form(CLIP).assign(clip="b", note="x"), long_form(CLIP[:1] + 1).assign(clip="a")]
    table = pd.concat(tables).sample(frac=1, random_state=0)
    found = rows(table, kind)
    assert found.names == ["a", "b"]
    np.testing.assert_array_equal(found.read("b", LIMITS), CLIP)
    np.testing.assert_array_equal(found.read("a", LIMITS), CLIP[:1] + 1)


def test_what_a_row_need_not_say():
    table = long_form(CLIP[:1, ..., :2].copy()).drop(columns="body")
    found = rows(table)
    assert found.names == ["alone"]
    np.testing.assert_array_equal(found.read("alone", LIMITS), CLIP[:1, ..., :2])
    sure = rows(table.assign(confidence=0.5)).read("alone", LIMITS)
    assert sure.shape == (1, 5, 4, 3)
    assert (sure[..., 2] == 0.5).all()


def test_rows_that_are_not_there():
    """A joint is not a number, a body that has none in a frame is zero there."""
    table = long_form(CLIP).query("frame != 2 and not (body == 1 and joint == 1 and frame == 3)")
    found = rows(table.query("not (body == 0 and frame == 4)")).read("alone", LIMITS)
    assert found.shape == CLIP.shape
    assert not found[:, 2].any()
    assert not found[0, 4].any()
    assert np.isnan(found[1, 3, 1]).all()
    assert np.isfinite(found).sum() == found.size - 3
    empty = long_form(CLIP)
    empty.loc[7, "y"] = np.nan
    assert np.isnan(rows(empty).read("alone", LIMITS)).sum() == 1


def test_bodies_are_ordered_by_their_numbers_or_names():
    table = long_form(CLIP)
    for names in ({0: 9, 1: 10}, {0: "ann", 1: "bob"}):
        found = rows(table.assign(body=table.body.map(names))).read("alone", LIMITS)
        np.testing.assert_array_equal(found, CLIP)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.drop(columns="x"), r"columns .*, expected frame, joint, x, y and"),
        (lambda t: t[:0], "0 rows with columns"),
        (lambda t: t.assign(x="left"), "column x holds string values, expected numbers"),
        (lambda t: t.assign(frame=t.frame + 0.5), "column frame holds double values"),
        (lambda t: t.assign(joint=t.joint - 1), "joints -1 to 2, expected numbers from 0"),
        (lambda t: t.assign(joint=t.joint + 999), "joints 999 to 1002, expected numbers from 0"),
        (lambda t: t.assign(frame=t.frame.where(t.frame > 0)), "column frame is empty in 8 rows"),
    ],
)
def test_what_is_no_table_of_clips_is_refused(spoil, message):
    refused(lambda: rows(spoil(long_form())), message)


def test_a_clip_of_a_table_has_its_limits():
    found = rows(pd.concat([long_form(), long_form()[:1]]))
    refused(lambda: found.read("alone", LIMITS), "a joint of a body has more than one row")
    refused(lambda: rows(long_form()).read("alone", SMALL), "5 frames, accepted are at most 4")
    far = rows(long_form().assign(frame=lambda t: t.frame * 10**9))
    refused(lambda: far.read("alone", LIMITS), "frames, accepted are at most 10,000")
    refused(lambda: read_rows(b"PAR1garbage", "a", "x", 10**6), "neither parquet nor CSV")
    refused(lambda: read_rows(b"\xff,y\n1,2\n", "a", "x", 10**6), "neither parquet nor CSV")
    many = as_bytes(long_form(), "parquet")
    refused(lambda: read_rows(many, "a", "x", 100), "40 rows, accepted are 12; raise max_bytes")


# --- BVH ---

BVH = """HIERARCHY
ROOT hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT chest
  {
    OFFSET 0 10 0
    CHANNELS 3 Yrotation Zrotation Xrotation
    End Site
    {
      OFFSET 0 5 1
    }
  }
  JOINT leg
  {
    OFFSET 1 -10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
  }
}
MOTION
Frames: 2
Frame Time: 0.033
1 2 3 10 20 30 40 50 60 7 8 9
0 0 0 0 0 0 0 0 90 0 0 0
"""


def test_bvh_is_forward_kinematics():
    clip = read_bvh(BVH, "x.bvh", LIMITS)
    assert clip.shape == (1, 2, 4, 3)
    assert clip.dtype == np.float32
    hips = Rotation.from_euler("ZXY", [10, 20, 30], degrees=True)
    chest = hips * Rotation.from_euler("YZX", [40, 50, 60], degrees=True)
    root = np.array([1.0, 2, 3])
    places = [root, root + hips.apply([0, 10, 0])]
    places += [places[1] + chest.apply([0, 5, 1]), root + hips.apply([1, -10, 0])]
    np.testing.assert_allclose(clip[0, 0], places, atol=1e-5)
    np.testing.assert_allclose(
        clip[0, 1], [[0, 0, 0], [0, 10, 0], [0, 9, 5], [1, -10, 0]], atol=1e-5
    )
    joints = read_hierarchy(BVH, "x.bvh")
    assert [(j.name, j.parent) for j in joints] == [
        ("hips", -1), ("chest", 0), ("chest end", 1), ("leg", 0)
    ]  # fmt: skip
    np.testing.assert_array_equal(read_bvh(BVH.replace("\n", "\r\n"), "x", LIMITS), clip)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "", "does not begin with HIERARCHY"),
        ("MOTION", "", "no line MOTION"),
        ("JOINT leg", "ROOT leg", "ROOT after 3 joints; expected one ROOT"),
        ("JOINT leg", "BONE leg", "'BONE' in the hierarchy, expected joints"),
        ("OFFSET 0 5 1", "OFFSET 0 five 1", "'0 five 1', expected 3 numbers"),
        ("CHANNELS 3 Y", "CHANNELS x Y", "'x' channels, expected 0 to 6"),
        ("CHANNELS 3 Yrotation", "CHANNELS 3 Zrotation", "channels .*, expected some of Xpos"),
        ("}\nMOTION", "MOTION", "4 joints and 1 open braces before MOTION"),
        ("Frames: 2", "Frames: two", "Frames: 'two', expected a whole number"),
        ("Frames: 2", "Frames: 3", "24 numbers, expected 12 for each of 3 frames"),
        ("Frame Time: 0.033", "", "expected Frames: and Frame Time:"),
        ("1 2 3 10", "1 2 3 ten", "expected numbers"),
        ("1 2 3 10", "1 2 3 inf", r"not finite or beyond 1e\+09"),
        ("Frames: 2", "Frames: 999999999", "999,999,999 frames, accepted are at most 10,000"),
    ],
)
def test_what_is_no_bvh_is_refused(old, new, message):
    assert BVH.count(old) == 1 or old.startswith("CHANNELS")
    refused(lambda: read_bvh(BVH.replace(old, new, 1), "x.bvh", LIMITS), message)


# --- OpenPose ---


def openpose(*people: list) -> bytes:
    return json.dumps({"people": [{"pose_keypoints_2d": p} for p in people]}).encode()


def test_openpose_is_a_file_a_frame():
    frames = {3: openpose([1, 2, 0.5, 3, 4, 0.6]), 4: openpose(), 6: openpose([5] * 6, [6] * 6)}
    clip = read_openpose(frames, "x", LIMITS)
    assert clip.shape == (2, 4, 2, 3)
    np.testing.assert_allclose(clip[0, 0], [[1, 2, 0.5], [3, 4, 0.6]])
    assert not clip[:, 1:3].any()
    assert (clip[0, 3] == 5).all()
    assert (clip[1, 3] == 6).all()
    assert not clip[1, :3].any()
    assert read_openpose({1: openpose()}, "x", LIMITS).shape == (0, 1, 0, 3)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ({1: b"{"}, "frame 1: not JSON"),
        ({1: b"[" * 99999}, "frame 1: not JSON"),
        ({1: b"[]"}, "frame 1: no list 'people', but '.*'"),
        ({1: b'{"people": [3]}'}, "frame 1: no list 'pose_keypoints_2d'"),
        ({1: openpose([1, 2])}, "frame 1: 2 numbers of a person, expected x, y, confidence"),
        ({1: openpose([1] * 3, [1] * 6)}, r"people of \[1, 2\] joints, expected one number"),
        ({1: openpose(["1"] * 3)}, "'1', expected a number"),
        ({1: openpose([True] * 3)}, "'True', expected a number"),
        ({1: openpose(*[[1] * 3] * 17)}, "17 bodies, accepted are at most 16"),
        ({1: openpose(), 99999: openpose()}, "99,999 frames, accepted are at most 10,000"),
        (
            {1: openpose([1] * 3000, *[[2] * 3000] * 15), 9999: openpose()},
            "bytes, accepted are at most",
        ),
    ],
)
def test_what_is_not_openposes_is_refused(frames, message):
    refused(lambda: read_openpose(frames, "x", LIMITS), message)


# --- MediaPipe ---


def landmarks(value: float, **more) -> list[dict]:
    return [{"x": value, "y": joint, "z": 2, "visibility": 0.5} | more for joint in range(33)]


def mediapipe(frames: object) -> bytes:
    return json.dumps(frames).encode()


@pytest.mark.parametrize("key", ["pose_world_landmarks", "worldLandmarks"])
def test_mediapipe_is_a_file_a_clip(key):
    frames = [{key: [landmarks(7)], "pose_landmarks": []}, {key: []}, {key: [landmarks(8)] * 2}]
    for content in (frames, {"frames": frames}):
        clip = read_mediapipe(mediapipe(content), "x.json", LIMITS)
        assert clip.shape == (2, 3, 33, 4)
        np.testing.assert_array_equal(clip[0, 0, 5], [7, 5, 2, 0.5])
        assert not clip[:, 1].any()
        assert not clip[1, 0].any()
        assert (clip[:, 2, :, 0] == 8).all()


def test_without_world_landmarks_those_of_the_image_are_read():
    clip = read_mediapipe(mediapipe([{"landmarks": [landmarks(1)]}] * 2), "x.json", LIMITS)
    assert (clip[..., 0] == 1).all()
    bare = [{"x": 1, "y": None} for _ in range(33)]
    clip = read_mediapipe(mediapipe([{"landmarks": [bare]}]), "x.json", LIMITS)
    assert np.isnan(clip[..., 1:]).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff", "not JSON"),
        (b"3", "no list 'frames'"),
        (mediapipe([3]), "frame 1: no list 'pose_landmarks'"),
        (mediapipe([{"landmarks": [[3]]}]), r"frame 1: a person is '\[3\]', expected a list of"),
        (mediapipe([{"landmarks": [landmarks(0, x="1")]}]), "'1', expected a number"),
    ],
)
def test_what_is_not_mediapipes_is_refused(content, message):
    refused(lambda: read_mediapipe(content, "x.json", LIMITS), message)


# --- PYSKL ---

KEYPOINT = CLIP[..., :2].astype(np.float16)
ANNOTATION = {
    "frame_dir": "S001A002",
    "label": 1,
    "img_shape": (1080, 1920),
    "original_shape": (1080, 1920),
    "total_frames": 5,
    "keypoint": KEYPOINT,
    "keypoint_score": CLIP[..., 0].astype(">f4"),
}
ANNOTATIONS = {"split": {"xsub_train": ["S001A002", "x"], "all": ["S001A002"], "no": []},
               "annotations": [ANNOTATION]}  # fmt: skip


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("fortran", [False, True])
def test_annotations_are_read_from_any_pickle(protocol, fortran):
    keypoint = np.asfortranarray(KEYPOINT) if fortran else KEYPOINT
    numbers = {"label": np.int64(1), "keypoint": keypoint}
    content = ANNOTATIONS | {"annotations": [ANNOTATION | numbers]}
    (found,) = read_pyskl(pickle.dumps(content, protocol), "x.pkl")
    assert (found.name, found.label, found.parts) == ("S001A002", 1, ("xsub_train", "all"))
    expected = np.concatenate([KEYPOINT.astype(np.float32), CLIP[..., :1]], axis=-1)
    np.testing.assert_array_equal(found.clip, expected)
    (alone,) = read_pyskl(pickle.dumps([ANNOTATION], protocol), "x.pkl")
    assert alone.parts == ()


def test_pickles_of_older_numpy_name_other_modules():
    content = pickle.dumps(ANNOTATIONS, 2).replace(b"numpy._core.", b"numpy.core.")
    assert b"numpy._core" not in content
    assert len(list(read_pyskl(content, "x.pkl"))) == 1


class Calls:
    """Pickled as a call."""

    def __init__(self, function: Callable, *given: object):
        self.call = function, given

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        (Calls(exec, "raise SystemExit"), "exec"),
        (Calls(print, "x"), "print"),
        (Calls(getattr, "x", "upper"), "getattr"),
        (Calls(np.load, "x.npy"), "load"),
        (np.dtype, "type"),
        (ValueError("x"), "ValueError"),
        (np.array([{}], object), "an array of 'O"),
        (np.zeros(2, "U3"), "an array of 'U"),
        (np.zeros(2, [("a", "f4")]), "an array of 'V"),
        (np.datetime64("2020"), "an array of 'M"),
    ],
)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_nothing_that_a_pickle_asks_for_is_run(content, asked, protocol):
    dumped = pickle.dumps(ANNOTATIONS | {"more": content}, protocol)
    if asked == "type":  # a class alone is a stand-in, which does nothing
        assert len(list(read_pyskl(dumped, "x.pkl"))) == 1
        return
    refused(lambda: list(read_pyskl(dumped, "x.pkl")), f"not read as a pickle.*{asked}")


@pytest.mark.parametrize(
    "code",
    [
        b"c_codecs\nencode\n}(U\x01au.b.",  # changes what it calls
        b"cnumpy\ndtype\n(U\x02f4tR(K\x03U\x01!tb.",
        b"cnumpy\ndtype\n(K\x01tR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(tR(K\x01K\x02K\x03tb.",
        b"cnumpy.core.multiarray\nscalar\n(K\x01K\x02tR.",
        b"cos\nsystem\n(S'true'\ntR.",
        b"P1\n.",
        b"]r\xff\xff\xff\x7f.",  # keeps a value under a large number
        b"\x96\xff\xff\xff\x7f\x00\x00\x00\x00x.",  # an array of bytes that are not there
        b"(lp0\n0(ios\nsystem\n.",
        b"\x82\x01.",
        b"",
        b".",
    ],
)
def test_no_code_of_a_pickle_gets_through(code):
    refused(lambda: list(read_pyskl(code, "x.pkl")), "not read as a pickle of annotations")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frame_dir": 3}, "annotation 1: no frame_dir"),
        ({"label": -1}, "annotation 1: no frame_dir"),
        ({"label": None}, "annotation 1: no frame_dir"),
        ({"keypoint": None}, "annotation 1, S001A002: no keypoint .*those of Kinetics"),
        ({"keypoint": KEYPOINT[0]}, "no keypoint"),
        ({"keypoint_score": CLIP}, r"keypoint_score is \(2, 5, 4, 3\), expected \(2, 5, 4\)"),
    ],
)
def test_what_is_no_annotation_is_refused(changes, message):
    content = pickle.dumps(ANNOTATIONS | {"annotations": [ANNOTATION | changes]})
    refused(lambda: list(read_pyskl(content, "x.pkl")), message)
    refused(lambda: list(read_pyskl(pickle.dumps({"annotations": 3}), "x.pkl")), "no list of anno")


# --- all ---


def test_a_suffix_says_what_a_file_is():
    found = read_clip(BVH.encode(), "x.BVH", LIMITS)
    np.testing.assert_array_equal(found, read_bvh(BVH, "x", LIMITS))
    np.testing.assert_array_equal(read_clip(npz(clip=CLIP), "x.npz", LIMITS), CLIP)
    file = io.BytesIO()
    np.save(file, CLIP)
    np.testing.assert_array_equal(read_clip(file.getvalue(), "x.npy", LIMITS), CLIP)
    content = mediapipe([{"landmarks": [landmarks(1)]}])
    assert read_clip(content, "x.json", LIMITS).shape == (1, 1, 33, 4)
    refused(lambda: read_clip(b"", "x.skeleton", LIMITS), "ends after line 0")
    refused(lambda: read_clip(b"", "x.mat", LIMITS), "not a MATLAB level-5 file")
    refused(lambda: read_clip(b"", "x.mp4", LIMITS), r"suffix '\.mp4', expected one of \.skeleton")
