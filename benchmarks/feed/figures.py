"""Figures of the record, from its sections, with what each of them states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.feed.offline.datasets import DATA_SETS
from benchmarks.feed.offline.measures import FIGURES, relative_gain

Sections = Mapping[str, Any]
ROUNDS = 5
"""Number of last rounds of the loop whose clicks are compared with the oracle's."""


def figures_of(sections: Sections) -> dict[str, float]:
    """The figures of the sections that are there."""
    found: dict[str, float] = {}
    for name, data_set in DATA_SETS.items():
        if name in sections:
            found |= _rankers(data_set.prefix, sections[name])
    if "calls" in sections:
        found |= {f"rank_feed.{k}": v for k, v in sections["calls"].items() if _number(v)}
    if "mmr" in sections:
        found["mmr_500_50_ms"] = sections["mmr"]["median_ms"]
    if "loop" in sections:
        found |= loop_figures(sections["loop"])
    if "open_bandit" in sections:
        found |= sections["open_bandit"]["figures"]
    return found


def mean(results: Sequence[Mapping[str, Any]], scorer: str, figure: str) -> float:
    """Mean over the seeds."""
    return float(np.mean([each["scorers"][scorer][figure] for each in results]))


def loop_figures(results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Clicks of the last rounds and of new items, as shares of the oracle's, over all seeds."""
    found = {}
    for name in results[0]["arms"]:
        rounds = [each["arms"][name] for each in results]
        key = f"loop.{name.split()[0]}"
        found[f"{key}.share_of_oracle"] = _share(
            [r[-ROUNDS:] for r in rounds], "expected", "oracle"
        )
        found[f"{key}.new_share_of_oracle"] = _share(rounds, "new", "new_oracle")
        found[f"{key}.first_clicks"] = float(np.mean([each[0]["expected"] for each in rounds]))
        found[f"{key}.last_clicks"] = float(
            np.mean([each["expected"] for own in rounds for each in own[-ROUNDS:]])
        )
    return found | {"loop.share_of_oracle": found["loop.with.share_of_oracle"]}


def _rankers(prefix: str, results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    found = {
        f"{prefix}.{scorer}.{figure}": mean(results, scorer, figure)
        for scorer in results[0]["scorers"]
        for figure in FIGURES
    }
    feed, retrieval = (f"{prefix}.{name}" for name in ("feed", "retrieval"))
    found[f"{prefix}.ndcg_gain"] = found[f"{feed}.ndcg@10"] / found[f"{retrieval}.ndcg@10"] - 1
    sums = [
        np.mean([each["users"][name] for each in results], axis=0) for name in ("feed", "retrieval")
    ]
    low, high = relative_gain(*sums)
    found[f"{prefix}.ndcg_gain.low"], found[f"{prefix}.ndcg_gain.high"] = low, high
    for figure in ("recall@10", "recall@50", "coverage@10"):
        name = f"{prefix}.{figure.split('@')[0]}_ratio"
        name += figure[-2:] if figure.startswith("recall") else ""
        found[name] = found[f"{feed}.{figure}"] / found[f"{retrieval}.{figure}"]
    found[f"{prefix}.calibration_error"] = float(
        np.mean([each["reliability"]["error"] for each in results])
    )
    found[f"{prefix}.discount"] = float(np.mean([_discount(each) for each in results]))
    if "oracle" in results[0]:
        found[f"{prefix}.share_of_oracle"] = (
            found[f"{feed}.ndcg@10"] / results[0]["oracle"]["ndcg@10"]
        )
    return found


def _discount(result: Mapping[str, Any]) -> float:
    return next(float(each["discount"]) for each in result["discounts"] if each["chosen"])


def _share(seeds: Sequence[Sequence[Mapping[str, float]]], figure: str, of: str) -> float:
    sums = [sum(each[name] for rounds in seeds for each in rounds) for name in (figure, of)]
    return float(sums[0] / max(sums[1], 1e-12))


def _number(value: object) -> bool:
    return isinstance(value, int | float)


DEFINITIONS = {
    "ndcg_gain": "NDCG@10 of the feed over that of the order of retrieval, minus 1, with the 95% "
    "interval of a bootstrap over users (means of the seeds)",
    "recall_ratio10": "recall@10 of the feed over that of the order of retrieval",
    "recall_ratio50": "the same of recall@50",
    "coverage_ratio": "number of distinct items in the first ten of all test queries, over that of "
    "the order of retrieval",
    "calibration_error": "expected calibration error of the feed's scorer on validation",
    "discount": "factor of the logarithm of popularity that is subtracted (mean of the seeds)",
    "share_of_oracle": "NDCG@10 of the feed over that of the oracle; of the loop, expected clicks "
    "per feed in the last five rounds over those of the oracle",
    "new_share_of_oracle": "expected clicks on new items over those of the oracle",
    "first_clicks": "expected clicks per feed in the first round",
    "last_clicks": "the same in the last five rounds",
    "rank_feed": "`RankFeed` at 50 calls per second on one core, with a store and about 500 "
    "candidates per call; `per_second` with four calls in flight, `in_process.per_second` of the "
    "pipeline alone, one request after another, and `share_of_in_process` their ratio",
    "mmr_500_50_ms": "median milliseconds of MMR from 500 candidates to 50",
    "ope.max_gap": "largest difference of an off-policy estimate from its published value, as a "
    "share of it",
}
