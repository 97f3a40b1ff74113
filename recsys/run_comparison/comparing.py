"""The comparison of evaluated runs: figures side by side, and paired differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from recsys.errors import DataError, InvalidRequestError
from recsys.evaluation import Evaluation, differences
from recsys.progress import Progress, silent
from recsys.run_comparison.evaluated_runs import EvaluatedRun

NOTES = (
    "A difference is the run minus the first run, the mean over test queries; its 95% interval is a"
    " paired bootstrap over the queries.",
    "The intervals do not cover the seed of the training: repeat the runs with other seeds before"
    " a small difference is relied on.",
)


def compare_runs(
    runs: Sequence[EvaluatedRun],
    *,
    ks: Sequence[int] = (),
    seed: int = 0,
    resamples: int = 1000,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Compare runs with the first one, on the test queries that all of them share.

    Args:
        runs: At least two runs, or two models of one run.
        ks: Values of k of the metrics to compare; by default all.
        seed: Seed of the bootstrap.
        resamples: Number of bootstrap resamples.

    Returns:
        JSON values: ``runs``, each with ``label``, ``figures``, ``intervals``, ``seconds`` by stage
        and, except for the first, ``differences`` by metric (``difference``, ``low``, ``high``);
        ``metrics``, the figures that all runs have, ordered by k; ``settings`` that differ, by key
        with one value per run; ``files``, the input files whose content differs;
        ``queries``, ``candidates``, ``seed``, ``resamples``, ``notes``.

    Raises:
        InvalidRequestError: There are fewer than two runs, one is there twice, or the runs have no
            metric at one of ``ks``.
        DataError: The runs have other test queries or candidates.

    Example:
        >>> from pathlib import Path
        >>> from recsys.splits.query_digests import QueryDigests
        >>> same = QueryDigests(*np.arange(12, dtype=np.uint64).reshape(3, 4))
        >>> def evaluated(name, hits):
        ...     values = {"recall@10": np.array(hits, np.float32)}
        ...     found = Evaluation("knn", {"recall@10": np.mean(hits)}, {}, {}, values, 1.0)
        ...     return EvaluatedRun(name, "knn", Path(name), found, same, {}, {}, {})
        >>> made = compare_runs([evaluated("a", [0, 0, 1, 0]), evaluated("b", [1, 0, 1, 0])])
        >>> made["runs"][1]["differences"]["recall@10"]["difference"]
        0.25
    """
    if len(runs) < 2:
        raise InvalidRequestError("a comparison needs at least two runs", field="runs")
    labels = _labels(runs)
    first, *others = runs
    aligned = [first.evaluation, *(_aligned(first, other) for other in others)]
    metrics = _common_metrics(aligned, ks)
    entries = [
        _entry(label, run, evaluation, metrics)
        for label, run, evaluation in zip(labels, runs, aligned)
    ]
    for entry, evaluation in zip(entries[1:], aligned[1:]):
        gaps = differences(
            evaluation,
            first.evaluation,
            metrics,
            seed=seed,
            resamples=resamples,
            progress=progress,
        )
        entry["differences"] = {
            metric: {"difference": mean, "low": low, "high": high}
            for metric, (mean, (low, high)) in gaps.items()
        }
    return {
        "runs": entries,
        "metrics": metrics,
        "settings": _different_settings(runs),
        "files": _different_files(runs),
        "queries": len(first.queries.targets),
        "candidates": len(first.queries.candidates),
        "seed": seed,
        "resamples": resamples,
        "notes": list(NOTES),
    }


def _entry(
    label: str, run: EvaluatedRun, evaluation: Evaluation, metrics: Sequence[str]
) -> dict[str, Any]:
    intervals = evaluation.intervals
    return {
        "label": label,
        "run": run.name,
        "model": run.model,
        "seconds": dict(run.seconds),
        "figures": {metric: evaluation.figures[metric] for metric in metrics},
        "intervals": {metric: list(intervals[metric]) for metric in metrics if metric in intervals},
    }


def _labels(runs: Sequence[EvaluatedRun]) -> list[str]:
    """Shortest names that distinguish the runs."""
    ((folder, model), count), *_ = Counter(
        (run.folder.resolve(), run.model) for run in runs
    ).most_common(1)
    if count > 1:
        raise InvalidRequestError(
            f"model '{model}' of run '{folder.name}' is there twice; name another run, or another "
            f"model of it, such as {folder.name}:popularity",
            field="runs",
        )
    models = {run.model for run in runs}
    for labels in (
        [run.name for run in runs] if len(models) == 1 else [],
        [f"{run.name}:{run.model}" for run in runs],
    ):
        if len(set(labels)) == len(runs):
            return labels
    return [f"{run.folder}:{run.model}" for run in runs]


def _aligned(first: EvaluatedRun, other: EvaluatedRun) -> Evaluation:
    """The evaluation of ``other``, with its values per query in the order of ``first``.

    Raises:
        DataError: The queries, their histories or the candidates differ.
    """
    reason = _mismatch(first, other)
    if reason:
        causes = ", ".join(_causes(first, other)) or "nothing in the settings or the input files"
        raise DataError(
            f"runs '{first.name}' and '{other.name}' cannot be compared: {reason}; what differs: "
            f"{causes}; evaluate both on the same data with the same split"
        )
    positions = np.empty(len(first.queries.targets), np.int64)
    positions[_order(first)] = _order(other)
    values = {name: column[positions] for name, column in other.evaluation.values.items()}
    return replace(other.evaluation, values=values)


def _order(run: EvaluatedRun) -> Any:
    """Positions of the queries in ascending order of their digests."""
    return np.lexsort((run.queries.histories, run.queries.targets))


def _mismatch(first: EvaluatedRun, other: EvaluatedRun) -> str:
    """How the test queries or the candidates of two runs differ; "" if they are the same."""
    one, two = first.queries, other.queries
    for name, mine, theirs in (
        ("test queries (the user and the items to find)", one.targets, two.targets),
        ("candidates", one.candidates, two.candidates),
    ):
        if not np.array_equal(np.sort(mine), np.sort(theirs)):
            shared = len(np.intersect1d(mine, theirs))
            return f"their {name} differ: {len(mine):,} and {len(theirs):,}, {shared:,} in both"
    differ = one.histories[_order(first)] != two.histories[_order(other)]
    if differ.any():
        count = f"{np.count_nonzero(differ):,} of {len(differ):,}"
        return f"the histories of {count} test queries differ"
    return ""


def _causes(first: EvaluatedRun, other: EvaluatedRun) -> Iterator[str]:
    """Settings of the data and the split, and input files, that differ."""
    for name in _different_files((first, other)):
        if name.startswith(("interactions", "items", "searches")):
            yield f"the content of the file {name}"
    for key, (mine, theirs) in _different_settings((first, other)).items():
        if key.startswith(("data.", "split")) and not key.endswith(".path"):
            yield f"{key} ({mine} and {theirs})"


def _different_settings(runs: Sequence[EvaluatedRun]) -> dict[str, list[Any]]:
    """Settings that are not the same in all runs, with the value of each run or None."""
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    values = {key: [run.settings.get(key) for run in runs] for key in keys}
    return {key: found for key, found in values.items() if any(v != found[0] for v in found)}


def _different_files(runs: Sequence[EvaluatedRun]) -> list[str]:
    """Input files whose content is not the same in all runs."""
    names = dict.fromkeys(name for run in runs for name in run.files)
    return [name for name in names if len({run.files.get(name) for run in runs}) > 1]


def _common_metrics(evaluations: Sequence[Evaluation], ks: Sequence[int]) -> list[str]:
    """Metrics that all evaluations have, ordered by k."""
    common: dict[int, list[str]] = {}
    for metric in evaluations[0].figures:
        if all(metric in each.figures for each in evaluations):
            common.setdefault(int(metric.rpartition("@")[2]), []).append(metric)
    missing = sorted(set(ks) - common.keys())
    if missing or not common:
        known = ", ".join(map(str, sorted(common))) or "none; evaluate all with the same ks"
        raise InvalidRequestError(
            f"the runs have no common metric{f' at {missing[0]}' if missing else ''}; "
            f"values of k in common: {known}",
            field="ks",
        )
    return [metric for k in sorted(ks or common) for metric in common[k]]
