"""What each stage of a pipeline did in one request: the sources, and the funnel after them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from recsys_client.feed import (
    FeedResponse,
    PipelineDescription,
    RemovedItems,
    StageDescription,
    StageReport,
)


@dataclass(frozen=True)
class StageView:
    """One stage in one request.

    Attributes:
        report: Report of the stage.
        kind: Kind of the stage, as in the configuration; "" for steps that are not configured.
        budget: Time in seconds that it may take; None where it has none.
        settings: Values of its configuration, as JSON.
        in_feed: Of a source, the number of items of the feed that it returned.
        removed: Items that it removed, by the reason.
        width: Number of candidates that a bar of full width stands for.
    """

    report: StageReport
    kind: str = ""
    budget: float | None = None
    settings: dict[str, str] = field(default_factory=dict)
    in_feed: int = 0
    removed: tuple[RemovedItems, ...] = ()
    width: int = 1

    @property
    def kept_share(self) -> float:
        """Length of the bar of the kept candidates, in percent."""
        return 100 * self.report.returned / self.width

    @property
    def lost_share(self) -> float:
        """Length of the bar of the removed candidates, in percent."""
        return 100 * max(self.report.given - self.report.returned, 0) / self.width

    @property
    def time_share(self) -> float:
        """Share of the budget that it took, in percent, at most 100."""
        return min(100 * self.report.seconds / self.budget, 100.0) if self.budget else 0.0

    @property
    def tone(self) -> str:
        """Kind of the badge of its state."""
        if self.report.is_degraded:
            return "bad"
        return "good" if self.report.status == "ok" else ""


def stages_of(
    response: FeedResponse, pipelines: Iterable[PipelineDescription]
) -> tuple[StageView, ...]:
    """The stages of a feed in their order, with their configuration."""
    described: dict[str, StageDescription] = {}
    for pipeline in pipelines:
        if pipeline.name == response.pipeline:
            described = {each.stage: each for each in pipeline.stages}
    returned = Counter(source for item in response.items for source in item.sources)
    removed = response.explanation.removed if response.explanation else ()
    later = [each for each in response.stages if each.role != "source"]
    width = max((max(each.given, each.returned) for each in later), default=0) or 1
    return tuple(
        _view(each, described.get(each.stage), returned[each.stage], removed, width)
        for each in response.stages
    )


def _view(
    report: StageReport,
    description: StageDescription | None,
    in_feed: int,
    removed: Iterable[RemovedItems],
    width: int,
) -> StageView:
    found = tuple(each for each in removed if each.stage == report.stage)
    in_feed = in_feed if report.role == "source" else 0
    if description is None:
        return StageView(report, in_feed=in_feed, removed=found, width=width)
    return StageView(
        report,
        description.kind,
        description.budget_seconds,
        dict(description.settings),
        in_feed,
        found,
        width,
    )
