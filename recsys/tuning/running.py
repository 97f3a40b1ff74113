"""Search of a study: trials until their number or the time is reached, and its results."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from recsys.config import parse_config
from recsys.errors import ConfigError
from recsys.files import LOCK, lock, sha256_json
from recsys.pipeline import Observer, RunConfig
from recsys.pipeline.stage import load_record
from recsys.pipeline.stages import STAGES
from recsys.pipeline.training import check_validation
from recsys.progress import Progress
from recsys.tuning.reporting import best_of, write_figures, write_pages
from recsys.tuning.search_space import label
from recsys.tuning.study import Study, StudyObserver
from recsys.tuning.training import OutOfTime, keep_epochs, train_trial
from recsys.tuning.trial_data import ENCODED, TrialData
from recsys.tuning.trial_store import FILE, Trial, TrialStore
from recsys.version import __version__

TRIALS = "trials"
COMPARED = ("data", "split", "towers", "train", *ENCODED)
"""Sections of the base that all trials of a study share."""
Ended = Literal["trials", "minutes", "tried all"]


def tune(
    study: Study,
    *,
    command: str,
    observer: StudyObserver,
    trials: int | None = None,
    minutes: float | None = None,
    begin: Literal["resume", "again"] = "resume",
) -> dict[str, Any]:
    """Run trials until their number or the time is reached; write the results.

    Writes ``trials.json`` and ``best.toml`` into the study's folder after every trial, and
    ``trials.html`` and ``trials.png`` at the end.

    Args:
        study: The study.
        command: Command that reproduces it.
        observer: Observer of stages and trials.
        trials: Number of trials instead of the configuration's.
        minutes: Time limit instead of the configuration's.
        begin: Whether to continue the study or to delete its trials first.

    Returns:
        Content of ``trials.json``: a record with ``trials`` (the best first) and ``best``.

    Raises:
        ConfigError: The study was started with other settings, or another process works on it.
        RecsysError: The data, their encoding or the split failed.
    """
    total = study.config.trials if trials is None else trials
    limit = study.config.minutes if minutes is None else minutes
    with lock(study.folder / LOCK, wait=False):
        if begin == "again":
            (study.folder / FILE).unlink(missing_ok=True)
            shutil.rmtree(study.folder / TRIALS, ignore_errors=True)
        data = study.data.get(study.run, observer)
        check_validation(data.split)
        store = TrialStore(study.folder, study.config, study.space, longest=study.run.train.epochs)
        _check_identity(study, store, data)
        ended = _run_trials(study, store, observer, command=command, total=total, minutes=limit)
        content = write_figures(study, store, data, command=command, ended=ended)
        write_pages(study.folder, content)
    return content


def _run_trials(
    study: Study,
    store: TrialStore,
    observer: StudyObserver,
    *,
    command: str,
    total: int,
    minutes: float | None,
) -> Ended:
    for each in store.trials:
        if each.state != "unfinished":  # killed before its checkpoints were deleted
            keep_epochs(_folder(study, each))
    while True:
        left = _seconds_left(store.trials, minutes)
        if left <= 0:
            return "minutes"
        trial = store.next(trials=total)
        if trial is None:
            return "trials" if len(store.trials) >= total else "tried all"
        chosen = study.space.chosen(trial.drawn)
        observer.proposed(trial.number, total, {key: label(value) for key, value in chosen.items()})
        try:
            ended = _run_trial(study, store, trial, observer, seconds_left=left)
        except OutOfTime:
            return "minutes"
        observer.ended(ended, total, best_of(store.trials))
        write_figures(study, store, study.data.get(study.run, observer), command=command)


def _run_trial(
    study: Study, store: TrialStore, trial: Trial, observer: Observer, *, seconds_left: float
) -> Trial:
    def trial_run(progress: Progress) -> TrialData:
        config = parse_config(study.space.configured(trial.drawn), RunConfig).seeded()
        return study.data.get(config, observer).trial(config, progress=progress)

    return train_trial(
        trial,
        store,
        _folder(study, trial),
        trial_run=trial_run,
        progress=study.progress,
        seconds_left=seconds_left,
    )


def _folder(study: Study, trial: Trial) -> Path:
    return study.folder / TRIALS / f"{trial.number:04}"


def _seconds_left(trials: Sequence[Trial], minutes: float | None) -> float:
    if minutes is None:
        return float("inf")
    return 60 * minutes - sum(trial.seconds for trial in trials)


def _check_identity(study: Study, store: TrialStore, data: TrialData) -> None:
    """Trials of one study must be comparable: they differ in the drawn values only."""
    now, was = _identity(study, data), store.identity
    if not was:
        store.identity = now
        return
    changed = [name for name in now if was.get(name) != now[name]]
    if changed:
        raise ConfigError(
            f"the study in {study.folder} was started with another {' and '.join(changed)}, and its"
            " trials cannot be compared with new ones: give this study another name, or start again"
            " with --again, which deletes them",
            field=changed[0],
        )


def _identity(study: Study, data: TrialData) -> dict[str, str]:
    config: Mapping[str, Any] = study.config.model_dump(mode="json")
    files = {
        name: (load_record(data.folder / name) or {})["parts"]["inputs"]
        for name in ("ingest", "encode")
    }
    train = next(stage for stage in STAGES if stage.name == "train")
    base = study.run.model_dump(mode="json", include=set(COMPARED))
    return {
        "base configuration": sha256_json(base),
        "data": sha256_json(files),
        "metric": study.metric,
        **{key: sha256_json(config[key]) for key in ("space", "sampler", "pruner", "seed")},
        "engine": f"{__version__}/train/{train.version}",
    }
