"""The registry and the command line."""

import warnings
from collections import Counter

import pytest
from click.testing import CliRunner
from kedro.framework.cli.cli import KedroCLI
from kedro.framework.project import pipelines
from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node
from support.sessions import ROOT, artifacts, context, read

from msf_kedro.pipeline_registry import register_pipelines
from msf_kedro.runner.artifacts import artifact_of, scratch_of
from msf_kedro.zero_shot.splits import PHASES

STAGES = [
    *("skeletons", "splits", "semantics", "features", "alignment", "gate", "evaluation", "report")
]
CLIPS = {"raw_clips", "clip_chunks", "missing_lists", "clip_table"}
RAW = {*CLIPS, "class_texts", "text_files", "published_figures"}
JOBS = [
    "zssar",
    "gzssar",
    "gzssar_released",
    "released_shift_gcn",
    "bundle",
    "recognition",
    "benchmark",
    "tables",
]
PIPELINES = register_pipelines()


def names(pipeline: Pipeline) -> set[str]:
    return {node.name for node in pipeline.nodes}


def data(datasets: set[str]) -> set[str]:
    """Without parameters, the scratch of trainings, and records of what is there under a name."""
    other = ("training_state", "made_with")
    return {n for n in datasets if not n.startswith("params:") and not n.endswith(other)}


def test_every_stage_and_job_has_its_name():
    assert list(PIPELINES) == [*STAGES, "released", *JOBS, "__default__"]
    assert names(PIPELINES["gzssar"]) == set().union(*(names(PIPELINES[s]) for s in STAGES))
    assert PIPELINES["__default__"] == PIPELINES["gzssar"]


def test_zssar_is_what_needs_no_gate():
    zssar, gzssar = names(PIPELINES["zssar"]), names(PIPELINES["gzssar"])
    figures = {"evaluation.evaluate_zssar", "beside.evaluation.evaluate_zssar"}
    later = names(PIPELINES["evaluation"]) - figures
    gated = names(PIPELINES["gate"]) | later | names(PIPELINES["report"])
    assert zssar == gzssar - gated | {"evaluation.show_zssar"}
    assert "zssar_results" in PIPELINES["zssar"].all_outputs()


def test_released_features_stand_in_for_clips_and_networks():
    """The rest is the very same: what `released` writes is what these stages write."""
    job, replaced = PIPELINES["gzssar_released"], ("skeletons", "splits", "features")
    kept = [names(PIPELINES[stage]) for stage in STAGES if stage not in replaced]
    assert names(job) == set().union(names(PIPELINES["released"]), *kept)
    assert data(job.inputs()) == RAW - CLIPS | {"released_features"}
    made = set().union(*(PIPELINES[stage].all_outputs() for stage in replaced))
    assert PIPELINES["released"].all_outputs() <= made


def test_registering_warns_of_nothing(monkeypatch):
    """Kedro warns of dots in dataset names, but once a process: let it warn again.

    Those of a stage's inner namespaces are meant.
    """
    monkeypatch.setattr(Node, "__dotted_dataset_name_warned__", False, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for pipeline in register_pipelines().values():
            assert pipeline.nodes is not None  # each is made when it is used
        monkeypatch.setattr(Node, "__dotted_dataset_name_warned__", False)
        with pytest.raises(UserWarning, match=r"contain '\.' characters"):
            node(len, "with.dot", "length")


@pytest.mark.parametrize("name", PIPELINES)
def test_node_names_are_unique(name):
    context("utd_mhad")  # the benchmark's nodes are the study's
    counts = Counter(node.name for node in pipelines[name].nodes)
    assert max(counts.values()) == 1


def test_stages_follow_one_another():
    """A stage needs raw input or what earlier stages made, so that the order is the DAG's."""
    made = set(RAW)
    for stage in STAGES:
        assert data(PIPELINES[stage].inputs()) <= made, stage
        made |= PIPELINES[stage].all_outputs()
    assert data(PIPELINES["gzssar"].inputs()) == RAW
    assert data(PIPELINES["zssar"].inputs()) == RAW - {"published_figures"}


def test_both_phases_have_the_same_nodes():
    inside = {
        phase: {n.replace(phase, "", 1) for n in names(PIPELINES["gzssar"]) if phase in n}
        for phase in PHASES
    }
    assert inside["calibration"] == inside["test"]
    # streams × (train, extract), fuse and join, alignment by two methods, evidence, drawing
    assert len(inside["test"]) == 4 * 2 + 2 + 2 * 5 + 1 + 1


def test_only_training_asks_for_a_gpu():
    tagged = {node.name.rsplit(".")[-1] for node in PIPELINES["gzssar"].nodes if "gpu" in node.tags}
    assert tagged == {
        "train_shift_gcn", "extract_features", "fit_alignment", "fit_unseen_classifier"
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore:Option '--pipeline' is deprecated")
@pytest.mark.parametrize("option", ["--pipeline=gzssar", "--pipelines=gzssar"])
def test_the_command_line_runs_a_pipeline(option, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    params = f"--params=data_root={tmp_path},normalise.window=8"
    command = ["run", option, "--nodes=skeletons.prepare_clips", "--env=test", params]
    result = CliRunner().invoke(KedroCLI(ROOT), command, standalone_mode=False)
    assert result.exit_code == 0, result.output
    folder, found = "02_intermediate/test", artifacts(tmp_path)
    assert set(found) == {f"{folder}/clips.parquet", f"{folder}/skeletons.pt"}
    assert read(*found[f"{folder}/skeletons.pt"])["bodies"].shape[-1] == 8, "--params reach in"


@pytest.mark.parametrize("pipeline", ["gzssar", "benchmark"])
def test_trainings_have_a_state_of_their_own_each(pipeline):
    """It lies beside the network that is trained."""
    cells = {"splits": "split_1", "methods": "msf+ridge", "texts": "LB"}
    catalog = context("test", benchmark=cells).catalog
    nodes = pipelines[pipeline].nodes
    found = {n.name: scratch_of(n, catalog) for n in nodes if "training_state" in n.inputs}
    found = {name: places["training_state"] for name, places in found.items()}
    trainings = [n for n in nodes if n.name.endswith((".train_shift_gcn", ".fit_alignment"))]
    assert found == {
        n.name: artifact_of(catalog, n.outputs[0]).path.parent / "training_state" for n in trainings
    }
    assert len(set(found.values())) == len(trainings) > 0


def test_an_unknown_pipeline_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    command = ["run", "--pipelines=gzsar", "--env=test", f"--params=data_root={tmp_path}"]
    result = CliRunner().invoke(KedroCLI(ROOT), command, standalone_mode=False)
    assert result.exit_code
    assert "gzssar" in str(result.exception), "it suggests a name"


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        (
            "split=48_12",  # digits joined by _ reach the project as one number
            "unknown class split 4812; this study has 55-5, 48-12; digits joined by _ are read as a"
            " number: write 48-12, not 48_12",
        ),
        (
            "method=rigde",
            "unknown method 'rigde'; known are cada_vae, jpose, msf, msf_plus, revise, ridge, ",
        ),
        ("encoder=CLIP", "unknown encoder 'CLIP'; known are MiniLM, ViT-B-32, ViT-B-16"),
        ("texts=LB+XX", "texts is 'LB+XX', expected kinds of LB, AD, MD, verb, noun joined by +"),
        ("texts=7", "texts is '7', expected kinds of LB, AD, MD, verb, noun joined by +"),
        ("variant=mine", "unknown variant 'mine'; known variants: project, large, release, "),
        ("inference=both", "unknown inference 'both'; known are inductive, transductive"),
        ("seeds=many", "seeds: 'many' is no number or range such as 1-60"),
        ("benchmark.methods=msf+rigde", "benchmark.methods: unknown ['rigde']; known are "),
        ("benchmark.encoders=CLIP", "benchmark.encoders: unknown ['CLIP']; known are ['MiniLM', "),
        ("benchmark.texts=LB/LB+XX", "texts is 'LB+XX', expected kinds of LB, AD, MD, verb, "),
        ("benchmark.splits=48_12", "benchmark.splits: unknown ['4812']; known are ['55-5', "),
        ("benchmark.splits=55-5+55-5", "benchmark.splits is ['55-5', '55-5'], expected some, each"),
        ("benchmark.features=frames", "benchmark.features is 'frames', expected ('clips', "),
        ("revise.steps=7", "parameters revise: steps is 7, expected a multiple of checkpoints, 36"),
        ("classes=1-x", "classes: '1-x' is no number or range such as 1-60"),
        ("clips.layout=kinect", "unknown joint layout 'kinect'; known layouts: kinect_v2_25, "),
    ],
    ids=lambda text: text if len(text) < 30 else "",
)
def test_what_cannot_be_is_told_in_a_sentence(params, sentence, tmp_path, monkeypatch):
    """Without a traceback, before anything is computed."""
    monkeypatch.chdir(ROOT)
    job = "benchmark" if "revise" in params else "gzssar"
    given = f"--params={params},data_root={tmp_path}"
    result = CliRunner().invoke(KedroCLI(ROOT), ["run", f"--pipelines={job}", "--env=ntu60", given])
    assert result.exit_code == 1
    last = result.output.splitlines()[-1]
    assert last.startswith(f"Error: {sentence}")
    assert "Traceback" not in result.output
    assert artifacts(tmp_path) == {}
