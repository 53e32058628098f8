"""`gzssar_released` on a tiny archive: the same tables and figures as from clips, no networks."""

import logging
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.framework.project import pipelines
from support.archives import CALIBRATION, CLASSES, SPLIT, TEST, make_archive, write_archive
from support.sessions import ROOT, Log, artifacts, assert_equal, context, new_files, read, run

from msf_kedro.runner import ChangedOnlyRunner
from msf_kedro.texts.fusion import TEXT_COLUMNS
from msf_kedro.texts.named import NAMED

CELL = "test/split_1/msf/MiniLM/LB+AD+MD"
TEXT_FEATURES = "04_feature/test/MiniLM/text_features.parquet"
TEXT_WIDTH = 5


@pytest.fixture(scope="module")
def conf(tmp_path_factory) -> Path:
    """The test study with the archive's classes and split."""
    conf = tmp_path_factory.mktemp("conf")
    for env in ("base", "test"):
        shutil.copytree(ROOT / "conf" / env, conf / env)
    split = {"unseen": SPLIT.unseen, "calibration_unseen": SPLIT.calibration_unseen}
    names = {"study": "test", "classes": "1-8", "splits": {"split_1": split}}
    names["class_texts"] = "data/01_raw/class_texts/ntu_120.csv"
    (conf / "test" / "globals.yml").write_text(yaml.safe_dump(names))
    return conf


def write_texts(folder: Path, *kinds: str) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for kind in kinds:
        texts = rng.normal(size=(len(CLASSES), TEXT_WIDTH)).astype(np.float32)
        np.save(folder / f"{kind}_{len(CLASSES)}.npy", texts)
    return folder


@pytest.fixture
def no_encoder(monkeypatch):
    """The run must not need one."""

    def embed(texts, config):
        raise AssertionError(texts)

    monkeypatch.setattr("msf_kedro.pipelines.semantics.nodes.embed", embed)


@pytest.fixture
def params(tmp_path) -> dict[str, str]:
    return {
        "released_features": str(write_archive(tmp_path / "features", make_archive())),
        "text_files": str(write_texts(tmp_path / "texts", "lb", "ad", "md")),
    }


def test_a_whole_run(params, conf, no_encoder, tmp_path):
    data = tmp_path / "data"
    with Log() as log:
        run(data, "gzssar_released", conf=conf, params=params)
    catalog = context("test", data_root=str(data)).catalog
    outputs = pipelines["gzssar_released"].all_outputs()
    expected = {str(catalog.get(n)._filepath.relative_to(data)) for n in outputs}
    found = {name: read(*files) for name, files in artifacts(data).items()}
    assert set(found) == expected

    assert found[TEXT_FEATURES].shape == (3 * len(CLASSES), TEXT_WIDTH + len(NAMED))
    protocols = set(found[f"07_model_output/{CELL}/candidates.parquet"].protocol)
    assert protocols == {"paper"}, "strict needs clips that the archive does not hold"
    predictions = found[f"07_model_output/{CELL}/predictions.parquet"]
    assert sorted(predictions.name.unique()) == [f"gtest_{row:05d}" for row in range(40)]
    assert set(predictions.seen_prediction) <= {1, 3, 4, 6, 7, 8}, "logits of unseen are left out"
    seen = predictions[predictions.side == "seen"]
    assert (seen.seen_prediction == seen.class_id).mean() > 0.9
    metrics = found[f"08_reporting/{CELL}/metrics.json"]
    assert metrics.keys() == {"run", "paper", "beside"}
    assert metrics["paper"]["gzssar"].keys() >= {"acc_seen", "acc_unseen", "harmonic_mean"}

    messages = log.messages()
    (table,) = [text for text in messages if text.startswith("released features")]
    assert f"{TEST}/gtest.npy" in table
    assert any("AD: text features (8, 5) of ad_8.npy" in text for text in messages)
    (warning,) = set(log.messages(logging.WARNING))  # of both methods
    assert "protocol strict is left out" in warning


def test_the_benchmark_starts_from_released_features_too(params, conf, no_encoder, tmp_path):
    """No clips, no networks; what the single job has made is not made again."""
    data = tmp_path / "data"
    run(data, "gzssar_released", conf=conf, params=params)
    before = artifacts(data)
    chosen = {"features": "released", "methods": "msf+ridge", "texts": "LB/LB+AD+MD"}
    given = params | {"benchmark": chosen}
    run(data, "benchmark", conf=conf, params=given, runner=ChangedOnlyRunner())
    new = new_files(data, before)
    assert not set(new) & set(before)
    assert not [name for name in new if re.search(r"shift_gcn|skeletons|clips\.", name)]
    assert len({Path(name).parent for name in new if name.endswith("test/alignment.pt")}) == 3
    table = read(*new["08_reporting/test/benchmark.parquet"])
    assert set(table.protocol) == {"paper"}
    cells = table[["method", "texts"]].drop_duplicates().itertuples(index=False, name=None)
    assert set(cells) == {(m, t) for m in ("msf", "ridge") for t in ("LB", "LB+AD+MD")}
    single = read(*before[f"08_reporting/{CELL}/gzssar_results.parquet"])
    keys = ["protocol", "gate", "seed"]
    mine = table.query("method == 'msf' and texts == 'LB+AD+MD'").set_index(keys)
    assert_equal(mine[single.columns.drop(keys)], single.set_index(keys))


def test_unseen_clips_of_zssar_and_gzssar_may_differ(params, conf, no_encoder, tmp_path):
    archive = make_archive()
    for name in ("ztest", "z_label"):
        archive[f"{TEST}/{name}"] = archive[f"{TEST}/{name}"][1:]
    write_archive(Path(params["released_features"]), archive)
    data = tmp_path / "data"
    with Log() as log:
        run(data, "gzssar_released", conf=conf, params=params)
    assert any("are not the same: 1 are in" in text for text in log.messages(logging.WARNING))
    found = artifacts(data)
    predictions = read(*found[f"07_model_output/{CELL}/predictions.parquet"])
    assert sorted(predictions.name.unique()) == [f"gtest_{row:05d}" for row in range(40)]
    results = read(*found[f"08_reporting/{CELL}/zssar_results.parquet"])
    ninths = results.accuracy * 9  # of ztest's 9 clips
    np.testing.assert_allclose(ninths, ninths.round(), atol=1e-9)


def test_a_missing_class_is_left_out_of_the_phase(params, conf, no_encoder, tmp_path):
    archive = make_archive()
    for group in (("train", "train_label"), ("val", "val_label", "val_out")):
        keep = archive[f"{CALIBRATION}/{group[1]}"] != 7 - 1
        archive |= {f"{CALIBRATION}/{n}": archive[f"{CALIBRATION}/{n}"][keep] for n in group}
    write_archive(Path(params["released_features"]), archive)
    with Log() as log:
        run(tmp_path / "data", "gzssar_released", conf=conf, params=params)
    warnings = [text for text in log.messages(logging.WARNING) if "3 of 4 expected" in text]
    assert len(warnings) == 2


def test_texts_alone_are_embedded(params, conf, tmp_path):
    """One kind from a file, the others from the class text table, by the packaged encoder."""
    folder = tmp_path / "words"
    folder.mkdir()
    rows = [f"{number},text of class {number}" for number in CLASSES]
    (folder / "ad_8.csv").write_text("\n".join(["idx,dcp", *rows]) + "\n")
    data = tmp_path / "data"
    params |= {"text_files": str(folder)}
    run(data, "semantics", conf=conf, params=params)
    table = read(*artifacts(data)[TEXT_FEATURES])
    assert table.index.tolist() == [(kind, number) for kind in TEXT_COLUMNS for number in CLASSES]
    own = tmp_path / "own"
    run(own, "semantics", conf=conf, params={"text_files": ""})
    whole = read(*artifacts(own)[TEXT_FEATURES])
    change = (table - whole.loc[table.index]).abs().max(axis=1).groupby("kind").max()
    assert change["AD"] > 0.01
    # Vectors of length 1 from six layers, embedded in other batches: sums are rounded otherwise.
    assert change.drop("AD").max() < 100 * np.finfo(np.float32).eps


def fails(tmp_path, conf, pipeline: str, message: str, params: dict) -> None:
    with pytest.raises(Exception, match=message):
        run(tmp_path / "data", pipeline, conf=conf, params=params)
    assert artifacts(tmp_path / "data") == {}, "nothing has been computed"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"released_features": "/no/such"}, "(?s)/no/such.*--params=released_features=FOLDER"),
        ({"text_files": "/no/such"}, "(?s)/no/such.*--params=text_files=FOLDER"),
        ({"classes": "1-7"}, r"classes \[8\] are not among the study's classes"),
        ({"classes": "1-130"}, r"no row for classes \[121, .*130\]; add them"),
        ({"classes": "1-6, 8, 10", "text_files": ""}, "numbered from 1 without gaps"),
        ({"split": "split_9"}, "unknown class split 'split_9'"),
        ({"texts": "LB+XX"}, r"texts is 'LB\+XX'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_fails_before_anything_is_computed(
    change, message, params, conf, no_encoder, tmp_path
):
    fails(tmp_path, conf, "gzssar_released", message, params | change)


def test_text_files_that_do_not_do_fail_before_clips_are_read(conf, tmp_path):
    only = write_texts(tmp_path / "only", "lb")
    message = r"LB\+AD\+MD is asked for, but text features hold LB only"
    fails(tmp_path, conf, "gzssar", message, {"text_files": str(only)})
    (only / "lb_8.npy").write_bytes(b"cut off")
    message = f"{only}/lb_8.npy: not a .npy file"
    fails(tmp_path, conf, "gzssar", message, {"text_files": str(only), "texts": "LB"})


def test_a_broken_file_is_named(params, conf, no_encoder, tmp_path):
    file = Path(params["released_features"]) / CALIBRATION / "val.npy"
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(ValueError, match=f"{file}: an array .* makes a file of 512 bytes, but"):
        run(tmp_path / "data", "gzssar_released", conf=conf, params=params)
    assert not [name for name in artifacts(tmp_path / "data") if "roles" in name]


def test_released_tables_have_the_form_of_the_projects_own(params, conf, finished, tmp_path):
    """Index and columns, but for how many features, classes and clips there are.

    There are no kinematics, since there are no skeletons.
    """

    def form(table: pd.DataFrame) -> tuple:
        table = table.drop(columns=table.filter(regex=r"^k\d+$"))
        columns = {re.sub(r"\d+", "", str(column)): table[column].dtype for column in table}
        return columns, table.columns.inferred_type, table.columns.name, table.index.names

    data = tmp_path / "data"
    run(data, "released", conf=conf, params=params)
    released, own = artifacts(data), artifacts(finished[0])
    assert len(released) == 6
    for name, (file,) in released.items():
        assert form(read(file)) == form(pd.read_parquet(own[name][0])), name
