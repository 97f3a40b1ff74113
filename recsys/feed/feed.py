"""The feed: a request in, the ordered and varied list of items out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from recsys.errors import ConfigError, RecsysError
from recsys.feed.arranging import Slate
from recsys.feed.config import DEFAULT, FeedConfig, choose, shares_of
from recsys.feed.context import FeedContext
from recsys.feed.explaining import explain_feed
from recsys.feed.filters import Available, MaximumAge, Predicate
from recsys.feed.pipeline import Pipeline
from recsys.feed.resolving import resolve
from recsys.feed.running.counting import StageCounts
from recsys.feed.running.pool import StagePool, shared_pool
from recsys.feed.running.runner import run_pipeline
from recsys.feed.running.time_limits import RequestTime
from recsys.feed.running.trace import Trace
from recsys.feed.stages import Stage
from recsys.feed.view import FeedView
from recsys.retrieval import Query, Retriever
from recsys.store import ShownItems, Store
from recsys_client.feed import FeedItem, FeedRequest, FeedResponse, Slot

_SLOTS: tuple[Slot, ...] = get_args(Slot)
_PATIENT_MS = 600_000.0


@dataclass(frozen=True, eq=False)
class RankedFeed:
    """A feed with everything that made it.

    Attributes:
        response: The answer in ids.
        context: The request in rows.
        pipeline: The pipeline that answered.
        trace: The record of every stage, and the feed in rows.
    """

    response: FeedResponse
    context: FeedContext
    pipeline: Pipeline
    trace: Trace


@dataclass(frozen=True, eq=False)
class Feed:
    """Ranks feeds in this process; immutable and thread-safe.

    Attributes:
        view: The state that answers.
        feeds: Pipelines by name.
        pool: Threads of the stages; by default one pool per process.
        counts: Counts of the stages, which feeds of several views share.

    Raises:
        ConfigError: The shares do not sum to 1, or a stage names a column that does not exist.

    Example:
        >>> from recsys.catalogue import catalogue_of_ids
        >>> from recsys.ids import IdMap
        >>> from recsys.index import ExactConfig
        >>> from recsys.interactions import Interactions
        >>> from recsys.retrieval import Space
        >>> import numpy as np
        >>> catalogue = catalogue_of_ids(["lamp", "desk lamp", "rug"])
        >>> log = Interactions.of(
        ...     IdMap.of("user", ["ann"]), catalogue.ids, user=[0, 0], item=[0, 2], time=[1, 2]
        ... )
        >>> vectors = np.array([[1, 0], [0.9, 0.1], [0, 1]], np.float32)
        >>> space = Space.content("text", vectors, np.ones(3, bool), ExactConfig())
        >>> retriever = Retriever(catalogue, log, None, {"text": space})
        >>> feed = Feed(FeedView(retriever))
        >>> feed.rank(FeedRequest(k=2)).ids
        ['rug', 'lamp']
    """

    view: FeedView
    feeds: Mapping[str, FeedConfig] = field(default_factory=lambda: {DEFAULT: FeedConfig()})
    pool: StagePool = field(default_factory=shared_pool)
    counts: StageCounts = field(default_factory=StageCounts)

    def __post_init__(self) -> None:
        shares_of(self.feeds)
        for name, section in self.feeds.items():
            for stage in section.pipeline(name):
                self._check_columns(name, stage)

    def over(self, retriever: Retriever) -> Feed:
        """The same feeds over another retriever, such as that of a newer snapshot of the bundle."""
        found = copy(self)  # The columns are those of the bundle and were checked.
        object.__setattr__(found, "view", replace(self.view, retriever=retriever))
        return found

    def following(self, store: Store) -> Feed:
        """The same feeds with counts of what a store records as shown, which exploration reads."""
        return replace(self, view=replace(self.view, shown=ShownItems(store)))

    def rank(self, request: FeedRequest, *, seconds: float = math.inf) -> FeedResponse:
        """The feed of one request.

        Args:
            request: The request.
            seconds: Time that the caller waits, which the stages share; those that are late then
                are reported as such. The pipeline has a budget of its own.

        Raises:
            InvalidRequestError: A value is out of range, or a filter or column does not fit the
                catalogue; ``field`` names it.
            NotFoundError: There is no pipeline of this name.
        """
        return self.rank_with_trace(request, seconds=seconds).response

    def rank_with_trace(self, request: FeedRequest, *, seconds: float = math.inf) -> RankedFeed:
        """As :meth:`rank`, with the context and the trace, from which features can be logged."""
        request.check()
        name = choose(self.feeds, request.pipeline, request.query.user_id)
        return self.rank_with(request, self.feeds[name].pipeline(name), seconds=seconds)

    def warm_up(self) -> None:
        """Answer one request per pipeline without time budgets, so that the next ones are fast."""
        popular = self.view.retriever.catalogue.ids.ids(self.view.statistics.popular.first(1)[:1])
        for name, section in self.feeds.items():
            pipeline = patient(section.pipeline(name))
            context = resolve(FeedRequest(Query(history=popular)), pipeline, self.view)
            run_pipeline(pipeline, context, self.pool)

    def rank_with(
        self, request: FeedRequest, pipeline: Pipeline, *, seconds: float = math.inf
    ) -> RankedFeed:
        """As :meth:`rank_with_trace`, by a pipeline that need not be one of ``feeds``."""
        time_left = RequestTime.of(seconds)
        context = resolve(request, pipeline, self.view)
        trace = run_pipeline(pipeline, context, self.pool, time_left)
        response = _response(trace, pipeline, context)
        self.counts.add(pipeline.name, response.stages)
        return RankedFeed(response, context, pipeline, trace)

    def _check_columns(self, name: str, stage: Stage) -> None:
        context = FeedContext(FeedRequest(), self.view, now=int(time.time()))
        try:
            if isinstance(stage, Predicate | Available | MaximumAge):
                condition = stage.condition(context)
                if condition is not None and stage.enabled:
                    self.view.columns.rows(condition, path=stage.title)
            elif isinstance(stage, Slate) and stage.enabled:
                for limit in stage.limits:
                    self.view.columns.values(limit.column, path=f"{stage.title}.limits.column")
        except RecsysError as error:
            raise ConfigError(f"the feed '{name}': {error.message}", field=f"feed.{name}") from None


def patient(pipeline: Pipeline) -> Pipeline:
    """The pipeline without time budgets, such as for the first request of a process."""

    def slow(stages: tuple[Stage, ...]) -> Any:
        return tuple(stage.model_copy(update={"budget_ms": _PATIENT_MS}) for stage in stages)

    return replace(
        pipeline,
        budget_ms=math.inf,
        sources=slow(pipeline.sources),
        hydrators=slow(pipeline.hydrators),
        filters=slow(pipeline.filters),
        scorers=slow(pipeline.scorers),
        diversity=slow(pipeline.diversity),
        slots=slow(pipeline.slots),
    )


def _response(trace: Trace, pipeline: Pipeline, context: FeedContext) -> FeedResponse:
    request, retriever = context.request, context.view.retriever
    explains = request.explains
    reports = trace.reports()
    return FeedResponse(
        _items(trace, context),
        pipeline.name,
        pipeline.version,
        reports,
        short=_why_short(trace, context),
        unknown_history=context.unknown.get("history", ()),
        unknown_exclude=context.unknown.get("exclude", ()),
        unknown_candidates=context.unknown.get("candidates", ()),
        known_user=context.known_user,
        bundle_version=retriever.bundle_version,
        watermark=retriever.watermark,
        explanation=explain_feed(trace, pipeline, context, request.explain_ids)
        if explains
        else None,
    )


def _items(trace: Trace, context: FeedContext) -> tuple[FeedItem, ...]:
    state, catalogue = trace.state, context.view.retriever.catalogue
    found, n = state.candidates, len(state.candidates)
    ids = catalogue.ids.ids(found.rows)
    kinds = [0] * n if state.kinds is None else state.kinds.tolist()
    chances = [1.0] * n if state.propensities is None else state.propensities.tolist()
    titles = catalogue.titles_at(found.rows) if context.request.titles else [None] * n
    from_source = (found.ranks == found.ranks).tolist()
    return tuple(
        FeedItem(
            ids[at],
            at + 1,
            score,
            tuple(name for name, has in zip(found.sources, from_source[at]) if has),
            _SLOTS[kinds[at]],
            chances[at],
            titles[at],
        )
        for at, score in enumerate(found.scores.tolist())
    )


def _why_short(trace: Trace, context: FeedContext) -> str | None:
    missing = context.k - len(trace.rows)
    if not missing:
        return None
    (merged,) = [each for each in trace.records if each.role == "merge"]
    found = 0 if merged.before is None else len(merged.before)
    removed = {
        record.stage: len(record.before) - len(record.after)
        for record in trace.records
        if record.before is not None and record.after is not None
    }
    listed = ", ".join(f"{stage} {count:,}" for stage, count in removed.items() if count > 0)
    return (
        f"{missing:,} of the {context.k:,} positions are empty: the sources returned {found:,} "
        f"items{f', of which these stages left out: {listed}' if listed else ''}"
    )
