"""The answer to a feed request, in the caller's ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from recsys_client.feed.explanation import FeedExplanation

Slot = Literal["ranked", "explored", "pinned", "promoted"]
"""Reason why an item has its position."""
StageStatus = Literal["ok", "off", "idle", "failed", "late", "busy"]
"""State of a stage in one request; see :class:`StageReport`."""
DEGRADED = ("failed", "late", "busy")
"""States of a stage that should have run and did not."""


@dataclass(frozen=True)
class FeedItem:
    """One item of a feed.

    Attributes:
        id: Item id.
        position: Position in the feed, from 1.
        score: Score of the last scoring stage; comparable within one feed only.
        sources: Names of the sources that returned the item.
        slot: Whether the position was given by the ranking, to a pinned or promoted item, or to
            one that is shown to learn about it.
        propensity: Probability that this item was shown at this position, above 0 and at most 1;
            1 where no chance was involved.
        title: Title of the item; None where it has none or the request wants no titles.

    Example:
        >>> FeedItem("lamp", 1, 0.5, ("two_tower",)).slot
        'ranked'
    """

    id: str
    position: int
    score: float
    sources: tuple[str, ...] = ()
    slot: Slot = "ranked"
    propensity: float = 1.0
    title: str | None = None


@dataclass(frozen=True)
class StageReport:
    """The part of one stage in a request.

    Attributes:
        stage: Name of the stage.
        role: "source", "merge", "hydrator", "filter", "scorer", "diversity" or "slots".
        status: "ok"; "off" where the pipeline disables the stage; "idle" where the request has
            nothing that it reads; "failed" after an error; "late" beyond its time budget; "busy"
            where earlier late calls still run and it was not called. Except after "ok" the stage
            had no effect; a filter that fails closed removes all candidates after "failed", "late"
            and "busy".
        given: Number of candidates before the stage.
        returned: Number of candidates after the stage; of a source, the number that it returned.
        seconds: Duration.
        message: Reason of a status other than "ok", or "".

    Example:
        >>> StageReport("trending", "source", "late", 0, 0, 0.05).is_degraded
        True
    """

    stage: str
    role: str
    status: StageStatus
    given: int
    returned: int
    seconds: float
    message: str = ""

    @property
    def is_degraded(self) -> bool:
        """Whether the stage failed, was late or was busy."""
        return self.status in DEGRADED


@dataclass(frozen=True)
class FeedResponse:
    """The answer to one feed request.

    Attributes:
        items: Items in the order in which they are shown, at most k.
        pipeline: Name of the pipeline.
        pipeline_version: Digest of the pipeline's configuration.
        stages: Report of each stage, in the order of the pipeline.
        short: Reason why there are fewer than k items, or None.
        unknown_history: Ids of the given history that are not in the catalogue.
        unknown_exclude: Ids to exclude that are not in the catalogue.
        unknown_candidates: Ids of given, pinned or promoted items that are not in the catalogue.
        known_user: Whether the user has a history, recorded or given.
        bundle_version: Version of the bundle that answered; "" outside a bundle.
        watermark: Sequence number of the last recorded change in the state that answered.
        request_id: Identifier under which a service recorded the feed, or "".
        explanation: Way of each item through the pipeline; None unless the request wants it.

    Example:
        >>> FeedResponse((FeedItem("lamp", 1, 0.5),), "default").ids
        ['lamp']
    """

    items: tuple[FeedItem, ...]
    pipeline: str
    pipeline_version: str = ""
    stages: tuple[StageReport, ...] = ()
    short: str | None = None
    unknown_history: tuple[str, ...] = ()
    unknown_exclude: tuple[str, ...] = ()
    unknown_candidates: tuple[str, ...] = ()
    known_user: bool = True
    bundle_version: str = ""
    watermark: int = 0
    request_id: str = ""
    explanation: FeedExplanation | None = None

    @property
    def ids(self) -> list[str]:
        """Ids of the items in their order."""
        return [item.id for item in self.items]

    @property
    def degraded(self) -> tuple[str, ...]:
        """Names of the stages that failed, were late or were busy."""
        return tuple(each.stage for each in self.stages if each.is_degraded)

    @property
    def notes(self) -> list[str]:
        """Statements for a person: why there are few items, and what had no effect.

        Example:
            >>> FeedResponse((), "default", known_user=False).notes
            ['the user has no history']
        """
        notes = [self.short] if self.short else []
        if not self.known_user:
            notes.append("the user has no history")
        kinds = (
            ("in the history were skipped", self.unknown_history),
            ("to exclude had no effect", self.unknown_exclude),
            ("among the given candidates were skipped", self.unknown_candidates),
        )
        notes += [f"unknown ids {effect}: {', '.join(ids)}" for effect, ids in kinds if ids]
        notes += [
            f"no item has the {each.field} value {each.value!r:.80} in the column '{each.column}'"
            for each in (self.explanation.unknown_values if self.explanation else ())
        ]
        notes += [
            f"the stage {each.stage} did not run ({each.status}): {each.message}"
            for each in self.stages
            if each.is_degraded
        ]
        return notes
