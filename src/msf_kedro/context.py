"""The project's context: what an environment's configuration as a whole decides.

In the context's class and not in hooks, as Kedro-Viz calls no hooks. Every command of `kedro`
imports this file, and few have a context: what is slow to import is imported where it is used.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any

from click import ClickException
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.pipeline import Pipeline
from omegaconf import OmegaConf

from msf_kedro.configuration import check_name, check_seeds, misfits
from msf_kedro.pipeline_registry import register_pipelines
from msf_kedro.pipelines.later import Later
from msf_kedro.runner.uncollected import uncollected

# What base cannot give: the file of an environment that gives it, and an example.
OWN = {
    "study": ("globals", "study: mine"),
    "classes": ("globals", "classes: 1-8"),
    "splits": ("globals", "splits: {split_1: {unseen: [2, 8], calibration_unseen: [1, 4]}}"),
    "class_texts": ("globals", "class_texts: data/01_raw/class_texts/mine.csv"),
    "parts": (
        "parameters",
        "parts: {train: subject <= 3, calibration_held_out: subject == 3,"
        " test_held_out: subject == 3 and take == 2}",
    ),
    "raw_clips": (
        "catalog",
        "raw_clips: {type: msf_kedro.datasets.ClipFolderDataset, path: data/01_raw/mine,"
        " dataset: msf_kedro.datasets.NpyClipDataset, filename_suffix: .npy}",
    ),
}
# Names that only the catalog reads, from --params.
LOCATIONS = {
    "checkpoint",
    "classes_to_recognise",
    "clip_table",
    "clips_to_recognise",
    "data_root",
    "missing_lists",
    "raw_clips",
    "released_features",
    "text_files",
}
# Their keys are names of the user's own.
MAPPINGS = {"encoders", "layouts", "variants"}
CELL = ("split", "method", "encoder", "texts")


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """Turn a ValueError into what `kedro` shows as one sentence, without a traceback."""
    try:
        yield
    except ValueError as error:
        raise ClickException(str(error)) from error


class StudyContext(KedroContext):
    """Kedro's context of one study.

    The parameters of the chosen variant are laid over the environment's, and those of the command
    line over both. The benchmark's pipeline is made from the study's class splits, methods, texts
    and encoders. Seeds may be given as ranges, `0-9`.

    Raises:
        ClickException: the environment has no study, a parameter is unknown, or there is no such
            variant, split, method, encoder or text kind, also of the benchmark. `kedro` shows it as
            one sentence.
    """

    @uncollected()
    @in_a_sentence()
    def __init__(self, *args: Any, **kwargs: Any):
        from msf_kedro.texts.encoders import get_encoder
        from msf_kedro.texts.fusion import parse_texts
        from msf_kedro.zero_shot.inference import check_inference
        from msf_kedro.zero_shot.splits import parse_numbers

        super().__init__(*args, **kwargs)
        self.environment = self.env or self.config_loader.default_run_env
        self._check_names()
        parameters = self._with_variant(dict(self.config_loader["parameters"]))
        with self._noted():
            if not isinstance(parameters["seeds"], list):  # the command line cannot give a list
                parameters["seeds"] = parse_numbers(parameters["seeds"], "seeds")
            check_seeds(parameters["seeds"], "seeds")
        with self._noted():
            check_seeds([parameters["seed"]], "seed")
        # Without those that the environment lacks, so that only who reads them misses them.
        parameters = {key: value for key, value in parameters.items() if value is not None}
        self.config_loader["parameters"] = parameters
        if self.environment == self.config_loader.base_env:
            raise ClickException("base holds what environments share: choose one, --env=sample")
        self.config_loader["catalog"] = self._catalog_entries(parameters)
        with self._noted():
            self.require({"study"})
        splits = parameters.get("splits", {})
        with self._noted():
            self._check_folders(parameters)
        with self._noted():
            self._check_split(splits, parameters.get("split"))
        with self._noted():
            parameters["method_config"] = self._method_config(parameters, "method")
        with self._noted():
            self._put_beside(parameters)
        with self._noted():
            get_encoder(parameters["encoders"], parameters["encoder"])
        with self._noted():
            parse_texts(str(parameters["texts"]))
        with self._noted():
            check_inference(parameters["inference"])
        with self._noted():
            self._register_benchmark(parameters, list(splits))

    def wrong(self, sentence: str, parameter: str = "") -> None:
        """Called with what is wrong; here the first ends it.

        Args:
            parameter: name of one whose value cannot be used at all.
        """
        raise ClickException(sentence)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Hand on what a check finds wrong."""
        try:
            yield
        except (ValueError, ClickException) as error:
            self.wrong(error.message if isinstance(error, ClickException) else str(error))

    @staticmethod
    def _register_benchmark(parameters: dict[str, Any], splits: list[str]) -> None:
        """Have the benchmark's pipeline made of the study's cells when it is asked for.

        Here, as the function that registers pipelines is told nothing of the environment and is
        called once a process, and `kedro run` and Kedro-Viz take pipelines from nowhere else. It
        has thousands of nodes, and most commands do without.
        """
        from msf_kedro.reports.benchmark import BenchmarkConfig, cells

        config = BenchmarkConfig(**parameters["benchmark"])
        known = splits, list(parameters["encoders"]), parameters["method_texts"]
        compared = cells(config, *known) if splits else []
        pipelines["benchmark"] = Later(partial(_benchmark, compared, config.features))

    def _catalog_entries(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The catalog of the single jobs, and for the benchmark that of any split and cell.

        Paths hold `{split}`, `{method}`, `{encoder}` and `{texts}`. For the single jobs they are
        filled in; the benchmark's `split_2.test_roles` and `split_2.ridge.MiniLM.MD.metrics` are
        the files of the single jobs' `test_roles` and `metrics` for this split, method, encoder
        and texts: they share artifacts. So are `beside.metrics` those of the second method.
        """
        entries = {}
        second = parameters | {"method": parameters["beside"]} if _has_second(parameters) else {}
        for name, entry in self.config_loader["catalog"].items():
            path = str(entry.get("filepath", ""))
            fields = [field for field in CELL if f"{{{field}}}" in path and field not in name]
            if fields:
                own = "".join(f"{{{field}}}." for field in fields) + name
                shared = f"{name}__{{encoder}}"  # all splits read it: it is in no namespace
                entries[shared if fields == ["encoder"] else own] = entry
                if second and "method" in fields:
                    filled = {"filepath": _filled(path, fields, second)}
                    entries[f"beside.{name}"] = entry | filled
                entry = entry | {"filepath": _filled(path, fields, parameters)}
            entries[name] = entry
        return entries

    @staticmethod
    def _method_config(parameters: dict[str, Any], name: str) -> dict[str, Any]:
        """The parameters of a method, which the single jobs read under one name.

        Args:
            name: of the parameter that names the method.
        """
        from msf_kedro.methods import METHODS

        method = parameters[name]
        if method not in METHODS:
            known = [*METHODS, *(["none"] if name == "beside" else [])]
            raise ClickException(f"unknown {name} {method!r}; known are {', '.join(known)}")
        return parameters[method]

    def _put_beside(self, parameters: dict[str, Any]) -> None:
        """Have the second method's figures beside the chosen one's, or none."""
        second = _has_second(parameters)
        pipelines.update(register_pipelines(beside=second))
        if second:
            parameters["beside_config"] = self._method_config(parameters, "beside")

    def require(self, inputs: Iterable[str]) -> None:
        """Raise a ClickException that says how an environment gets the first input it lacks.

        Args:
            inputs: see `lacking`.
        """
        for problem in self.lacking(inputs):
            raise ClickException(problem)

    def lacking(self, inputs: Iterable[str]) -> Iterator[str]:
        """How an environment gets what it lacks, a sentence for each input.

        Args:
            inputs: names of parameters, with or without `params:`, and of datasets.
        """
        loader = self.config_loader
        data_sets = loader["catalog"].items()
        given = {name for name, entry in data_sets if entry.get("filepath", name) is not None}
        given.update(loader["parameters"])
        wanted = {name.removeprefix("params:") for name in inputs}
        for name, (file, example) in OWN.items():
            if name in wanted - given:
                yield (
                    f"environment {self.environment!r} has no {name}: write it into"
                    f" conf/{self.environment}/{file}.yml, for example `{example}`"
                )

    def declared(self) -> dict[str, Any]:
        """The parameters of base alone."""
        base = copy(self.config_loader)
        base.env, base.runtime_params = base.base_env, {}
        base.data.pop("parameters", None)  # what this context has laid down
        return base["parameters"]

    def _check_names(self) -> None:
        """Refuse what base does not declare: a misspelt name must not be ignored in silence."""
        declared = self.declared() | dict.fromkeys(LOCATIONS)
        given = self.config_loader["parameters"]
        if unknown := list(unknown_names(given, declared)):
            self.wrong(
                f"unknown parameters {unknown} in environment {self.environment!r} or --params;"
                f" known are those of conf/base/parameters.yml and {', '.join(sorted(LOCATIONS))}"
            )
        for name, sentence in misfits(given, declared, MAPPINGS):
            place = f"(parameters of environment {self.environment!r} or --params)"
            self.wrong(f"{sentence} {place}", name)
        splits = given["splits"] or {}
        if not isinstance(splits, Mapping) or any(
            not isinstance(split, Mapping) for split in splits.values()
        ):
            self.wrong(f"splits is {splits}, expected groups: {OWN['splits'][1]}", "splits")

    def _check_folders(self, parameters: dict[str, Any]) -> None:
        """Refuse names that would lead out of the data root: folders are called by them."""
        from msf_kedro.texts.fusion import parse_texts

        shared = self.config_loader["globals"]
        for parameter in ("study", "checkpoint_stream"):
            for name in (parameters.get(parameter), shared[parameter]):  # paths hold the latter
                if name is not None:
                    check_name(name, parameter)
        for parameter in ("splits", "encoders"):
            for name in parameters.get(parameter, {}):
                check_name(name, parameter)
        for texts in parameters["method_texts"].values():
            parse_texts(str(texts))

    def _with_variant(self, parameters: dict[str, Any]) -> dict[str, Any]:
        variants, chosen = parameters.pop("variants"), parameters["variant"]
        if chosen not in variants:
            self.wrong(f"unknown variant {chosen!r}; known variants: {', '.join(variants)}")
            return parameters
        laid_over = variants[chosen] or {}
        unknown = list(unknown_names(laid_over, parameters))
        if unknown:
            self.wrong(f"variant {chosen!r} sets unknown parameters {unknown}")
        for _, sentence in misfits(laid_over, parameters, MAPPINGS):
            self.wrong(f"variant {chosen!r}: {sentence}")
            return parameters
        given = {  # what else the command line says is for the catalog
            key: value for key, value in (self._runtime_params or {}).items() if key in parameters
        }
        return OmegaConf.to_container(OmegaConf.merge(parameters, laid_over, given))

    def _check_split(self, splits: dict[str, Any], split: str | int | None) -> None:
        if splits and split not in splits:
            message = f"unknown class split {split!r}; this study has {', '.join(splits)}"
            if isinstance(split, int):
                message += "; digits joined by _ are read as a number: write 48-12, not 48_12"
            raise ClickException(message)


def _has_second(parameters: Mapping[str, Any]) -> bool:
    """Not where it is the chosen method: both would make the same files."""
    return parameters["beside"] not in ("none", parameters["method"])


def _filled(path: str, fields: Iterable[str], parameters: Mapping[str, Any]) -> str:
    for field in fields:
        path = path.replace(f"{{{field}}}", str(parameters.get(field)))
    return path


def _benchmark(*study: Any) -> Pipeline:
    from msf_kedro.pipelines import benchmark

    return benchmark.create_pipeline(*study)


def unknown_names(given: Mapping, declared: Mapping, above: str = "") -> Iterable[str]:
    """Names such as `shift_gcn.epoch` that are given but not declared.

    Where nothing is declared below a name, or its keys are the user's own, any key may stand.
    """
    for key, value in given.items():
        name = f"{above}{key}"
        if key not in declared:
            yield name
            continue
        below = declared[key]
        free = below is None or below == {} or name in MAPPINGS
        if isinstance(value, Mapping) and not free:
            below = below if isinstance(below, Mapping) else {}
            yield from unknown_names(value, below, f"{name}.")


def own_table(name: str) -> str:
    """Where a table of the project's own is, a resolver for configuration.

    An installed package holds it (`setup.py` puts it there); in a checkout it lies with the data.
    """
    packaged = Path(__file__).parent / "raw" / name
    return str(packaged) if packaged.is_file() else f"data/01_raw/{name}"


def first(mapping: Mapping | None) -> str | None:
    """The first key, a resolver for configuration: the default split is the first one."""
    return next(iter(mapping or ()), None)
