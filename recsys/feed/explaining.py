"""Explanations: the way of each item of a feed through the stages, and where others were lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from recsys.feed.candidates import Candidates
from recsys.feed.context import FeedContext
from recsys.feed.pipeline import Pipeline
from recsys.feed.resolving import unknown_values
from recsys.feed.running.trace import EMPTY, StageRecord, Trace
from recsys.feed.similarities import similar_history
from recsys.feed.stages import Contributions, ScoringStage
from recsys.ids import Rows
from recsys_client.feed import (
    AbsentItem,
    FeatureContribution,
    FeedExplanation,
    FeedItemExplanation,
    RemovedItems,
    SourceRank,
    StageRank,
)

_FEATURES = 5
"""Number of features that are named per item."""
_NAMED = 6
"""Number of removed items that are named per stage and reason."""
_ORDERING = ("merge", "scorer", "diversity", "slots")


def explain_feed(
    trace: Trace, pipeline: Pipeline, context: FeedContext, absent: Sequence[str]
) -> FeedExplanation:
    """The explanation of a feed, and of items that are not in it.

    Args:
        trace: The feed.
        pipeline: Its pipeline.
        context: Its request.
        absent: Ids whose absence is explained; those that are in the feed are left out.
    """
    return FeedExplanation(
        tuple(_items(trace, pipeline, context)),
        tuple(_absent(trace, pipeline, context, absent)),
        tuple(each for record in trace.records for each in _removed(record, context)),
        tuple(unknown_values(context.request, context.view)),
    )


def _items(trace: Trace, pipeline: Pipeline, context: FeedContext) -> Iterator[FeedItemExplanation]:
    rows = trace.rows
    stages = [_ranks(record, rows) for record in trace.records if record.role in _ORDERING]
    features = _contributions(trace, pipeline, context)
    similar = similar_history(context, rows)
    ids = context.view.retriever.catalogue.ids.ids(rows)
    for at, id_ in enumerate(ids):
        yield FeedItemExplanation(
            id_,
            _sources(trace.state.candidates, at),
            tuple(found[at] for found in stages if found and found[at] is not None),
            _largest(features[at]),
            similar[at],
        )


def _sources(candidates: Candidates, at: int) -> tuple[SourceRank, ...]:
    ranks, scores = candidates.ranks[at].tolist(), candidates.source_scores[at].tolist()
    return tuple(
        SourceRank(name, int(rank), score)
        for name, rank, score in zip(candidates.sources, ranks, scores)
        if rank == rank
    )


def _ranks(record: StageRecord, rows: Rows) -> list[StageRank]:
    """Rank and score of each row after one stage; empty for a stage without effect."""
    if record.status != "ok" or record.after is None:
        return []
    positions = record.after.positions_of(rows)
    scores = record.after.scores[positions].tolist()
    return [
        StageRank(record.stage, position + 1, score)
        for position, score in zip(positions.tolist(), scores)
    ]


def _contributions(trace: Trace, pipeline: Pipeline, context: FeedContext) -> list[Contributions]:
    """Contributions per item of the feed to the score of the last stage that scored it."""
    nothing: list[Contributions] = [{} for _ in trace.rows]
    for record in reversed(trace.records):
        if record.role == "scorer" and record.status == "ok" and record.before is not None:
            stage = pipeline.stage(record.stage)
            assert isinstance(stage, ScoringStage)
            positions = record.before.positions_of(trace.rows).tolist()
            try:
                return stage.contributions(context, record.before, positions)
            except Exception:  # An explanation is never worth the feed.
                return nothing
    return nothing


def _largest(contributions: Contributions) -> tuple[FeatureContribution, ...]:
    found = [FeatureContribution(name, *each) for name, each in contributions.items()]
    found.sort(key=lambda each: -abs(each.contribution))
    return tuple(found[:_FEATURES])


def _absent(
    trace: Trace, pipeline: Pipeline, context: FeedContext, ids: Sequence[str]
) -> Iterator[AbsentItem]:
    known, shown = context.view.retriever.catalogue.ids, set(trace.rows.tolist())
    for id_ in dict.fromkeys(ids):
        if id_ not in known:
            yield AbsentItem(id_, "catalogue", "the catalogue has no such item")
        elif (row := known.row(id_)) not in shown:
            yield _lost(trace, pipeline, context, id_, row)


def _lost(trace: Trace, pipeline: Pipeline, context: FeedContext, id_: str, row: int) -> AbsentItem:
    rows = np.array([row], np.int32)
    (similar,) = similar_history(context, rows)
    for record in trace.records:
        if record.before is None or record.after is None:
            continue
        at = int(record.before.positions_of(rows)[0])
        if record.role == "merge" and at < 0:
            reason = _not_retrieved(pipeline, context, rows)
            return AbsentItem(id_, "sources", reason, similar=similar)
        if at >= 0 and int(record.after.positions_of(rows)[0]) < 0:
            sources = _sources(record.before, at)
            return AbsentItem(id_, record.stage, _reason(record, context, at), sources, similar)
    raise AssertionError(f"the row {row} is neither in the feed nor lost")


def _reason(record: StageRecord, context: FeedContext, at: int) -> str:
    reason = _words(record, 0 if record.codes is None else int(record.codes[at]))
    if record.because is not None and record.because[at] >= 0:
        reason += f" '{context.view.retriever.catalogue.ids.ids(record.because[at : at + 1])[0]}'"
    return f"{reason}; it was number {at + 1} of {len(record.before or EMPTY):,} before"


def _words(record: StageRecord, code: int) -> str:
    return record.reasons[code] if 0 <= code < len(record.reasons) else "it was left out"


def _removed(record: StageRecord, context: FeedContext) -> Iterator[RemovedItems]:
    """The items that a stage removed, by the reason; those with the best ranks are named."""
    if record.before is None or record.after is None:
        return
    lost = np.flatnonzero(record.after.positions_of(record.before.rows) < 0)
    codes = np.zeros(len(lost), np.int8) if record.codes is None else record.codes[lost]
    ids = context.view.retriever.catalogue.ids
    for code in np.unique(codes).tolist():
        positions = lost[codes == code]
        named = ids.ids(record.before.rows[positions[:_NAMED]])
        yield RemovedItems(record.stage, _words(record, code), len(positions), tuple(named))


def _not_retrieved(pipeline: Pipeline, context: FeedContext, rows: Rows) -> str:
    """Why no source returned a row: also the first filter that would have removed it."""
    blank = np.full((1, 0), np.nan, np.float32)
    alone = Candidates(rows, (), blank, blank, np.zeros(1, np.float32))
    for stage in pipeline.filters:
        if not stage.enabled or stage.idle(context):
            continue
        try:
            filtered = stage.run(context, alone)
        except Exception:  # The record of the stage says what is wrong with it.
            continue
        if not filtered.kept[0]:
            return f"no source returned it; the filter {stage.title} removes it: {filtered.reason}"
    return "no source returned it among its first candidates"
