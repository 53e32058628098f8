"""`kedro msf check`: all that is wrong with an environment, before anything is trained."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from click import ClickException
from kedro.config import MissingConfigException
from kedro.framework.hooks.manager import _NullPluginManager
from kedro.framework.project import pipelines, settings
from kedro.io import CatalogProtocol, DatasetError
from kedro.validation.exceptions import ParameterValidationError
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from msf_kedro.clips.clip import Recipe, listed_clips
from msf_kedro.clips.layouts import LAYOUTS, get_layout
from msf_kedro.context import StudyContext
from msf_kedro.methods import configure
from msf_kedro.released.texts import check_kinds, read_text_files
from msf_kedro.sentences import in_short
from msf_kedro.studies.drawing import what_lacks
from msf_kedro.studies.reading import (
    Sample,
    bad_names,
    describe,
    read_sample,
    rows_of_names,
    spread,
    tell_names,
    unusable,
)
from msf_kedro.texts.class_texts import several_of
from msf_kedro.texts.fusion import parse_texts
from msf_kedro.zero_shot.splits import (
    SplitConfig,
    check_split,
    check_texts,
    get_split,
    parse_classes,
)

EXPECTED = (ValueError, ArithmeticError, OSError, RuntimeError, DatasetError, ClickException)
CHECKED = ("gzssar", "bundle")  # what a study is made for
MOST_READ = 48  # clips, unless all are asked for
MOST_TOLD = 10  # of problems of one kind


class CheckedContext(StudyContext):
    """A study's context that goes on where something is wrong, with base's value in its place.

    Attributes:
        problems: what is wrong, in sentences.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        self.problems: list[str] = []
        super().__init__(*args, **kwargs)

    def wrong(self, sentence: str, parameter: str = "") -> None:
        self.problems.append(sentence)
        if parameter:
            self._stand_in(parameter)

    def typed_catalog(self) -> CatalogProtocol:
        """The catalog; parameters that are out of range are noted."""
        self._pipelines_to_validate = list(CHECKED)
        log = logging.getLogger("kedro.validation.parameter_validator")
        log.disabled = True
        try:
            self.params  # noqa: B018, as it checks them
        except ParameterValidationError as error:
            head, *failures = str(error).split("\n- ")
            for failure in failures:
                group = failure.split("'")[1]
                self.wrong(in_short(ValueError(f"{head}\n- {failure}")), group)
        finally:
            log.disabled = False
        return self.catalog

    def _stand_in(self, name: str) -> None:
        """Put base's value in the place of a parameter's; take it away where base has none."""
        parameters, declared = self.config_loader["parameters"], self.declared()
        self.config_loader["parameters"] = parameters  # else they would be read anew
        *groups, last = name.split(".")
        for group in groups:
            parameters, declared = parameters[group], declared[group]
        if declared.get(last) is None:
            parameters.pop(last, None)
        else:
            parameters[last] = declared[last]


class Check:
    """All that is wrong with one environment.

    Attributes:
        problems: in sentences; empty if the study can be run.
        summary: what is there, in lines.
    """

    def __init__(self, project: Path, env: str | None, params: dict[str, Any], whole: bool):
        self.problems: list[str] = []
        self.summary: list[str] = []
        self._whole = whole
        with self._noted(OmegaConfBaseException, YAMLError, MissingConfigException):
            self._check(project, env, params)

    def _check(self, project: Path, env: str | None, params: dict[str, Any]) -> None:
        loader = settings.CONFIG_LOADER_CLASS(
            conf_source=str(project / settings.CONF_SOURCE),
            env=env,
            runtime_params=params,
            **settings.CONFIG_LOADER_ARGS,
        )
        self._context = CheckedContext(
            project, loader, env, "msf_kedro", _NullPluginManager(), runtime_params=params
        )
        catalog = None
        with self._noted():
            catalog = self._context.typed_catalog()
        self.problems = [*self._context.problems, *self.problems]
        if catalog is not None:
            self._catalog = catalog
            self._check_study()

    @contextmanager
    def _noted(self, *others: type[Exception]) -> Iterator[None]:
        """Note what a check finds wrong."""
        try:
            yield
        except (*EXPECTED, *others) as error:
            told = error.message if isinstance(error, ClickException) else in_short(error)
            told = " ".join(told.split())
            if told not in self.problems:
                self.problems.append(told)

    def _note(self, sentences: list[str]) -> None:
        self.problems += sentences[:MOST_TOLD]
        if (more := len(sentences) - MOST_TOLD) > 0:
            self.problems.append(f"and {more} more of this kind")

    def _load(self, name: str) -> Any:
        """A dataset or parameter; None where there is none, or it is not good."""
        with self._noted():
            if name in self._catalog:
                return self._catalog.load(name)
        return None

    def _check_study(self) -> None:
        self._note(list(self._context.lacking(self._inputs())))
        with self._noted():
            config = self._load("params:method_config")
            if config is not None:
                configure(self._load("params:method"), config)
        with self._noted():
            from msf_kedro.runtime import pick_device  # imports torch

            pick_device(self._load("params:device"))
        classes = self._classes()
        self._check_texts(classes)
        splits = self._splits(classes)
        rows = self._check_clips(classes)
        parts, gate = self._load("params:parts"), self._load("params:gate")
        if rows is not None and len(rows) and splits and parts and gate:
            with self._noted():
                self._note(what_lacks(rows, classes, splits, parts, gate.folds))

    def _inputs(self) -> set[str]:
        return set().union(*(pipelines[name].inputs() for name in CHECKED))

    def _classes(self) -> list[int]:
        given = self._load("params:classes")
        with self._noted():
            return parse_classes(given) if given is not None else []
        return []

    def _splits(self, classes: list[int]) -> list[SplitConfig]:
        """The class splits that are good."""
        good: list[SplitConfig] = []
        given = self._load("params:splits") or {}
        for name in given if isinstance(given, Mapping) else ():
            try:
                split = get_split(given, name)
                if classes:
                    check_split(split, classes)
                good.append(split)
            except ValueError as error:
                self.problems.append(f"{name}: {error}")
        return good

    def _check_texts(self, classes: list[int]) -> None:
        if "class_texts" not in self._catalog:
            return
        texts = self._load("class_texts")
        with self._noted():
            kinds = parse_texts(self._load("params:texts"))
            released = read_text_files(self._load("text_files") or {}, classes)
            check_kinds(released.kinds(), kinds)
        if texts is None:
            return
        with self._noted():
            check_texts(classes, texts.class_id.tolist())
        if twice := several_of(texts, classes):
            self.problems.append(
                f"class texts: several classes are called {twice}; give each its label"
            )

    def _check_clips(self, classes: list[int]) -> pd.DataFrame | None:
        """The rows of the study's clips, as their names or the table say."""
        if "raw_clips" not in self._catalog or not classes:
            return None
        raw, (recipe, fits) = self._load("raw_clips"), self._recipe(classes)
        if recipe is None or raw is None:
            return None
        if recipe.table is not None:
            with self._noted():
                recipe.table.check_clips(raw.keys())
            raw = {name: load for name, load in raw.items() if name in recipe.table.rows}
        rows, unread = rows_of_names(sorted(raw), recipe)
        names = [row["name"] for row in rows] if fits else []
        sample = read_sample(raw, names if self._whole else spread(names, MOST_READ), recipe)
        self._judge(bad_names(unread), len(rows), sample, recipe.clips.max_rejected)
        if not rows:
            self.problems.append(
                f"none of {len(raw)} raw clips belongs to a class of this study; check the raw"
                " clips and the parameters clips.name_pattern (or the clip table) and classes"
            )
            return None
        self.summary = [*describe(rows, unread, sample), *self.summary]
        kept = [row for row in rows if row["name"] not in sample.reasons]
        return pd.DataFrame(kept, columns=recipe.columns)

    def _judge(
        self, unnamed: Mapping[str, list[str]], named: int, sample: Sample, accepted: float
    ) -> None:
        """Tell of bad clips: too many are a problem, as in a run."""
        without = sum(map(len, unnamed.values()))
        share = (without + sample.share * named) / max(1, without + named)
        told = [*tell_names(unnamed), *unusable(sample)]
        if share > accepted:
            self._note(told)
        else:
            self.summary += [f"{line} (up to {accepted:.0%} are set aside)" for line in told]

    def _recipe(self, classes: list[int]) -> tuple[Recipe | None, bool]:
        """What is done to clips, and whether their layout is known; None where no name is."""
        clips, normalise = self._load("params:clips"), self._load("params:normalise")
        layout = None
        with self._noted():
            layout = get_layout(clips.layout, self._load("params:layouts"), clips.units)
        with self._noted():
            table = self._catalog.load("clip_table")
            lists = self._load("missing_lists") or {}
            listed = listed_clips(lists, clips.name_pattern, table)
            stand_in = layout or get_layout(LAYOUTS[0])
            recipe = Recipe(classes, listed, clips, stand_in, normalise, table)
            return recipe, layout is not None
        return None, False
