"""Comparison of variants: each trained per seed on the same data, its figures averaged."""

from __future__ import annotations

import gc
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from recsys.errors import ConfigError, RecsysError, TrainingError
from recsys.evaluation import Scorer, evaluate
from recsys.evaluation.record import record
from recsys.files import LOCK, lock, sha256_json, write_json
from recsys.pipeline import Job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stages import STAGES
from recsys.pipeline.training import check_validation, train_towers
from recsys.splits import Split
from recsys.tuning.cached import Result, cached_result
from recsys.tuning.config import Variant
from recsys.tuning.study import StudyObserver, VariantStudy
from recsys.tuning.table import means
from recsys.tuning.training import keep_epochs
from recsys.tuning.trial_store import Trial

if TYPE_CHECKING:
    from recsys.towers import FitResult

RECORD, TRIALS, TRAINING = "variants.json", "trials", "training"
TRAINED = ("split", "towers", "train")
"""Sections that a training depends on, in addition to the encoded data."""
Evaluate = Callable[[Job, "FitResult", Sequence[str]], Mapping[str, float]]
"""From a trial, its trained towers and the study's metrics to figures."""


def evaluate_part(
    scorer: Scorer, parts: Split, part: Literal["validation", "test"], metrics: Sequence[str]
) -> dict[str, float]:
    """Figures of a scorer on the validation or test queries of a split, all items ranked."""
    ks = sorted({int(metric.split("@")[1]) for metric in metrics})
    result = evaluate(scorer, parts, part, ks=ks, resamples=1)
    return {metric: float(result.figures[metric]) for metric in metrics}


def validation_figures(trial: Job, fitted: FitResult, metrics: Sequence[str]) -> dict[str, float]:
    """Figures of a trained trial on the validation queries."""
    parts = trial.split
    scorer = towers_scorer(
        fitted.towers, known=trial.users_known_from(parts.train), phrases=trial.query_phrases
    )
    return evaluate_part(scorer, parts, "validation", metrics)


def compare_variants(
    study: VariantStudy,
    *,
    command: str,
    observer: StudyObserver,
    only: Sequence[str] = (),
    seeds: Sequence[int] | None = None,
    evaluate_trial: Evaluate = validation_figures,
    begin: str = "resume",
) -> dict[str, Any]:
    """Train each variant with each of its seeds, or read the cached result; compare them.

    A training that diverges is a result: its variant has no figures but the reason. A variant whose
    settings are those of the reference is left out. ``variants.json`` is written after each.

    Args:
        study: The study.
        command: Command that reproduces it.
        observer: Observer of stages and trials.
        only: Names of the variants to train; empty trains all.
        seeds: Training seeds instead of the configuration's.
        evaluate_trial: Figures of a trained trial.
        begin: ``again`` deletes the results first.

    Returns:
        Content of ``variants.json``: a record whose ``variants`` hold each variant's description,
        changes, seeds and figures (means over the seeds, and ``.std``); ``failures`` by name.

    Raises:
        ConfigError: A name in ``only`` is unknown, or another process works on the study.
        RecsysError: The data, their encoding or the split failed.
    """
    names = [variant.name for variant in study.config.variants]
    unknown = sorted(set(only) - set(names))
    if unknown:
        raise ConfigError(f"no variant '{unknown[0]}'; there are: {', '.join(sorted(names))}")
    with lock(study.folder / LOCK, wait=False):
        if begin == "again":
            shutil.rmtree(study.folder / TRIALS, ignore_errors=True)
        trials = [
            (variant, seed)
            for variant in distinct_variants(study)
            if not only or variant.name in only
            for seed in seeds or variant.seeds or study.config.seeds
        ]
        results: dict[str, dict[int, Result]] = {}
        failures: dict[str, str] = {}
        best: Trial | None = None
        for number, (variant, seed) in enumerate(trials, start=1):
            drawn = {"variant": variant.name, "seed": str(seed)}
            observer.proposed(number, len(trials), drawn)
            try:
                result = _result(study, variant, seed, observer, evaluate_trial)
            except RecsysError as error:
                failures[variant.name] = error.message
                ended = Trial(number, "failed", drawn, reason=error.message)
            else:
                results.setdefault(variant.name, {})[seed] = result
                ended = _ended(number, drawn, result, study.metrics[0])
                if best is None or (ended.figure or 0.0) > (best.figure or 0.0):
                    best = ended
            observer.ended(ended, len(trials), best)
            content = _write(study, command, results, failures, observer)
    return content


def distinct_variants(study: VariantStudy) -> list[Variant]:
    """The reference, and the variants whose settings differ from it."""
    first, *others = study.config.variants
    reference = _settings(study, first)
    return [first, *(each for each in others if _settings(study, each) != reference)]


def _settings(study: VariantStudy, variant: Variant) -> dict[str, Any]:
    return study.run(variant).model_dump(mode="json", include=set(TRAINED))


def _result(
    study: VariantStudy,
    variant: Variant,
    seed: int,
    observer: StudyObserver,
    evaluate_trial: Evaluate,
) -> Result:
    """``figures``, ``validation``, ``epochs`` and ``seconds``; or ``stopped`` and ``seconds``."""
    config = study.run(variant, seed=seed)
    data = study.data.get(config, observer)
    check_validation(data.split)
    trial = data.trial(config, progress=study.progress)
    version = next(stage.version for stage in STAGES if stage.name == "train")
    settings = config.model_dump(mode="json", include=set(TRAINED))

    def compute(folder: Path) -> Mapping[str, Any]:
        start = time.perf_counter()
        try:
            fitted = train_towers(trial, folder / TRAINING)
        except TrainingError as error:
            return {"stopped": str(error), "seconds": time.perf_counter() - start}
        finally:
            gc.collect()  # a model has reference cycles, and the next one needs its memory
        recorded = sum(epoch.seconds for epoch in fitted.epochs)  # includes interrupted calls
        result = {
            "seconds": max(time.perf_counter() - start, recorded),
            "figures": dict(evaluate_trial(trial, fitted, study.metrics)),
            "validation": fitted.validation,
            "epochs": list(fitted.best_epochs),
        }
        keep_epochs(folder / TRAINING)
        return result

    return cached_result(
        study.folder / TRIALS,
        name=f"{variant.name}-{seed}",
        depends_on=[
            data.fingerprint,
            settings,
            config.evaluation.choose_by,
            list(study.metrics),
            evaluate_trial.__name__,
            version,
        ],
        compute=compute,
    )


def _ended(number: int, drawn: Mapping[str, str], result: Result, metric: str) -> Trial:
    if "stopped" in result:
        return Trial(number, "failed", drawn, seconds=result["seconds"], reason=result["stopped"])
    figure = result["figures"][metric]
    return Trial(number, "complete", drawn, figure=figure, seconds=result["seconds"])


def _write(
    study: VariantStudy,
    command: str,
    results: Mapping[str, Mapping[int, Result]],
    failures: Mapping[str, str],
    observer: StudyObserver,
) -> dict[str, Any]:
    known = {variant.name: variant for variant in study.config.variants}
    variants = {
        name: {
            "description": known[name].description,
            "changes": study.changes(known[name]),
            **_summary(seeds),
        }
        for name, seeds in results.items()
    }
    config = study.run(study.reference)
    data = study.data.get(config, observer)
    content = record(
        name=study.config.name,
        command=command,
        seeds=sorted({seed for seeds in results.values() for seed in seeds}),
        figures={
            f"{name}.{figure}": value
            for name, each in variants.items()
            for figure, value in each["figures"].items()
        },
        metrics=list(study.metrics),
        reference=sha256_json([data.fingerprint, _settings(study, study.reference)])[:12],
        variants=variants,
        failures=dict(failures),
        protocol=data.split.protocol,
    )
    write_json(study.folder / RECORD, content)
    return json.loads(json.dumps(content))  # type: ignore[no-any-return]


def _summary(seeds: Mapping[int, Result]) -> dict[str, Any]:
    """Means over the seeds, and ``.std``; no figures but ``stopped`` where a seed diverged."""
    results = list(seeds.values())
    last = max(results, key=lambda each: str(each["date"]))
    summary: dict[str, Any] = {key: last[key] for key in ("date", "commit", "machine")}
    summary["seeds"] = list(seeds)
    figures = {"minutes": float(np.mean([each["seconds"] for each in results])) / 60}
    stopped = [each["stopped"] for each in results if "stopped" in each]
    if stopped:
        return {**summary, "figures": figures, "stopped": stopped[0]}
    figures |= means([each["figures"] for each in results])
    for key in ("validation", "epochs"):
        summary[key] = {str(seed): each[key] for seed, each in seeds.items()}
    return {**summary, "figures": figures}
