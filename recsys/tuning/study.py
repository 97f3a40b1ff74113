"""A study opened from its configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from recsys.config import parse_config, read_toml
from recsys.errors import ConfigError
from recsys.pipeline import Job, Observer, RunConfig
from recsys.pipeline.defaults import PartialConfig
from recsys.pipeline.job import CACHE
from recsys.pipeline.stage import run_stages
from recsys.pipeline.stages import STAGES
from recsys.progress import Progress, silent
from recsys.tuning.config import StudyConfig, Variant, VariantStudyConfig, load_study_config
from recsys.tuning.keys import Values, check_key, with_changes
from recsys.tuning.search_space import SearchSpace
from recsys.tuning.trial_data import TrialDataCache
from recsys.tuning.trial_store import Trial

DATA = "data"


class StudyObserver(Observer, Protocol):
    """Observer of stages and trials; the command line displays them."""

    def proposed(self, number: int, total: int, chosen: Mapping[str, str]) -> None:
        """A trial starts or continues."""

    def ended(self, trial: Trial, total: int, best: Trial | None) -> None:
        """A trial ended; ``best`` is the best of all trials so far."""


@dataclass(frozen=True, eq=False)
class Study:
    """A search in its folder."""

    config: StudyConfig
    space: SearchSpace
    run: RunConfig
    base: Path
    folder: Path
    data: TrialDataCache
    progress: Progress = field(default=silent, repr=False)

    @property
    def metric(self) -> str:
        """Validation figure to maximise."""
        return self.config.metric or self.run.evaluation.choose_by


@dataclass(frozen=True, eq=False)
class VariantStudy:
    """A comparison of variants in its folder."""

    config: VariantStudyConfig
    values: Values
    base: Path
    folder: Path
    data: TrialDataCache
    progress: Progress = field(default=silent, repr=False)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Figures to report; the first orders the table."""
        return self.config.metrics or (self.run(self.reference).evaluation.choose_by,)

    @property
    def reference(self) -> Variant:
        """Variant that the others are compared with."""
        return self.config.variants[0]

    def changes(self, variant: Variant) -> Values:
        """All changes of a variant to the run's file; None where a key is removed."""
        removed = (*(self.config.without if variant.shared else ()), *variant.without)
        shared = self.config.changes if variant.shared else {}
        return {**dict.fromkeys(removed), **shared, **variant.changes}

    def run_values(self, variant: Variant) -> Values:
        """Values of a variant's TOML file.

        Raises:
            ConfigError: A section has no such key.
        """
        changes = self.changes(variant)
        values = deepcopy(self.values)
        for key in [key for key, value in changes.items() if value is None]:
            _remove(values, key)
            del changes[key]
        return with_changes(values, changes)

    def run(self, variant: Variant, *, seed: int | None = None) -> RunConfig:
        """Configuration of a variant, with a training seed.

        Raises:
            ConfigError: A section has no such key, or the whole is not legal.
        """
        source = f"variant '{variant.name}' of {self.config.name}"
        config = parse_config(self.run_values(variant), RunConfig, source=source).seeded()
        if seed is None:
            return config
        train = config.train.model_copy(update={"seed": seed})
        return config.model_copy(update={"train": train})


def open_study(config: Path, *, runs: Path, progress: Progress = silent) -> Study | VariantStudy:
    """The study of a configuration file, in ``runs/NAME``.

    Nothing is written, except that the data are ingested where the run's file leaves out sections
    that are chosen from them.

    Raises:
        ConfigError: A file is missing, is not TOML, or is not legal; a key is unknown.
    """
    loaded = load_study_config(config)
    path = config.resolve().parent / loaded.base
    values = _complete_values(path, runs / loaded.name, runs / CACHE, progress)
    run = parse_config(values, RunConfig, source=str(path)).seeded()
    if run.name == loaded.name:
        raise ConfigError(
            f"the study and its run are both named '{run.name}' and would share a folder; give"
            " the study a name of its own",
            field="name",
        )
    folder = runs / loaded.name
    data = TrialDataCache(path.parent, folder / DATA, runs / CACHE, progress)
    if isinstance(loaded, StudyConfig):
        space = SearchSpace(loaded, values, source=str(config))
        return Study(loaded, space, run, path.parent, folder, data, progress)
    study = VariantStudy(loaded, values, path.parent, folder, data, progress)
    for variant in loaded.variants:
        for key in (*variant.changes, *variant.without):
            check_key(key)
        study.run(variant)
    return study


def _complete_values(path: Path, folder: Path, cache: Path, progress: Progress) -> Values:
    """Values of a run's file; sections that it leaves out are chosen from its data."""
    given = PartialConfig(read_toml(path), source=str(path))
    if not given.needs_data:
        return dict(given.values)
    job = Job(given, path.parent, folder / DATA / "base", cache, progress)
    run_stages(STAGES, job, job.folder, until="ingest")
    return dict(job.values)


def _remove(values: Values, key: str) -> None:
    *parents, last = key.split(".")
    for part in parents:
        values = values.get(part, {})
    values.pop(last, None)
