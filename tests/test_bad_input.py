"""Bad input through the whole project: set aside with a reason, or an error before any training."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from support.sessions import ROOT, Log, artifacts, assert_equal, link_copy, new_files, read, run

from msf_kedro.sample import clip_names, generate_clip, write_skeleton

ACTIONS = (1, 7, 8, 10, 23, 24, 26, 51, 80, 99)
CLIPS = "02_intermediate/test/clips.parquet"


@pytest.fixture(scope="module")
def skeleton_files(tmp_path_factory) -> Path:
    """The test study's 80 clips as `.skeleton` files."""
    folder = tmp_path_factory.mktemp("skeletons")
    for name in clip_names(performers=4, repetitions=2, actions=ACTIONS):
        performer, repetition, action = (int(name[place : place + 3]) for place in (9, 13, 17))
        clip = generate_clip(action, performer, repetition, seed=0)
        (folder / f"{name}.skeleton").write_text(write_skeleton(clip))
    return folder


def own_conf(folder: Path) -> Path:
    """A configuration whose test study reads the `.skeleton` files of `--params=raw_clips`."""
    conf = folder / "conf"
    for env in ("base", "test"):
        shutil.copytree(ROOT / "conf" / env, conf / env)
    raw = {
        "type": "msf_kedro.datasets.ClipFolderDataset",
        "path": "${runtime_params:raw_clips}",
        "dataset": "msf_kedro.datasets.NtuClipDataset",
        "filename_suffix": ".skeleton",
    }
    (conf / "test" / "catalog.yml").write_text(yaml.safe_dump({"raw_clips": raw}))
    return conf


@pytest.fixture
def conf(tmp_path) -> Path:
    return own_conf(tmp_path)


@pytest.fixture(autouse=True)
def quick_texts(monkeypatch):
    """An encoder that costs nothing: what is tested comes before or after it."""

    def embed(texts, config):
        return np.random.default_rng(0).normal(size=(len(texts), 8)).astype(np.float32)

    monkeypatch.setattr("msf_kedro.texts.encoders._embed_sentences", embed)


def add_bad_clips(folder: Path) -> dict[str, str]:
    """Add bad clips; returns a part of the reason that each should get."""
    good = (folder / "S001C001P001R001A001.skeleton").read_text()
    first_joint = good.splitlines()[4]
    inf = good.replace(first_joint, "inf " + first_joint.split(" ", 1)[1], 1)
    bad = {
        "S002C001P001R001A001": ("not a skeleton file\n", "expected the frame count"),
        "S002C001P002R001A007": (good[: len(good) // 2], "S002C001P002R001A007.skeleton: "),
        "S002C001P003R001A008": ("2\n0\n0\n", "no body in any frame"),
        "S002C001P004R001A010": (inf, "frame 1 holds a coordinate that is not finite"),
        "S002C001P004R001A023": (good.replace("\n25\n", "\n20\n"), "20 joints, expected 25"),
        "holiday": (good, "the name does not match clips.name_pattern"),
    }
    for name, (text, _) in bad.items():
        (folder / f"{name}.skeleton").write_text(text)
    (folder / "S002C001P001R001A060.skeleton").write_text("of another class, never read")
    return {name: reason for name, (_, reason) in bad.items()}


def test_bad_files_are_set_aside_with_reasons_and_the_run_goes_on(skeleton_files, conf, tmp_path):
    """The rest of the run cannot tell: files and sample give the same bodies and roles."""
    raw = link_copy(skeleton_files, tmp_path / "raw")
    reasons = add_bad_clips(raw)
    params = {"raw_clips": str(raw), "clips": {"max_rejected": 0.1}}
    with Log() as log:
        run(tmp_path / "data", "skeletons", "splits", conf=conf, params=params)
    table = read(*artifacts(tmp_path / "data")[CLIPS]).set_index("name")
    assert len(table) == len(list(raw.iterdir())) == 80 + 6 + 1
    for name, reason in reasons.items():
        assert reason in table.reason[name], name
        assert any(f"clip {name} is set aside: " in text for text in log.messages())
    other = table.loc["S002C001P001R001A060"]
    assert (other.kept, other.reason) == (False, "not a class of this study")
    assert set(table.index[~table.kept]) == {*reasons, other.name}

    run(tmp_path / "sample", "skeletons", "splits")
    from_files, from_memory = (artifacts(tmp_path / root) for root in ("data", "sample"))
    assert set(from_files) == set(from_memory)
    for name in set(from_files) - {CLIPS}:
        assert_equal(read(*from_files[name]), read(*from_memory[name]), name)


def test_listed_clips_are_left_out(skeleton_files, conf, tmp_path):
    """Also where the list is right: the file holds no body, and would count as bad."""
    raw = link_copy(skeleton_files, tmp_path / "raw")
    (raw / "S002C001P001R001A001.skeleton").write_text("2\n0\n0\n")
    listed = ["S002C001P001R001A001", "S001C001P001R001A001", "S017C003P001R001A001"]
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "60.txt").write_text("\n".join(["Missing skeletons:", "", *listed]))
    params = {"raw_clips": str(raw), "clips": {"max_rejected": 0.0}}
    params |= {"missing_lists": str(tmp_path / "lists")}
    with Log() as log:
        run(tmp_path / "data", "skeletons", conf=conf, params=params)
    table = read(*artifacts(tmp_path / "data")[CLIPS]).set_index("name")
    assert table.reason.dropna().to_dict() == dict.fromkeys(
        sorted(listed[:2]), "listed as without skeleton"
    )
    message = "2 of the 3 clips listed as without skeleton are among the raw clips"
    assert message in log.messages()


def test_what_was_prepared_before_a_failure_is_used_by_the_next_run(skeleton_files, conf, tmp_path):
    raw = link_copy(skeleton_files, tmp_path / "raw")
    add_bad_clips(raw)
    with pytest.raises(Exception, match="cannot be used"):
        run(tmp_path / "data", "skeletons", conf=conf, params={"raw_clips": str(raw)})
    assert list((tmp_path / "data" / "02_intermediate" / "test" / "clip_chunks").iterdir())
    params = {"raw_clips": str(raw), "clips": {"max_rejected": 0.1}}
    with Log() as log:
        run(tmp_path / "data", "skeletons", conf=conf, params=params)
    assert "1 of 1 chunks of the clips are already prepared" in log.messages()
    assert {Path(name).name for name in artifacts(tmp_path / "data")} == {
        "clips.parquet", "skeletons.pt", "kinematics.parquet"
    }  # fmt: skip


def fails(tmp_path, conf, message: str, **params) -> None:
    """A whole run ends with this message, and no Shift-GCN has been trained."""
    with pytest.raises(Exception, match=message):
        run(tmp_path / "data", "gzssar", conf=conf, params=params)
    assert not [name for name in artifacts(tmp_path / "data") if "shift_gcn" in name]


def test_too_many_bad_clips(skeleton_files, conf, tmp_path):
    raw = link_copy(skeleton_files, tmp_path / "raw")
    add_bad_clips(raw)
    message = r"6 of 86 clips cannot be used \(7\.0%\), accepted are 5\.0% \(clips\.max_rejected\)"
    fails(tmp_path, conf, message, raw_clips=str(raw))


@pytest.mark.parametrize(("make", "message"), [(False, "no such folder"), (True, "no .*skeleton")])
def test_no_raw_clips(make, message, conf, tmp_path):
    raw = tmp_path / "nowhere"
    if make:
        raw.mkdir()
    message = f"{raw} .*docs/data.md.*--params=raw_clips=FOLDER.*{message}"
    fails(tmp_path, conf, message, raw_clips=str(raw))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"lists of clips without skeleton are expected in .*list\.txt: there is no such"),
        ("S1C2\nA001\n", r"list\.txt: none of its 2 lines is a clip name"),
    ],
)
def test_a_list_without_a_clip(text, message, conf, tmp_path):
    if text:
        (tmp_path / "list.txt").write_text(text)
    fails(tmp_path, sample_conf(conf), message, missing_lists=str(tmp_path / "list.txt"))


def sample_conf(conf: Path) -> Path:
    """The copied configuration, with the test study's own clips again."""
    shutil.copy(ROOT / "conf" / "test" / "catalog.yml", conf / "test" / "catalog.yml")
    return conf


def split(unseen: list, calibration: list) -> dict:
    return {"splits": {"split_1": {"unseen": unseen, "calibration_unseen": calibration}}}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (split([7, 80], [7, 23]), r"classes \[7\] are both unseen and calibration_unseen"),
        (split([7, 7], [8, 23]), r"unseen names a class twice: \[7, 7\]"),
        (split([7, 5], [8, 23]), r"classes \[5\] are not among the study's classes"),
        (split([], [8, 23]), r"unseen is \[\], expected at least two classes"),
        (split([7, 80], [8, 23, 1, 10, 24, 26, 51]), "fewer than two of 10 classes are left"),
        ({"split": "split_9"}, r"unknown class split 'split_9'; this study has split_1, split_2"),
        ({"classes": "1, 7, 8, 10, 23-24, 26, 51, 60, 80, 99"}, "class 60 has no train clip"),
        ({"classes": "1-x"}, "'1-x' is no number or range"),
        ({"texts": "LB+XX"}, r"texts is 'LB\+XX', expected kinds of LB, AD, MD"),
        ({"parts": {"train": "performer <= 4"}}, "has no test clip"),
        (
            {"parts": {"train": "subject <= 2"}},
            r"parts.train: 'subject <= 2': there is no column subject; columns: name, setup",
        ),
        ({"parts": {"test_held_out": "performer == 4"}}, "test_held_out selects no training clip"),
        ({"clips": {"layout": "kinect_v3"}}, "unknown joint layout 'kinect_v3'"),
        ({"clips": {"layout": "kinect_v1_20"}}, "25 joints, the layout has 20"),
        ({"clips": {"name_pattern": "A(.*)"}}, "has no group 'action'"),
        ({"parts": {"train": "@pd.io.common.os.system('touch x') == 0"}}, "invalid syntax"),
        ({"parts": {"train": "__import__('os').getpid() == 0"}}, r"parts\.train: .* is no column"),
        ({"classes": "1-999999999"}, "classes: '1-999999999' is more than 10,000 numbers"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_splits_and_parameters_that_do_not_fit(params, message, conf, tmp_path):
    fails(tmp_path, sample_conf(conf), message, **params)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"learning_rate": 0.1}, r"unknown parameters \['learning_rate'\] in environment 'test'"),
        ({"data_rot": "x"}, r"unknown parameters \['data_rot'\].*known are .*data_root"),
        ({"gate": {"fold": 3}}, r"unknown parameters \['gate\.fold'\]"),
        (
            {"shift_gcn_training": {"epochs": "many"}},
            "^shift_gcn_training.epochs is 'many', expected a whole number",
        ),
        ({"parts": {"trian": "x"}}, r"'parts': .*unexpected keyword argument.*trian"),
        (
            {"gate": {"kind": "oracle"}},
            r"'gate': .*\nkind\n +Input should be 'threshold', 'logistic', 'evidence' or 'conform",
        ),
        ({"normalise": {"window": 0}}, r"normalise\.window is 0, expected 2 to 3000 frames"),
        ({"msf": {"steps": 0}}, r"^parameters msf: steps: Input should be greater than 0, not 0$"),
        ({"method": "ridge", "ridge": {"temperatures": []}}, r"ridge: temperatures: .*at least 1"),
        ({"streams": {"joint": -1.0}}, r"'streams': .*\njoint\n +Input should be greater than or"),
        (
            {"encoders": {"MiniLM": {"library": "gensim"}}},
            r"^encoders\.MiniLM: library: Input should be 'open_clip' or 'sentence_transformers'",
        ),
        ({"encoder": "CLIP"}, "^unknown encoder 'CLIP'; known are MiniLM, ViT-B-32, ViT-B-16$"),
        ({"method": "rigde"}, "^unknown method 'rigde'; known are .*msf.*ridge"),
        ({"beside": "rigde"}, "^unknown beside 'rigde'; known are .*msf.*ridge.*, none$"),
        ({"beside": None}, "^beside is 'None', expected a text"),
        ({"normalise": {"window": 10**9}}, r"normalise\.window is 1000000000, expected 2 to 3000"),
        ({"normalise": {"window": "abc"}}, r"^normalise\.window is 'abc', expected a whole number"),
        ({"clips": {"max_frames": 0}}, r"clips\.max_frames is 0, expected 1 or more"),
        (
            {"clips": {"max_rejected": float("nan")}},
            r"^clips\.max_rejected is 'nan', expected a num",
        ),
        ({"msf": "abc"}, "^msf is 'abc', expected a group of "),
        ({"encoder": None}, "^encoder is 'None', expected a text"),
        ({"splits": {"split_1": 3}}, "^splits(.split_1)? is .*3.*, expected "),
        ({"seed": -1}, r"^seed is \[-1\], expected whole numbers from 0 to 2"),
        ({"seeds": [0, -1]}, r"^seeds is \[0, -1\], expected whole numbers from 0"),
        ({"seeds": [0, 0]}, r"^seeds is \[0, 0\], expected whole numbers .* each once"),
        ({"seeds": "0-999999999"}, "^seeds: '0-999999999' is more than 10,000 numbers"),
        ({"device": "meta"}, "^device 'meta' is of no use here; use auto, cpu"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_unknown_or_impossible_parameters_fail_before_any_node(params, message, conf, tmp_path):
    fails(tmp_path, sample_conf(conf), f"(?s){message}", **params)
    assert artifacts(tmp_path / "data") == {}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t[t.class_id != 80], r"class texts: no row for classes \[80\]; add them"),
        (
            lambda t: t.assign(label=t.label.where(t.class_id != 80)),
            r"texts\.csv: column label is empty .*\[80\]",
        ),
        (lambda t: t.drop(columns="verb"), r"texts\.csv: columns \['verb'\] are missing"),
        (
            lambda t: pd.concat([t, t[t.class_id == 7]]),
            r"texts\.csv: class_id \[7\] comes more than once",
        ),
    ],
    ids=["no row", "no label", "no column", "twice"],
)
def test_classes_without_texts(spoil, message, conf, tmp_path):
    table = pd.read_csv(ROOT / "data/01_raw/class_texts/ntu_120.csv")
    spoil(table).to_csv(tmp_path / "texts.csv", index=False)
    names = yaml.safe_load((sample_conf(conf) / "test" / "globals.yml").read_text())
    names["class_texts"] = str(tmp_path / "texts.csv")
    (conf / "test" / "globals.yml").write_text(yaml.safe_dump(names))
    fails(tmp_path, conf, message)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"study": "../evil"}, "^study is '../evil', expected a name"),
        ({"study": "/tmp/evil"}, "^study is '/tmp/evil', expected a name"),
        ({"study": ".."}, "^study is '..', expected a name"),
        ({"study": ""}, "^study is '', expected a name"),
        ({"study": "a" * 300}, "^study is 'aaa.*, expected a name"),
        ({"split": "../../x"}, "^unknown class split '../../x'"),
        (
            {"splits": {"../x": {"unseen": [7, 80], "calibration_unseen": [8, 23]}}},
            "^unknown param",
        ),
        ({"encoders": {"../x": {}}, "encoder": "../x"}, "^encoders is '../x', expected a name"),
        ({"encoder": "../x"}, "^unknown encoder '../x'"),
        ({"method": "../x"}, "^unknown method '../x'"),
        ({"beside": "../x"}, "^unknown beside '../x'"),
        ({"texts": "../x"}, "^texts is '../x', expected kinds"),
        ({"method_texts": {"revise": "../x"}}, "^texts is '../x', expected kinds"),
        ({"checkpoint_stream": "../x"}, "^checkpoint_stream is '../x', expected a name"),
        ({"benchmark": {"texts": ["../x"]}}, "^texts is '../x', expected kinds"),
        ({"benchmark": {"splits": ["../x"]}}, r"^benchmark\.splits: unknown \['../x'\]"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_no_name_leads_out_of_the_data_root(params, message, conf, tmp_path):
    before = set(tmp_path.rglob("*"))
    with pytest.raises(Exception, match=message):
        run(tmp_path / "data", "gzssar", conf=sample_conf(conf), params=params)
    assert set(tmp_path.rglob("*")) == before


def test_hostile_clips_are_set_aside_too(skeleton_files, conf, tmp_path):
    """Pipes, names of huge numbers, and what announces more than accepted."""
    raw = link_copy(skeleton_files, tmp_path / "raw")
    os.mkfifo(raw / "S002C001P001R001A001.skeleton")
    (raw / "S002C001P002R001A007.skeleton").write_text("300000\n" + "0\n" * 300_000)
    (raw / "S002C001P003R001A008.skeleton").write_bytes(bytes(40_000_000))
    params = {"raw_clips": str(raw), "clips": {"max_rejected": 0.1}}
    run(tmp_path / "data", "skeletons", conf=conf, params=params)
    table = read(*artifacts(tmp_path / "data")[CLIPS]).set_index("name")
    assert table.reason.dropna().to_dict() == {
        "S002C001P001R001A001": f"unreadable: {raw}/S002C001P001R001A001.skeleton: a pipe or a"
        " device, expected a file",
        "S002C001P002R001A007": "unreadable: S002C001P002R001A007.skeleton: 300,000 frames,"
        " accepted are at most 10,000; if the file is right, raise clips.max_frames",
        "S002C001P003R001A008": f"unreadable: {raw}/S002C001P003R001A008.skeleton: 40,000,000"
        " bytes, accepted are at most 32,000,000 (clips.max_bytes)",
    }


# --- clips that come and go between stages ---

GONE = ("S001C001P001R001A001", "S001C001P003R001A007")  # a training clip, and a test clip
COME = ("S001C001P001R003A001", "S001C001P003R003A007")


@pytest.fixture(scope="module")
def changed(finished, skeleton_files, tmp_path_factory) -> Path:
    """A whole run, then skeletons and splits again of other clips: as many, of the same classes."""
    folder = tmp_path_factory.mktemp("changed")
    raw, root = link_copy(skeleton_files, folder / "raw"), link_copy(finished[0], folder / "data")
    for gone, come in zip(GONE, COME, strict=True):
        (raw / f"{gone}.skeleton").rename(raw / f"{come}.skeleton")
    run(root, "skeletons", "splits", conf=own_conf(folder), params={"raw_clips": str(raw)})
    for record in root.rglob("*.record.json"):  # they would tell before any table is looked at
        record.unlink()
    return root


@pytest.mark.parametrize("method", ["msf", "ridge"])
def test_features_of_other_clips_are_not_aligned(method, changed, tmp_path):
    """They would be trained on with other clips' labels."""
    root = link_copy(changed, tmp_path / "data")
    before = artifacts(root)
    message = (
        f"^features and roles are not of the same clips: 2 clips are in features only, such as"
        f" {GONE[0]}, {GONE[1]}; 2 clips are in roles only, such as {COME[0]}, {COME[1]}; rerun"
    )
    with pytest.raises(ValueError, match=message):
        run(root, "alignment", params={"method": method})
    assert new_files(root, before) == {}


@pytest.mark.parametrize(
    ("stage", "selection", "message"),
    [
        ("features", {"node_names": ["features.calibration.joint.extract_features"]}, None),
        (
            "alignment",
            {"node_names": ["alignment.test.score"]},
            "features: no row for 1 of 16 clips, ",
        ),
        (
            "alignment",
            {"node_names": ["alignment.score_test_unseen"]},
            "features: no row for 1 of ",
        ),
        ("gate", {}, "features and roles are not of the same clips: 2 clips are in features "),
        ("gate", {"node_names": ["gate.apply_gates"]}, "seen logits: no row for 1 of 40 clips, "),
        (
            "zssar",
            {"node_names": ["evaluation.evaluate_zssar"]},
            "probabilities of .*: no row for 1 of 8 clips",
        ),
    ],
)
def test_no_later_stage_takes_them_either(stage, selection, message, changed, tmp_path):
    """Each says which clip it lacks. Networks take clips of today."""
    root = link_copy(changed, tmp_path / "data")
    if message is None:
        run(root, stage, **selection)
        message = "bone features and joint features are not of the same clips: 2 clips are in bone"
        stage, selection = "features", {"node_names": ["features.calibration.fuse_streams"]}
    with pytest.raises(ValueError, match=message) as raised:
        run(root, stage, **selection)
    assert COME[1] in str(raised.value)
