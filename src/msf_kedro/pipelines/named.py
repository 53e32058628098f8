"""Stages as Kedro-Viz draws them: one box each, and one for the second method."""

from kedro.pipeline import Pipeline

BESIDE = "beside"
# Parameter of the chosen method → of the second one.
CHOSEN = {"params:method": "params:beside", "params:method_config": "params:beside_config"}
# How the names of datasets end that a stage reads of its own method.
OWN = ("candidates", "predictions", "unseen_probs")


def named(stage: str, pipeline: Pipeline) -> Pipeline:
    """Nodes with their stage's name in front, but for those that have it; datasets keep theirs.

    So Kedro-Viz draws a stage as one box, and `kedro run --namespaces=gate` runs one.
    """
    nodes = [node for node in pipeline.nodes if not (node.namespace or "").startswith(stage)]
    mine = Pipeline([node for node in nodes if not (node.namespace or "").startswith(BESIDE)])
    if not mine.nodes:
        return pipeline
    parameters = {name for name in mine.inputs() if name.startswith("params:")}
    boxed = Pipeline(
        mine,
        namespace=stage,
        inputs=mine.inputs() - parameters,
        outputs=mine.outputs(),
        parameters=parameters,
        prefix_datasets_with_namespace=False,
    )
    return boxed + Pipeline([node for node in pipeline.nodes if node not in mine.nodes])


def put_beside(stage: str, template: Pipeline) -> Pipeline:
    """The nodes of the chosen method, and in the namespace `beside` those of the second one.

    Clips' features, texts and evidence are shared. What the second method makes lies where its own
    run would put it.
    """
    boxed = named(stage, template)
    read = boxed.inputs()
    parameters = {name for name in read if name.startswith("params:")}
    second = Pipeline(
        boxed,
        namespace=BESIDE,
        inputs={name for name in read - parameters if not name.endswith(OWN)},
        parameters={name: CHOSEN.get(name, name) for name in parameters},
    )
    return template + second
