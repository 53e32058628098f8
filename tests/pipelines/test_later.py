"""Pipelines that are made when they are used."""

import subprocess
import sys

from kedro.pipeline import Pipeline, node

from msf_kedro.pipelines.later import Later


def test_it_is_made_once_when_it_is_used_and_is_as_any_other():
    made = []

    def make() -> Pipeline:
        made.append(1)
        return Pipeline([node(len, "words", "length", name="count")])

    later = Later(make)
    assert not made
    assert [n.name for n in later.nodes] == ["count"]
    assert later.inputs() == {"words"}
    assert (later + Pipeline([])).outputs() == {"length"}
    assert made == [1]
    assert not hasattr(later, "no_such_thing")


def test_pipelines_are_registered_without_what_their_nodes_need():
    code = (
        "import sys; from msf_kedro.pipeline_registry import register_pipelines;"
        " register_pipelines(); import msf_kedro.settings;"
        " assert not {'torch', 'pandas', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
