"""Open a study, go on with it until its trials or its minutes are over, and write what it found."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import recsys
from recsys.config import parse_config, read_toml
from recsys.errors import ConfigError
from recsys.files import LOCK, lock, sha256_json
from recsys.pipeline import Observer, RunConfig, load_run_config
from recsys.pipeline.job import CACHE
from recsys.pipeline.stage import load_record, run_stages
from recsys.pipeline.stages import STAGES
from recsys.pipeline.training import check_validation
from recsys.progress import Progress, silent
from recsys.tuning.candidate import Candidate, Material
from recsys.tuning.config import StudyConfig, load_study_config
from recsys.tuning.keys import Values
from recsys.tuning.memory import FILE, Memory, Trial
from recsys.tuning.space import Space, label
from recsys.tuning.telling import best_of, write_figures, write_pages
from recsys.tuning.training import OutOfTime, keep_epochs, train_trial

TRIALS, MATERIAL = "trials", "material"
ENCODED = ("text", "image", "attributes")
"""Sections of a run that decide how its contents are encoded."""
LEARNED = ("data", "split", "towers", "train", *ENCODED)
Ended = Literal["trials", "minutes", "tried all"]


class StudyObserver(Observer, Protocol):
    """Sees how a study goes; the command line draws it."""

    def proposed(self, number: int, total: int, chosen: Mapping[str, str]) -> None:
        """A trial begins, or goes on."""

    def ended(self, trial: Trial, total: int, best: Trial | None) -> None:
        """A trial ended; ``best`` is the best of all so far."""


@dataclass(frozen=True, eq=False)
class Study:
    """A study in its folder.

    Attributes:
        config: What is asked for.
        space: The options, over the values of the run's file.
        run: The run as it stands in its file.
        base: The folder that its paths start from.
        folder: Where the study is kept.
        cache: Where encoded contents are kept.
        progress: Told how far the work is.
        materials: What was brought up to date in this process, by fingerprint.
    """

    config: StudyConfig
    space: Space
    run: RunConfig
    base: Path
    folder: Path
    cache: Path
    progress: Progress = field(default=silent, repr=False)
    materials: dict[str, Material] = field(default_factory=dict, repr=False)

    @property
    def metric(self) -> str:
        """The validation figure that is maximised."""
        return self.config.metric or self.run.evaluation.choose_by


def open_study(config: Path, *, runs: Path, progress: Progress = silent) -> Study:
    """The study of a configuration file, in ``runs/NAME``; nothing is written yet.

    Args:
        config: The study's TOML file.
        runs: The folder that runs are kept in; they share ``runs/cache``.
        progress: Told how far the work is.

    Raises:
        ConfigError: A file is missing, is not TOML, or does not fit; a key of the space is unknown.
    """
    asked = load_study_config(config)
    base = config.resolve().parent / asked.base
    run = load_run_config(base)
    if run.name == asked.name:
        raise ConfigError(
            f"the study and its run are both named '{run.name}' and would share a folder; give"
            " the study a name of its own",
            field="name",
        )
    space = Space(asked, read_toml(base), source=str(config))
    return Study(asked, space, run, base.parent, runs / asked.name, runs / CACHE, progress)


def tune(
    study: Study,
    *,
    command: str,
    observer: StudyObserver,
    trials: int | None = None,
    minutes: float | None = None,
    begin: Literal["resume", "anew"] = "resume",
) -> dict[str, Any]:
    """Try until there are enough trials or no minutes left; write what was found.

    What was begun is gone on with. In the study's folder: ``trials.json`` and ``best.toml`` after
    every trial, ``trials.html`` and ``trials.png`` at the end.

    Args:
        study: What to try.
        command: How to do it again.
        observer: Told of stages and of trials.
        trials: In place of the configuration's number.
        minutes: In place of the configuration's limit.
        begin: ``anew`` forgets the trials that are there.

    Returns:
        What ``trials.json`` holds: the record form, ``trials`` (the best first), ``best``.

    Raises:
        ConfigError: The study was begun with something else, or is at work in another process.
        RecsysError: What all trials need cannot be had: the data, their encoding, the split.
    """
    total = study.config.trials if trials is None else trials
    limit = study.config.minutes if minutes is None else minutes
    with lock(study.folder / LOCK, wait=False):
        if begin == "anew":
            (study.folder / FILE).unlink(missing_ok=True)
            shutil.rmtree(study.folder / TRIALS, ignore_errors=True)
        material = _material(study, study.run, observer)
        check_validation(material.split)
        memory = Memory(study.folder, study.config, study.space, longest=study.run.train.epochs)
        _check_identity(study, memory, material)
        ended = _try(study, memory, observer, command=command, total=total, minutes=limit)
        content = write_figures(study, memory, material, command=command, ended=ended)
        write_pages(study.folder, content)
    return content


def _try(
    study: Study,
    memory: Memory,
    observer: StudyObserver,
    *,
    command: str,
    total: int,
    minutes: float | None,
) -> Ended:
    """Trial after trial."""
    for each in memory.trials:
        if each.state != "unfinished":  # killed before its checkpoints were cleared away
            keep_epochs(_folder(study, each))
    while True:
        left = _seconds_left(memory.trials, minutes)
        if left <= 0:
            return "minutes"
        trial = memory.next(trials=total)
        if trial is None:
            return "trials" if len(memory.trials) >= total else "tried all"
        chosen = study.space.chosen(trial.drawn)
        observer.proposed(trial.number, total, {key: label(value) for key, value in chosen.items()})
        try:
            ended = _ended(study, memory, trial, observer, seconds_left=left)
        except OutOfTime:
            return "minutes"
        observer.ended(ended, total, best_of(memory.trials))
        write_figures(study, memory, study.materials[_encoding(study.run)], command=command)


def _ended(
    study: Study, memory: Memory, trial: Trial, observer: Observer, *, seconds_left: float
) -> Trial:
    if (first := memory.earlier(trial)) is not None:
        state = "repeated" if first.state == "complete" else first.state
        reason = f"as trial {first.number}" + (f": {first.reason}" if first.reason else "")
        return memory.finish(trial, state, figure=first.figure, reason=reason)

    def candidate(progress: Progress) -> Candidate:
        values = study.space.configured(trial.drawn)
        config = parse_config(values, RunConfig).seeded()
        return Candidate.of(_material(study, config, observer), config, progress=progress)

    return train_trial(
        trial,
        memory,
        _folder(study, trial),
        candidate=candidate,
        progress=study.progress,
        seconds_left=seconds_left,
    )


def _material(study: Study, config: RunConfig, observer: Observer) -> Material:
    """What the trials with these encoders share, brought up to date once a process."""
    mark = _encoding(config)
    if mark not in study.materials:
        folder = study.folder / MATERIAL / mark
        found = Material(config, study.base, folder, study.cache, study.progress)
        run_stages(STAGES, found, folder, until="encode", observer=observer)
        study.materials[mark] = found
    return study.materials[mark]


def _encoding(config: RunConfig) -> str:
    return sha256_json(config.model_dump(mode="json", include=set(ENCODED)))[:12]


def _folder(study: Study, trial: Trial) -> Path:
    return study.folder / TRIALS / f"{trial.number:04}"


def _seconds_left(trials: Sequence[Trial], minutes: float | None) -> float:
    if minutes is None:
        return float("inf")
    return 60 * minutes - sum(trial.seconds for trial in trials)


def _check_identity(study: Study, memory: Memory, material: Material) -> None:
    """Trials of one study must be comparable: they share all but what was drawn."""
    now, was = _identity(study, material), memory.identity
    if not was:
        memory.begin(now)
        return
    changed = [name for name in now if was.get(name) != now[name]]
    if changed:
        raise ConfigError(
            f"the study in {study.folder} was begun with another {' and '.join(changed)}, and its"
            " trials cannot be compared with new ones: give this study another name, or begin anew"
            " with --again, which forgets them",
            field=changed[0],
        )


def _identity(study: Study, material: Material) -> dict[str, str]:
    asked: Values = study.config.model_dump(mode="json")
    files = {}
    for name in ("ingest", "encode"):
        kept = load_record(material.folder / name) or {}
        files[name] = kept["parts"]["inputs"]
    train = next(stage for stage in STAGES if stage.name == "train")
    return {
        "base configuration": sha256_json(study.run.model_dump(mode="json", include=set(LEARNED))),
        "data": sha256_json(files),
        "metric": study.metric,
        **{name: sha256_json(asked[name]) for name in ("space", "sampler", "pruner", "seed")},
        "engine": f"{recsys.__version__}/train/{train.version}",
    }
