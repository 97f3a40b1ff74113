"""The bundles that the pages show: those of ``benchmarks.serving`` with reports of full size."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace

import numpy as np

from benchmarks.serving.parts import Setting
from benchmarks.serving.world import ITEMS_PER_USER, VERSIONS, ensure
from recsys.bundle import list_bundles, open_bundle, publish
from recsys.errors import RecsysError
from recsys.evaluation import Evaluation
from recsys.evaluation.published import FailedQuery, PublishedReport
from recsys.splits.query_digests import QueryDigests

QUERIES, EPOCHS, FAILURES, K = 10_000, 20, 50, 10
SCORERS = ("two_tower", "random", "popularity", "item_knn")
SEGMENTS = ("head", "middle", "tail", "warm", "cold", "new_users", "light_users", "heavy_users")


def ensure_with_reports(setting: Setting) -> Setting:
    """The setting of a folder with both bundles, each with a report, published unless it is there.

    The figures of the reports are random numbers; a report of 10,000 queries is the largest one
    that a run publishes.
    """
    reported = replace(setting, folder=setting.folder / "console")
    with suppress(RecsysError):
        found = list_bundles(reported.bundles)
        if len(found) == VERSIONS and all(each.has_report for each in found):
            open_bundle(reported.bundles, "current")
            return reported
    ensure(setting)
    shutil.rmtree(reported.bundles, ignore_errors=True)
    for seed, info in enumerate(reversed(list_bundles(setting.bundles))):
        bundle = open_bundle(setting.bundles, info.version)
        config = {"train": {"epochs": EPOCHS, "learning_rate": 0.001 * (1 + seed)}}
        parts = replace(bundle.parts, report=report(setting.items, seed), config=config)
        publish(reported.bundles, parts)
    return reported


def report(items: int, seed: int) -> PublishedReport:
    """A report with every kind of figure, and as many failed queries as a report has."""
    rng = np.random.default_rng(seed)
    names = [*(f"{metric}@{k}" for metric in ("recall", "hr", "ndcg", "mrr") for k in (5, K, 50))]
    names += [f"recall_of_{segment}@{K}" for segment in SEGMENTS]
    counts = {"queries": QUERIES, **{f"{each}_queries": QUERIES // 4 for each in SEGMENTS}}
    found = {}
    for scorer in SCORERS:
        values = {name: rng.random(QUERIES).astype(np.float32) for name in names}
        values[f"hr@{K}"] = (values[f"hr@{K}"] < 0.3).astype(np.float32)
        figures = {name: float(column.mean()) for name, column in values.items()}
        intervals = {name: (value - 0.01, value + 0.01) for name, value in figures.items()}
        found[scorer] = Evaluation(scorer, figures, intervals, counts, values, 0.0)
    numbers = np.arange(QUERIES, dtype=np.uint64)
    return PublishedReport.of(
        *(found, QueryDigests(numbers, numbers, numbers)),
        name="benchmark",
        seeds=[seed],
        protocol="leave-last-out",
        k=K,
        epochs=[
            {"epoch": number, "loss": 9 / number, "validation": 1 - 1 / number}
            for number in range(1, EPOCHS + 1)
        ],
        failures=[_failure(rng, items) for _ in range(FAILURES)],
    )


def _failure(rng: np.random.Generator, items: int) -> FailedQuery:
    ids = [f"i{row}" for row in rng.integers(items, size=22)]
    expected = tuple((each, int(rng.integers(11, items)), ("tail",)) for each in ids[:4])
    user = f"u{rng.integers(items // ITEMS_PER_USER)}"
    return FailedQuery(user, tuple(ids[4:16]), 50, "", expected, tuple(ids[16:]), ("heavy_users",))
