"""A second method, whose figures stand beside the chosen one's: stages once more, by that method.

Clips' features, texts and evidence are shared. What the second method makes lies where its own run
would put it.
"""

from kedro.pipeline import Pipeline

from msf_kedro.zero_shot.splits import PHASES

# Parameter of the chosen method → of the second one.
CHOSEN = {"params:method": "params:beside", "params:method_config": "params:beside_config"}
# What a stage reads of its own method.
OWN = {"candidates", "predictions", *(f"{phase}_unseen_probs" for phase in PHASES)}


def put_beside(template: Pipeline) -> Pipeline:
    """The nodes of the chosen method, and in the namespace `beside` those of the second one."""
    read = template.inputs()
    parameters = {name for name in read if name.startswith("params:")}
    second = Pipeline(
        template,
        namespace="beside",
        inputs=read - parameters - OWN,
        parameters={name: CHOSEN.get(name, name) for name in parameters},
    )
    return template + second
