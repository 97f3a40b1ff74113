"""Run a feed on held-out queries, and measure what every stage did."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from recsys.errors import InvalidRequestError
from recsys.evaluation.bootstrap import Interval
from recsys.evaluation.feeds import (
    ItemFacts,
    Lists,
    StageFigures,
    StageLists,
    evaluate_stages,
    variety_figures,
)
from recsys.feed.feed import Feed, RankedFeed, patient
from recsys.feed.pipeline import Pipeline
from recsys.feed.running.trace import StageRecord, Trace
from recsys.ids import Rows
from recsys.interactions import Interactions
from recsys.progress import Progress, silent
from recsys.ranking import Ranker, Statistics
from recsys.retrieval import TWO_TOWER
from recsys.retrieval.popularity import Popularity
from recsys.splits.held_out import HeldOutQueries
from recsys_client import Query
from recsys_client.feed import FeedItem, FeedRequest

_LEFT_OUT = ("hydrator",)
_SAMPLES = 6


@dataclass(frozen=True, eq=False)
class SampleFeed:
    """One feed as a person sees it.

    Attributes:
        history: Item rows of the history, oldest first.
        rows: Item rows of the feed.
        items: The items with their sources, kinds and propensities.
        targets: Item rows that the user took next.
    """

    history: Rows
    rows: Rows
    items: Sequence[FeedItem]
    targets: Rows


@dataclass(frozen=True, eq=False)
class FeedEvaluation:
    """Figures of a pipeline on held-out queries.

    Attributes:
        pipeline: Name of the pipeline.
        version: Version of the pipeline.
        bundle_version: Version of the bundle, or "".
        queries: Number of queries.
        k: Number of items per feed.
        ks: Lengths of the lists that the figures are taken at.
        stages: Figures after each stage, the sources first.
        variety: Figures of the feeds' variety, each with its interval or None.
        degraded: Number of feeds per stage in which it failed, was late or busy.
        seconds: Median and 99th percentile of the duration of a feed.
        samples: The first feeds.
    """

    pipeline: str
    version: str
    bundle_version: str
    queries: int
    k: int
    ks: tuple[int, ...]
    stages: Sequence[StageFigures]
    variety: dict[str, tuple[float, Interval | None]]
    degraded: dict[str, int]
    seconds: tuple[float, float]
    samples: Sequence[SampleFeed] = field(default=(), repr=False)

    @property
    def figures(self) -> dict[str, float]:
        """The figures of the feed: of its last stage, and of its variety."""
        return {
            **self.stages[-1].figures,
            **{name: value for name, (value, _) in self.variety.items()},
        }

    def as_json(self) -> dict[str, Any]:
        """Everything except the samples, as JSON values."""
        return {
            "pipeline": self.pipeline,
            "version": self.version,
            "bundle_version": self.bundle_version,
            "queries": self.queries,
            "k": self.k,
            "ks": list(self.ks),
            "figures": self.figures,
            "stages": [
                {
                    "stage": each.name,
                    "role": each.role,
                    "figures": dict(each.figures),
                    "changes": {
                        name: {"difference": value, "low": low, "high": high}
                        for name, (value, (low, high)) in each.changes.items()
                    },
                }
                for each in self.stages
            ],
            "intervals": {
                name: list(interval)
                for name, (_, interval) in self.variety.items()
                if interval is not None
            },
            "degraded": self.degraded,
            "seconds": {"median": self.seconds[0], "p99": self.seconds[1]},
        }


def evaluate_feed(
    feed: Feed,
    queries: HeldOutQueries,
    *,
    pipeline: str = "",
    k: int = 50,
    ks: Sequence[int] = (10, 50),
    attribute: str = "",
    most: int = 1000,
    seed: int = 0,
    resamples: int = 1000,
    progress: Progress = silent,
) -> FeedEvaluation:
    """Rank the feed of held-out queries and measure it after every stage.

    A query is its history and context; its items are not in the feed unless the pipeline shows
    seen items. The stages have no time budgets here. The request's time is that of the target.
    Popularity and the statistics of the ranker end before the first query, so that no stage reads
    the targets.

    Args:
        queries: Queries with their targets, such as the test of a split.
        pipeline: Name of the pipeline; "" for the first one.
        k: Number of items per feed.
        ks: Lengths of the lists that recall and NDCG are taken at; variety is measured at the
            first.
        attribute: Column of the catalogue whose distribution is compared with the history's; ""
            for none.
        most: Largest number of queries; more are sampled by ``seed``.

    Raises:
        InvalidRequestError: There are no queries or no such pipeline, or the catalogue has no such
            column.
    """
    name, queries = _checked(feed, queries, pipeline, most=most, seed=seed)
    feed = before_queries(feed, queries)
    stages = patient(feed.feeds[name].pipeline(name))
    requests = [request_of(queries, at, feed, k=k, seed=seed) for at in range(len(queries))]
    found, durations = _ranked(feed, requests, stages, progress)
    targets = Lists.of([queries.targets(at) for at in range(len(queries))])
    figures = evaluate_stages(
        _stage_lists([each.trace for each in found]), targets, ks=ks, seed=seed, resamples=resamples
    )
    variety = variety_figures(
        Lists.of([each.trace.rows for each in found]),
        facts=_facts(feed, attribute),
        targets=targets,
        histories=Lists.of(queries.histories()),
        k=ks[0],
        seed=seed,
        resamples=resamples,
    )
    return FeedEvaluation(
        pipeline=stages.name,
        version=stages.version,
        bundle_version=feed.view.retriever.bundle_version or "",
        queries=len(queries),
        k=k,
        ks=tuple(ks),
        stages=figures,
        variety=variety,
        degraded=_degraded(found),
        seconds=(float(np.median(durations)), float(np.quantile(durations, 0.99))),
        samples=_samples(queries, found),
    )


def _checked(
    feed: Feed, queries: HeldOutQueries, pipeline: str, *, most: int, seed: int
) -> tuple[str, HeldOutQueries]:
    """Name of the pipeline, and a sample of the queries."""
    if not len(queries):
        raise InvalidRequestError("there are no queries to evaluate", field="queries")
    name = pipeline or next(iter(feed.feeds))
    if name not in feed.feeds:
        raise InvalidRequestError(
            f"there is no pipeline '{name}'; pipelines: {', '.join(feed.feeds)}", field="pipeline"
        )
    if len(queries) > most:
        chosen = np.random.default_rng(seed).choice(len(queries), most, replace=False)
        queries = queries.at(np.sort(chosen))
    return name, queries


def before_queries(feed: Feed, queries: HeldOutQueries) -> Feed:
    """The feed with statistics of the log before the first query."""
    log, ranker = feed.view.retriever.log, feed.view.ranker
    if not isinstance(log, Interactions) or log.clock != "timestamp":
        return feed
    moment = int(queries.time.min())
    popularity = Popularity(log.take(log.time < moment))
    if ranker is not None:
        config = ranker.features.statistics.config
        statistics = Statistics.of(log, before=moment, config=config)
        ranker = Ranker.of(ranker.scorer, statistics, ranker.calibration)
    retriever = replace(feed.view.retriever, popularity=popularity)
    return replace(feed, view=replace(feed.view, retriever=retriever, ranker=ranker))


def _ranked(
    feed: Feed, requests: Sequence[FeedRequest], stages: Pipeline, progress: Progress
) -> tuple[list[RankedFeed], list[float]]:
    """The feed of each request, and its duration in seconds."""
    found, durations = list[RankedFeed](), list[float]()
    for at, request in enumerate(requests):
        began = time.perf_counter()
        found.append(feed.rank_with(request, stages))
        durations.append(time.perf_counter() - began)
        progress(f"feed {stages.name}", at + 1, len(requests))
    return found, durations


def _samples(queries: HeldOutQueries, found: Sequence[RankedFeed]) -> list[SampleFeed]:
    return [
        SampleFeed(queries.history(at), each.trace.rows, each.response.items, queries.targets(at))
        for at, each in enumerate(found[:_SAMPLES])
    ]


def request_of(
    queries: HeldOutQueries, at: int, feed: Feed, *, k: int, seed: int = 0
) -> FeedRequest:
    """The request of a held-out query, at the time of its target."""
    ids = feed.view.retriever.catalogue.ids
    times = queries.times()
    context = {
        name: values.id(int(queries.context_rows[name][at]))
        for name, values in queries.context.items()
    }
    query = Query(
        history=ids.ids(queries.history(at)),
        history_times=None if times is None else times[at].tolist(),
        context=context,
    )
    return FeedRequest(query, k=k, now=int(queries.time[at]), seed=seed + at, titles=True)


def _stage_lists(traces: Sequence[Trace]) -> list[StageLists]:
    """The candidates after each stage that every pipeline run recorded."""
    found = []
    for at, record in enumerate(traces[0].records):
        if record.role in _LEFT_OUT:
            continue
        lists = Lists.of([_rows_after(trace.records[at]) for trace in traces])
        found.append(StageLists(record.stage, record.role, lists))
    return found


def _rows_after(record: StageRecord) -> Rows:
    """The list of a source, or the candidates after another stage."""
    for listed in (record.retrieved, record.after, record.before):
        if listed is not None:
            return listed.rows
    return np.empty(0, np.int32)


def _facts(feed: Feed, attribute: str) -> ItemFacts:
    view, rows = feed.view, np.arange(feed.view.size, dtype=np.int32)
    space = TWO_TOWER if view.space(TWO_TOWER) else next(iter(view.retriever.spaces))
    values = None
    if attribute:
        column = view.columns.values(attribute, path="attribute").at(rows)
        values = np.full((len(rows), max(map(len, column), default=1) or 1), -1, np.int32)
        for row, own in enumerate(column):
            values[row, : len(own)] = own
    return ItemFacts(
        counts=view.statistics.of_rows(view.statistics.popularity, rows).astype(np.int64),
        candidates=view.present(rows),
        vectors=view.vectors(space, rows),
        values=values,
    )


def _degraded(found: Sequence[RankedFeed]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in found:
        for stage in each.response.degraded:
            counts[stage] = counts.get(stage, 0) + 1
    return counts
