"""The project's context: what an environment's configuration as a whole decides.

In the context's class and not in hooks, as Kedro-Viz calls no hooks.
"""

from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from omegaconf import OmegaConf

from msf_kedro.pipelines import benchmark
from msf_kedro.reports.benchmark import BenchmarkConfig
from msf_kedro.zero_shot.splits import parse_numbers


class StudyContext(KedroContext):
    """Kedro's context of one study.

    The parameters of the chosen variant are laid over the environment's, and those of the command
    line over both. The benchmark's pipeline is made from the study's class splits, methods, texts
    and encoders. Seeds may be given as ranges, `0-9`.

    Raises:
        ValueError: there is no such variant, it sets unknown parameters, or the parameters of the
            benchmark cannot be.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        parameters = self._with_variant(dict(self.config_loader["parameters"]))
        if not isinstance(parameters["seeds"], list):  # the command line cannot give a list
            parameters["seeds"] = parse_numbers(parameters["seeds"], "seeds")
        self.config_loader["parameters"] = parameters
        config = BenchmarkConfig(**parameters["benchmark"])
        pipelines["benchmark"] = benchmark.create_pipeline(config, list(parameters["splits"]))

    def _with_variant(self, parameters: dict[str, Any]) -> dict[str, Any]:
        variants, chosen = parameters.pop("variants"), parameters["variant"]
        if chosen not in variants:
            raise ValueError(f"unknown variant {chosen!r}; known variants: {', '.join(variants)}")
        given = {  # what else the command line says is for the catalog
            key: value for key, value in (self._runtime_params or {}).items() if key in parameters
        }
        merged = OmegaConf.merge(parameters, variants[chosen] or {}, given)
        unknown = sorted(set(merged) - set(parameters))
        if unknown:
            raise ValueError(f"variant {chosen!r} sets unknown parameters {unknown}")
        return OmegaConf.to_container(merged)
