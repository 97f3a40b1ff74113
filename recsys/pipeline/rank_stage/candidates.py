"""Held-out queries with the candidates that a ranker scores in the feeds of the bundle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from recsys.errors import DataError, InvalidRequestError
from recsys.feed import (
    DEFAULT,
    FeedConfig,
    FeedContext,
    FeedRequest,
    FeedView,
    Pipeline,
    StagePool,
    Trace,
    choose,
    patient,
    run_pipeline,
)
from recsys.feed.resolving import resolve
from recsys.feed.scoring.learned import scorer_inputs
from recsys.pipeline.config import RunConfig
from recsys.pipeline.job import Job
from recsys.ranking.learning import AnsweredRequest
from recsys.retrieval import TEXT, Query, Retriever, Space
from recsys.retrieval.popularity import Popularity
from recsys.splits import HeldOutQueries


def ranked_pipeline(config: RunConfig, *, candidates: int) -> Pipeline:
    """The stages of the main feed up to its scorers, without time budgets.

    The main feed is that of requests without a user. ``candidates`` is the largest number of
    merged candidates.
    """
    feeds = config.feed or {DEFAULT: FeedConfig()}
    name = choose(feeds, "", None)
    whole = patient(feeds[name].pipeline(name))
    limit = min(whole.limit, candidates)
    return replace(whole, scorers=(), diversity=(), slots=(), limit=limit)


@dataclass(frozen=True, eq=False)
class FeedCandidates:
    """The candidates of a pipeline for held-out queries, as they were before a moment.

    Popularity ends at the moment, and a query has its own history only. Sources that read other
    parts of a request (followed values, given candidates, pinned items) return nothing.

    Attributes:
        job: The run, whose spaces are built.
        pipeline: Stages up to the scorers.
        view: State that answers.
    """

    job: Job
    pipeline: Pipeline
    view: FeedView

    @classmethod
    def of(cls, job: Job, pipeline: Pipeline, *, before: int | None) -> FeedCandidates:
        """The candidates of a run; popularity counts its training part ``before`` a time."""
        log = job.split.train
        earlier = log if before is None else log.take(log.time < before)
        retriever = Retriever(
            job.ingested.catalogue,
            job.ingested.interactions,
            job.towers,
            {name: Space.load(job.folder / "index" / name, name) for name in job.config.spaces},
            text_encoder=job.encoders.get(TEXT),
            popularity=Popularity(earlier),
        )
        return cls(job, pipeline, FeedView(retriever))

    def sources(self, queries: HeldOutQueries) -> tuple[str, ...]:
        """Names of the sources that run for a query with a history, or with search terms."""
        longest, searched = queries.history_lengths.argmax(), (queries.terms > 0).argmax()
        contexts = [self._context(queries, int(at)) for at in (longest, searched)]
        return tuple(
            source.title
            for source in self.pipeline.sources
            if source.enabled and not all(source.idle(context) for context in contexts)
        )

    def requests(self, queries: HeldOutQueries) -> Iterator[AnsweredRequest]:
        """The queries with their candidates, but for those of which the towers read nothing.

        Raises:
            DataError: A stage failed.
        """
        pool, known = StagePool(), self.job.users_known_from(self.job.split.train)
        for at in range(len(queries)):
            context = self._context(queries, at)
            if context.query is not None and known[queries.user[at]]:
                own = replace(context.query, user=int(queries.user[at]))
                context = replace(context, query=own)
            try:
                context.user_vector()
            except InvalidRequestError:
                continue
            trace = run_pipeline(self.pipeline, context, pool)
            _check(trace)
            found = trace.records[-1].before  # the feed has not been cut to its positions
            assert found is not None
            pair, items = scorer_inputs(context, found, vectors=True)
            yield AnsweredRequest(pair, items, queries.targets(at), int(queries.time[at]))

    def _context(self, queries: HeldOutQueries, at: int) -> FeedContext:
        """The request of a query."""
        ids, times = self.view.retriever.catalogue.ids, queries.pool_times
        own = slice(queries.history_start[at], queries.history_stop[at])
        query = Query(
            history=ids.ids(queries.pool[own]),
            history_times=None if times is None else times[own].tolist(),
            terms=queries.phrases[int(queries.terms[at])] or None,
            context={
                name: values.id(int(queries.context_rows[name][at]))
                for name, values in queries.context.items()
                if name in self.job.towers.context_columns
            },
        )
        request = FeedRequest(query, now=int(queries.time[at]), seed=at)
        return resolve(request, self.pipeline, self.view)


def _check(trace: Trace) -> None:
    for record in trace.records:
        if record.status == "failed":
            raise DataError(f"the stage '{record.stage}' of the feed failed: {record.message}")
