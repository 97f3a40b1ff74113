"""Choice of the default weights of a feed, on the validation queries of two data sets.

    RECSYS_DATA_HOME=... python -m benchmarks.feed.merging [--work FOLDER]

For each of 1,500 validation queries of the sample world and of MovieLens-1M, the default sources
return their lists once. Every setting (weight of the sources other than the towers, weight of the
recent popularity, strength of the diversity) then orders the same lists. Popularity ends before the
first query; the history is left out. The defaults are the setting with the most variety that loses
neither recall nor NDCG against the towers alone, on both.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recsys.bundle import open_bundle
from recsys.evaluation.record import write_record
from recsys.feed import Feed, FeedConfig, Retrieved, merge
from recsys.feed.evaluation.evaluating import before_queries, request_of
from recsys.feed.feed import patient
from recsys.feed.slate import Diversity, diversify
from recsys.ids import Rows, Vectors
from recsys.pipeline import open_job, run_job
from recsys.retrieval import TWO_TOWER
from recsys.screen import Screen
from recsys.splits.held_out import HeldOutQueries

RESULT = Path("benchmarks/results/feed-merging.json")
CONFIGS = {
    "sample": Path("configs/demo.toml"),
    "ml1m": Path(__file__).parent / "offline" / "movielens-1m.toml",
}
QUERIES, LONGEST = 1_500, 50
WEIGHTS, RECENT, STRENGTHS = (0.0, 0.01, 0.05), (0.0, 0.03, 0.1), (0.0, 0.02, 0.05, 0.15)
_SCALE = 61.0
"""Merged score of the first item of one source of weight 1, inverted."""


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists of the sources per query, and what orders them."""

    lists: list[dict[str, Retrieved]]
    targets: list[Rows]
    recent: Vectors
    vectors: Vectors


@dataclass(frozen=True)
class Setting:
    """One setting of a feed's order."""

    weight: float = 0.0
    recent: float = 0.0
    strength: float = 0.0

    @property
    def name(self) -> str:
        """Name of the setting in the record."""
        return f"weight={self.weight:g},recent={self.recent:g},strength={self.strength:g}"

    def figures(self, found: Lists) -> dict[str, float]:
        """Recall at 10 and 50, NDCG at 10, and mean distance of the first ten."""
        rows = [self._order(lists, found) for lists in found.lists]
        hits = [np.isin(row, target) for row, target in zip(rows, found.targets)]
        sizes = [len(target) for target in found.targets]
        gains = 1 / np.log2(np.arange(10) + 2)
        ndcg = [
            float(hit[:10] @ gains[: len(hit[:10])]) / gains[:size].sum()
            for hit, size in zip(hits, sizes)
        ]
        return {
            "recall@10": float(np.mean([hit[:10].sum() / n for hit, n in zip(hits, sizes)])),
            "recall@50": float(np.mean([hit.sum() / n for hit, n in zip(hits, sizes)])),
            "ndcg@10": float(np.mean(ndcg)),
            "diversity@10": float(np.mean([_distance(found.vectors[row[:10]]) for row in rows])),
        }

    def _order(self, lists: Mapping[str, Retrieved], found: Lists) -> Rows:
        if self.weight == 0:
            lists = {TWO_TOWER: lists[TWO_TOWER]}
        merged = merge(lists, weights={name: self.weight for name in lists} | {TWO_TOWER: 1.0})
        popular = np.log1p(found.recent[merged.rows])
        scores = merged.scores * _SCALE + self.recent * popular / popular.max(initial=1e-30)
        vectors = found.vectors[merged.rows]
        diversity = Diversity("mmr", self.strength)
        order = diversify(scores.astype(np.float32), vectors, LONGEST, diversity)
        rows: Rows = merged.rows[order[:LONGEST]]
        return rows


def main() -> None:
    """Collect the lists of both data sets, and print and record every setting."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--work", type=Path, default=Path("runs/feed-merging"))
    work = arguments.parse_args().work
    figures: dict[str, float] = {}
    settings = [Setting()] + [
        Setting(weight, recent, strength)
        for weight in WEIGHTS[1:]
        for recent in RECENT
        for strength in STRENGTHS
    ]
    for data, config in CONFIGS.items():
        found = collected(config, work / data)
        for setting in settings:
            own = setting.figures(found)
            figures |= {f"{data}.{setting.name}.{name}": value for name, value in own.items()}
            print(f"{data:7} {setting.name:38}", *(f"{n} {v:.4f}" for n, v in own.items()))
    command = "python -m benchmarks.feed.merging"
    write_record(RESULT, name="feed-merging", command=command, seeds=[0], figures=figures)


def collected(config: Path, runs: Path) -> Lists:
    """The lists of the default sources for the validation queries of a run, made if needed."""
    with Screen() as screen:
        job = open_job(config, runs=runs, overrides={"ranker": None}, progress=screen)
        run_job(job, until="publish", observer=screen)
    queries = job.split.validation
    drawn = np.random.default_rng(0).permutation(len(queries))[:QUERIES]
    queries = queries.at(np.sort(drawn))
    feed = before_queries(open_bundle(job.bundles).feed, queries)
    rows = np.arange(feed.view.size, dtype=np.int32)
    return Lists(
        _lists(feed, queries),
        [queries.targets(at) for at in range(len(queries))],
        feed.view.statistics.of_rows(feed.view.statistics.recent, rows),
        feed.view.vectors(TWO_TOWER, rows),
    )


def _lists(feed: Feed, queries: HeldOutQueries) -> list[dict[str, Retrieved]]:
    whole = patient(FeedConfig().pipeline("sources"))
    stages = replace(whole, hydrators=(), filters=(), scorers=(), diversity=(), slots=())
    found = []
    for at in range(len(queries)):
        ranked = feed.rank_with(request_of(queries, at, feed, k=LONGEST), stages)
        records = ranked.trace.records
        lists = {each.stage: each.retrieved for each in records if each.retrieved is not None}
        none = Retrieved(np.empty(0, np.int32), np.empty(0, np.float32))
        found.append({TWO_TOWER: none, **lists})
    return found


def _distance(vectors: Vectors) -> float:
    if len(vectors) < 2:
        return 0.0
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    directions = vectors / np.maximum(lengths, 1e-30)
    size = len(vectors)
    cosines = directions @ directions.T
    return float(1 - (cosines.sum() - np.trace(cosines)) / (size * (size - 1)))


if __name__ == "__main__":
    main()
